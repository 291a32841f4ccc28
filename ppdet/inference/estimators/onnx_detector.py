"""Finds boxes with an ONNX detector of another toolkit.

Legend: N boxes, H W pixels.
"""
from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ppdet.core.errors import ModelDirError
from ppdet.core.logger import get_logger
from ppdet.image.letterbox import Letterbox
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.onnx_network import OnnxNetwork
from ppdet.inference.estimators.onnx_outputs.candidates import Candidates
from ppdet.inference.model_card import ModelCard
from ppdet.inference.onnx_models.layouts import DETECTION
from ppdet.inference.onnx_models.model import OnnxModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.skeletons.people import PERSON_NAMES

COCO_CLASSES = 80
COCO_IDS = 91  # RF-DETR's columns are COCO's category ids, of which person is 1


class OnnxDetector:
    """A detector in any of the layouts of `onnx_models.layouts`, in place of a `BoxDetector`.

    Args:
        runtime: the loaded network.
        card: its card, from `load_card`.
        batch_size: images that go through the network together, if it takes several.

    Raises:
        ModelDirError: card and network contradict each other.
    """

    kind = DETECTION
    finds_people_itself = False
    category: str | None = None
    """Name of the class whose poses are wanted, if not persons; a pipeline sets it from the pose model's card."""

    def __init__(self, runtime: Runtime, card: ModelCard, batch_size: int = 1) -> None:
        if not isinstance(card, OnnxModelCard) or card.kind != self.kind:
            raise ModelDirError(f"{card.place} has arch {card.arch}, which is no ONNX detector of another toolkit")
        self.runtime = runtime
        self.card = card
        self.batch_size = max(1, batch_size)
        self.network = OnnxNetwork(runtime, card)
        self._wanted = self._class_numbers()

    @classmethod
    def refuse_detector(cls, card: ModelCard, advice: str) -> None:
        """Nothing to refuse: this is the detector; see `PoseEstimator.refuse_detector`."""

    @cached_property
    def person_label(self) -> int | tuple[int, ...]:
        """Numbers of the classes that are people: the card's `classes`, else by name, else COCO's.

        Raises:
            ModelDirError: there are several classes with names, and none is a person's.
        """
        if self._wanted is not None:
            return tuple(self._wanted)
        labels = [name.lower() for name in self.network.settings.labels]
        wanted = PERSON_NAMES if self.category is None else (self.category.lower(),)
        people = tuple(number for number, name in enumerate(labels) if name in wanted)
        if people or len(labels) == 1:
            return people or 0
        if labels:
            known = ", ".join([*labels[:6], *(["..."] if len(labels) > 6 else [])])
            raise ModelDirError(f"{self.card.place} finds {known}, none of which is called {self.category or 'person'}: name the "
                                "classes whose poses you want in the card, as in `classes: [player]`")
        return 1 if self._class_count() == COCO_IDS else 0

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """Find boxes in images of any sizes.

        Args:
            images: (H, W, 3) RGB uint8 each.

        Returns:
            For each image its boxes in image pixels, clipped to the image, best first. Scores go down to the card's
            `score_threshold`; with `classes` in the card there are no others.
        """
        found: list[Detections] = []
        for start in range(0, len(images), self.batch_size):
            batch = images[start : start + self.batch_size]
            found.extend(in_image(*each) for each in self.network.candidates(batch))
        if self._wanted is None:
            return found
        return [each[np.isin(each.labels, self._wanted)] for each in found]

    def _class_numbers(self) -> list[int] | None:
        """Numbers of the card's `classes`; names are looked up in the labels."""
        settings = self.network.settings
        if settings.classes is None:
            return None
        labels, numbers = [name.lower() for name in settings.labels], []
        count = len(labels) or self._classes_by_shape()
        for each in settings.classes:
            if isinstance(each, str) and each.lower() not in labels:
                known = f"its labels are {', '.join(labels[:10])}" if labels else "the file names none: give numbers, or labels"
                raise ModelDirError(f"{self.card.place}: the card's classes have {each!r}, and {known}")
            numbers.append(labels.index(each.lower()) if isinstance(each, str) else each)
            if count is not None and numbers[-1] >= count:
                raise ModelDirError(f"{self.card.place}: the card's classes have {each}, and there are {count} classes from 0 on")
        return numbers

    def _class_count(self) -> int | None:
        """`_classes_by_shape`; a warning if that is not COCO's, since nothing names them."""
        count = self._classes_by_shape()
        if count not in (None, 1, COCO_CLASSES, COCO_IDS):
            get_logger(__name__).warning("%s names none of its %d classes; class 0 is taken for people. If that is wrong, write "
                                         "`classes: [number]` into the card", self.card.place, count)
        return count

    def _classes_by_shape(self) -> int | None:
        """Number of classes by the shape of the outputs; None if it does not tell."""
        header, layout = self.card.file_header, self.network.settings.layout
        logits = next((each.side(2) for each in header.outputs if each.name in ("labels", "logits", "pred_logits")), None)
        axis, other = {"yolov8": (1, 4), "yolov5": (2, 5), "yolox": (2, 5), "nanodet": (2, 32)}.get(layout, (None, 0))
        first = header.outputs[0]
        side = None if axis is None else first.side(axis)
        if layout == "yolov8" and None not in (side, first.side(2)):
            side = min(first.side(1), first.side(2))  # type: ignore[type-var]
        return logits if axis is None else None if side is None else side - other


def in_image(found: Candidates, fit: Letterbox) -> Detections:
    """Boxes in image pixels, clipped to the image; what lies outside of it is left out."""
    width, height = fit.image_wh
    boxes = fit.to_image(found.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
    boxes = np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)
    has_area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    assert found.labels is not None, "boxes after NMS have labels"
    return Detections.from_rows(boxes[has_area], found.scores[has_area], found.labels[has_area])

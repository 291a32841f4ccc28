"""Finds boxes with an exported detector.

Legend: N boxes, B batch, H W pixels.
"""
from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ppdet.core.errors import ModelDirError
from ppdet.inference.estimators.box_decoding import decode_raw_heads, split_finished_boxes, suppress
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.preprocess import DetectorInput, DetectorPreprocess
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime

PERSON_LABELS = ("person", "pedestrian")
BLANK_SIDE, BLANK_RANGE = 16, 8.0
"""An image is blank if its 16 x 16 mean colours differ by less than 8 of 255."""
NOISE_RANGE = 128
"""Single pixels of a blank image differ by less."""


class BoxDetector:
    """An exported detector with one of these outputs, which are recognised automatically: raw heads (`arch: PicoDet`, scores
    and side distributions per level), final boxes (rows of six and a count, NMS in the graph), or boxes and scores of every
    point without NMS.

    Args:
        runtime: the loaded network.
        card: its card.
        batch_size: images that go through the network together.

    Raises:
        ModelDirError: the card is not a detector's.
    """

    kind = "detection"
    finds_people_itself = False
    category: str | None = None
    """Name of the class whose poses are wanted, if not persons; a pipeline sets it from the pose model's card."""

    def __init__(self, runtime: Runtime, card: ModelCard, batch_size: int = 1) -> None:
        if card.kind != self.kind:
            raise ModelDirError(f"{card.place} has arch {card.arch}, which is no detector: give the directory "
                                "of an exported PicoDet or YOLO as the detector")
        self.runtime = runtime
        self.card = card
        self.batch_size = max(1, batch_size)
        self._preprocess = DetectorPreprocess(card.preprocess)

    @classmethod
    def refuse_detector(cls, card: ModelCard, advice: str) -> None:
        """Does nothing, since this is the detector; see `PoseEstimator.refuse_detector`."""

    @property
    def person_label(self) -> int:
        """Index of the class whose poses are wanted: `category` by name, or the only class there is; without it the person class,
        otherwise 0 (as in PaddleDetection).

        Raises:
            ModelDirError: several classes, and none is called like `category`.
        """
        names = [str(name).lower() for name in self.card.label_list]
        if self.category is not None and self.category.lower() in names:
            return names.index(self.category.lower())
        if self.category is not None and len(names) > 1:
            known = ", ".join([*names[:6], *(["..."] if len(names) > 6 else [])])
            raise ModelDirError(f"{self.card.place} finds {known}, but the pose model was trained on {self.category!r}: give a "
                                "detector of these")
        return next((names.index(name) for name in PERSON_LABELS if name in names), 0)

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """Find boxes in images of any sizes.

        Args:
            images: (H, W, 3) RGB uint8 each.

        Returns:
            For each image its boxes in image pixels, clipped to the image, best first. The smallest score is the NMS threshold
            of the card. A blank image has none, whatever the network says: PicoDet, trained on photographs only, finds a large
            person of score .7 in a black frame.
        """
        found: list[Detections] = []
        for start in range(0, len(images), self.batch_size):
            found.extend(self._detect_batch(images[start : start + self.batch_size]))
        return found

    def _detect_batch(self, images: Sequence[np.ndarray]) -> list[Detections]:
        if len(images) > 1 and self.runtime.fixed_batch == 1:
            return [found for image in images for found in self._detect_batch([image])]
        inputs = self._preprocess(images)
        outputs = self.runtime.run(self._feeds(inputs))
        if len(images) > 1 and not self._keeps_batch(outputs, len(images)):
            # Heads exported by PaddleDetection merge batch and points, in an order that does not allow separating the images.
            return [found for image in images for found in self._detect_batch([image])]
        per_image = self._decode(outputs, inputs)
        return [self._in_image(boxes, image, row, inputs) for row, (boxes, image) in enumerate(zip(per_image, images))]

    def _feeds(self, inputs: DetectorInput) -> dict[str, np.ndarray]:
        known = {"image": inputs.image, "scale_factor": inputs.scale_factor, "im_shape": inputs.im_shape}
        names = list(self.runtime.input_names)
        if len(names) == 1:
            return {names[0]: inputs.image}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ModelDirError(f"the detector wants the input {unknown[0]!r}: known are {', '.join(known)}; export it again")
        return {name: known[name] for name in names}

    def _keeps_batch(self, outputs: Sequence[np.ndarray], batch: int) -> bool:
        return is_finished(outputs) or all(output.shape[0] == batch for output in outputs)

    def _decode(self, outputs: Sequence[np.ndarray], inputs: DetectorInput) -> list[Detections]:
        batch = len(inputs.image)
        settings = self.card.nms or {}
        if is_finished(outputs):
            return split_finished_boxes(outputs[0], outputs[1])
        if len(outputs) == 2 and outputs[0].ndim == 3 and outputs[0].shape[2] == 4:
            return [suppress(outputs[0][row], np.swapaxes(outputs[1][row], 0, 1), settings) for row in range(batch)]
        if len(outputs) % 2 == 0 and all(output.ndim == 3 and output.shape[0] == batch for output in outputs):
            levels = len(outputs) // 2
            strides = self.card.fpn_stride or [8 * 2**level for level in range(levels)]
            input_hw = inputs.image.shape[2:]
            return [decode_raw_heads([o[row] for o in outputs[:levels]], [o[row] for o in outputs[levels:]], strides, input_hw,
                                     settings) for row in range(batch)]
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise ModelDirError(f"the detector's outputs have the shapes {shapes}: expected rows of six with counts, boxes (B, A, 4) "
                            "with scores (B, C, A), or scores and distances of each level; export it with `ppdet export`")

    def _in_image(self, found: Detections, image: np.ndarray, row: int, inputs: DetectorInput) -> Detections:
        boxes = found.boxes_xyxy
        if len(boxes) and is_blank(image):
            return found[:0]
        if "scale_factor" not in self.runtime.input_names:  # such a graph returns network pixels
            scale_y, scale_x = inputs.scale_factor[row]
            boxes = boxes / np.array([scale_x, scale_y, scale_x, scale_y], np.float32)
        height, width = image.shape[:2]
        boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32)).astype(np.float32)
        has_area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        return Detections(boxes, found.scores, found.labels)[has_area]


def is_blank(image: np.ndarray) -> bool:
    """Whether an (H, W, 3) uint8 image has one colour, apart from noise: a black frame, a covered lens."""
    rows, columns = (max(1, side // BLANK_SIDE) for side in image.shape[:2])
    if np.ptp(image[::rows, ::columns]) >= NOISE_RANGE:
        return False
    means = cv2.resize(image[:: 1 + rows // 16, :: 1 + columns // 16], (BLANK_SIDE, BLANK_SIDE), interpolation=cv2.INTER_AREA)
    return bool(np.ptp(means, axis=(0, 1)).max() < BLANK_RANGE)


def is_finished(outputs: Sequence[np.ndarray]) -> bool:
    """Whether the outputs are boxes after NMS: rows of six, and counts."""
    return len(outputs) >= 2 and outputs[0].ndim == 2 and outputs[0].shape[1] == 6

"""Finds the poses of all people in an image at once with an exported bottom-up model.

Legend: P people, K keypoints, M candidates per keypoint, H W pixels of the network input.
"""
from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np

from ppdet.codecs import AssociativeEmbeddingCodec
from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.core.errors import ConfigError, DataError, ModelDirError
from ppdet.geometry import assignment
from ppdet.inference.estimators.base import EstimatorOptions, People, PoseEstimator
from ppdet.inference.estimators.model_skeleton import skeleton_of_network
from ppdet.inference.estimators.preprocess import Normalizer
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.skeletons import get_skeleton

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from typing_extensions import Self

    from ppdet.geometry.crop import Crop
    from ppdet.inference.results import PoseResult
    from ppdet.inference.stage_timer import StageTimer
    from ppdet.skeletons import Skeleton

# Outputs of PaddleDetection's exported graph: heatmaps (1, K, H, W), tags (1, K, H, W, 1), and its own best peaks.
PADDLEDET_AXES = (4, 5, 3, 3)


class BottomUpEstimator(PoseEstimator):
    """Resizes an image to the network's size, runs the network once and groups its candidates into people.

    There is no detector and no crop, and the time hardly depends on the number of people.

    Args:
        runtime: the loaded network.
        card: its card. PaddleDetection's own exports, without codec and skeleton, also work.
        skeleton: overrides the card's skeleton; a name, a mapping or a Skeleton.

    Raises:
        ModelDirError: the card is not a bottom-up model's, or card and network do not fit together.
    """

    kind = "bottom_up"
    finds_people_itself = True

    def __init__(self, runtime: Runtime, card: ModelCard, skeleton: str | Mapping[str, Any] | Skeleton | None = None) -> None:
        if card.kind != self.kind:
            raise ModelDirError(f"{card.place} has arch {card.arch}, which is no bottom-up pose model: give the directory of an "
                                "exported HigherHRNet")
        self.runtime = runtime
        self.card = card
        self._normalize = Normalizer(card.operation("NormalizeImage"))
        self.codec: Any = card.codec or derive_codec(card)
        self.skeleton = self._fit_to_network(get_skeleton(skeleton) if skeleton is not None else card.skeleton)

    @classmethod
    def from_options(cls, runtime: Runtime, card: ModelCard, options: EstimatorOptions) -> Self:
        """See `PoseEstimator.from_options`."""
        return cls(runtime, card, options.skeleton)

    @classmethod
    def check_options(cls, card: ModelCard, options: EstimatorOptions) -> None:
        """Reject the flip test, which exported graphs do not support, and options for crops.

        Raises:
            ConfigError: flip_test, use_dark or paddledet_crop.
        """
        if options.flip_test:
            raise ConfigError(f"{card.place} is an exported bottom-up model, whose graph gives candidates and not the maps that "
                              "a flip test averages: leave flip_test out. tools/eval.py and tools/infer.py have it, from weights")
        given = [f"--{name}" for name in ("use_dark", "paddledet_crop") if getattr(options, name)]
        if given:
            raise ConfigError(f"{' and '.join(given)}: for top-down models, and {card.place} is a bottom-up pose model, which "
                              "has no crops and refines its peaks in its own way: leave it out")

    def poses(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[tuple[np.ndarray, np.ndarray]] | None,
        person_threshold: float,
        timer: StageTimer,
    ) -> list[People]:
        """People of several images, one image at a time; see `PoseEstimator.poses`."""
        assert boxes is None, "a bottom-up model is not given boxes"
        return [self.people(image, timer).above(person_threshold) for image in images]

    def ranking_scores(self, result: PoseResult) -> np.ndarray:
        """The scores of grouping, which already rank people."""
        return result.box_scores

    def people(self, image: np.ndarray, timer: StageTimer | None = None) -> People:
        """All people of one image, best first, with boxes around their certain keypoints. Keypoints that were not found have
        score 0 and position (0, 0).

        Args:
            image: (H, W, 3) RGB uint8, of any size.
            timer: records the stages "pose" (resizing and network) and "group".

        Raises:
            DataError: the image is too long and thin.
            ModelDirError: the network's outputs are not candidates, or are not finite.
        """
        with nullcontext() if timer is None else timer.stage("pose"):
            candidates, frame = self.candidates(image)
        with nullcontext() if timer is None else timer.stage("group"):
            return self.group(candidates, frame)

    def candidates(self, image: np.ndarray) -> tuple[Candidates, Crop]:
        """Candidates of an image in network pixels, and their frame."""
        frame = self.codec.frame_for_image((image.shape[1], image.shape[0]))
        return self._run(self._normalize(self.codec.extract(image, frame))), frame

    def group(self, candidates: Candidates, frame: Crop) -> People:
        """Group the candidates of a frame into people."""
        poses = self.codec.decode(candidates, frame, self.skeleton)
        boxes = hull_boxes(poses.xy_image, poses.scores, self.codec.detection_threshold)
        return People(boxes, poses.person_scores, poses.xy_image, poses.scores)

    def _run(self, tensor: np.ndarray) -> Candidates:
        """Candidates of one (1, 3, H, W) normalised image."""
        outputs = self.runtime.run({self.runtime.input_names[0]: tensor})
        if tuple(output.ndim for output in outputs) == PADDLEDET_AXES:
            return self.codec.candidates(outputs[0][0], outputs[1][0])
        return self._of_outputs(outputs)

    def _of_outputs(self, outputs: Sequence[np.ndarray]) -> Candidates:
        """Candidates of one image from the graph's outputs. NaN is an error, since grouping would silently return wrong
        people."""
        try:
            found = Candidates.from_outputs(outputs)[0]
        except (DataError, IndexError) as error:
            raise ModelDirError(f"{self.card.place}: {error}; export the model with `ppdet export`") from error
        try:
            found.require_finite()
        except DataError as error:
            raise ModelDirError(f"{self.card.place}: {error}") from error
        return found

    def _fit_to_network(self, skeleton: Skeleton | None) -> Skeleton:
        """Run the network once on a small black image, which also warms it up, and compare its output with the skeleton."""
        assignment.prepare()
        side = int(self.codec.size_divisor)
        keypoints = len(self._run(self._normalize(np.zeros((1, side, side, 3), np.uint8))).score)
        return skeleton_of_network(skeleton, keypoints, self.card)


def hull_boxes(xy: np.ndarray, scores: np.ndarray, sure: float = 0.0) -> np.ndarray:
    """Bounding boxes of the keypoints that were found.

    Refinement places every missing keypoint somewhere, often far from the person and with a heatmap value near 0; those must
    not enlarge a box.

    Args:
        xy: (P, K, 2) image pixels.
        scores: (P, K); keypoints of score 0 or less were not found.
        sure: only keypoints with a higher score are used, if a person has any.

    Returns:
        (P, 4) float32 xyxy; all zero for people without any keypoint.
    """
    above = scores > sure
    found = np.where(above.any(axis=1, keepdims=True), above, scores > 0)[..., None]
    low = np.where(found, xy, np.inf).min(axis=1, initial=np.inf)
    high = np.where(found, xy, -np.inf).max(axis=1, initial=-np.inf)
    boxes = np.concatenate([low, high], axis=1)
    return np.where(np.isfinite(boxes), boxes, 0.0).astype(np.float32)


def derive_codec(card: ModelCard) -> AssociativeEmbeddingCodec:
    """The codec of a PaddleDetection export: input size from `EvalAffine`, and the authors' grouping.

    Raises:
        ModelDirError: the card does not state the input size.
    """
    affine = card.operation("EvalAffine") or {}
    size = affine.get("size")
    if not isinstance(size, int) or size <= 0:
        raise ModelDirError(f"{card.place}: Preprocess has no EvalAffine with a size, so the input size is unknown; export the "
                            "model again with `ppdet export`")
    return AssociativeEmbeddingCodec(input_wh=(size, size))

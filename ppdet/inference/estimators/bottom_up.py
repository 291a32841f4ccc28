"""Finds the poses of all people in a picture at once with an exported bottom-up model.

Legend: P people, K keypoints, M candidates a keypoint, H W pixels of the network input.
"""
from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ppdet.codecs import AssociativeEmbeddingCodec, assignment
from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.core.errors import ConfigError, DataError, ModelDirError
from ppdet.inference.estimators.model_skeleton import skeleton_of_network
from ppdet.inference.estimators.preprocess import Normalizer
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.skeletons import get_skeleton

if TYPE_CHECKING:
    from ppdet.geometry.crop import Crop
    from ppdet.inference.stage_timer import StageTimer
    from ppdet.skeletons import Skeleton

# Mean keypoint score from which a person counts where people are shown: about two sure keypoints of 17, so that a head alone is
# somebody. Evaluation takes everybody.
PERSON_THRESHOLD = 0.1
# What PaddleDetection's exported graph puts out: heatmaps (1, K, H, W), tags (1, K, H, W, 1), and its own best peaks.
PADDLEDET_AXES = (4, 5, 3, 3)


class BottomUpResult(NamedTuple):
    """People of one picture, best first: boxes (P, 4) xyxy round their sure keypoints, box_scores (P,), keypoints (P, K, 2) in
    image pixels and scores (P, K), all float32. A keypoint that was not found has score 0 and lies at (0, 0)."""

    boxes: np.ndarray
    box_scores: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray

    def above(self, threshold: float) -> BottomUpResult:
        """The people whose score is at least this."""
        return BottomUpResult(*(each[self.box_scores >= threshold] for each in self))


class BottomUpEstimator:
    """Scales a picture to the network's size, runs the network once and groups its candidates into people.

    The time hardly depends on the number of people. There is no detector and nothing to crop.

    Args:
        runtime: the loaded network.
        card: its card. PaddleDetection's own exports, which name neither codec nor skeleton, are taken too.
        skeleton: overrides the card's skeleton; a name, a mapping or a Skeleton.

    Raises:
        ModelDirError: the card is not a bottom-up model's, or card and network do not fit together.
    """

    def __init__(self, runtime: Runtime, card: ModelCard, skeleton: str | dict | Skeleton | None = None) -> None:
        if not card.is_bottom_up:
            raise ModelDirError(f"{card.place} has arch {card.arch}, which is no bottom-up pose model: give the directory of an "
                                "exported HigherHRNet")
        self.runtime = runtime
        self.card = card
        self._normalize = Normalizer(card.operation("NormalizeImage"))
        codec = card.codec or derive_codec(card)
        assert isinstance(codec, AssociativeEmbeddingCodec)
        self.codec = codec
        self.skeleton = self._fit_to_network(get_skeleton(skeleton) if skeleton is not None else card.skeleton)

    def people(self, image: np.ndarray, timer: StageTimer | None = None) -> BottomUpResult:
        """All people of one image.

        Args:
            image: (H, W, 3) RGB uint8, of any size.
            timer: notes the stages "pose" (picture and network) and "group".

        Raises:
            DataError: a picture so long and thin that it cannot be run.
            ModelDirError: the network gives something else than candidates, or numbers that are not finite.
        """
        with nullcontext() if timer is None else timer.stage("pose"):
            candidates, frame = self.candidates(image)
        with nullcontext() if timer is None else timer.stage("group"):
            return self.group(candidates, frame)

    def candidates(self, image: np.ndarray) -> tuple[Candidates, Crop]:
        """What the network sees in an image: candidates in network pixels, and the frame that they lie in."""
        frame = self.codec.frame_for_image((image.shape[1], image.shape[0]))
        return self._run(self._normalize(self.codec.extract(image, frame))), frame

    def group(self, candidates: Candidates, frame: Crop) -> BottomUpResult:
        """The people that candidates of a frame make."""
        poses = self.codec.decode(candidates, frame, self.skeleton)
        boxes = hull_boxes(poses.xy_image, poses.scores, self.codec.detection_threshold)
        return BottomUpResult(boxes, poses.person_scores, poses.xy_image, poses.scores)

    def _run(self, tensor: np.ndarray) -> Candidates:
        """Candidates of one (1, 3, H, W) normalised picture."""
        outputs = self.runtime.run({self.runtime.input_names[0]: tensor})
        if tuple(output.ndim for output in outputs) == PADDLEDET_AXES:
            return self.codec.candidates(outputs[0][0], outputs[1][0])
        return self._of_outputs(outputs)

    def _of_outputs(self, outputs: Sequence[np.ndarray]) -> Candidates:
        """The candidates of one image from what the graph puts out; nan would become nobody or anybody without a word."""
        try:
            found = Candidates.from_outputs(outputs)[0]
        except (DataError, IndexError) as error:
            raise ModelDirError(f"{self.card.place}: {error}; export the model with tools/export_model.py") from error
        try:
            found.require_finite()
        except DataError as error:
            raise ModelDirError(f"{self.card.place}: {error}") from error
        return found

    def _fit_to_network(self, skeleton: Skeleton | None) -> Skeleton:
        """Run the network once on a small black picture, which also warms it up, and hold its output against the skeleton."""
        assignment.prepare()
        side = int(self.codec.size_divisor)
        joints = len(self._run(self._normalize(np.zeros((1, side, side, 3), np.uint8))).score)
        return skeleton_of_network(skeleton, joints, self.card)


def hull_boxes(xy: np.ndarray, scores: np.ndarray, sure: float = 0.0) -> np.ndarray:
    """Smallest boxes round the keypoints that were found.

    The search for missing keypoints puts each somewhere, often far from the person and with a heat near 0: those must not
    widen a box.

    Args:
        xy: (P, K, 2) image pixels.
        scores: (P, K); keypoints of score 0 or less were not found.
        sure: only keypoints above this count, if a person has any.

    Returns:
        (P, 4) float32 xyxy; of people without any keypoint all zero.
    """
    above = scores > sure
    found = np.where(above.any(axis=1, keepdims=True), above, scores > 0)[..., None]
    low = np.where(found, xy, np.inf).min(axis=1, initial=np.inf)
    high = np.where(found, xy, -np.inf).max(axis=1, initial=-np.inf)
    boxes = np.concatenate([low, high], axis=1)
    return np.where(np.isfinite(boxes), boxes, 0.0).astype(np.float32)


def derive_codec(card: ModelCard) -> AssociativeEmbeddingCodec:
    """The codec of a PaddleDetection export: the side that `EvalAffine` states, and the authors' grouping.

    Raises:
        ModelDirError: the card does not state the input size.
    """
    affine = card.operation("EvalAffine") or {}
    size = affine.get("size")
    if not isinstance(size, int) or size <= 0:
        raise ModelDirError(f"{card.place}: Preprocess has no EvalAffine with a size, so the input size is unknown; export the "
                            "model again with tools/export_model.py")
    return AssociativeEmbeddingCodec(input_wh=(size, size))

def bottom_up_alone(card: ModelCard, advice: str) -> str:
    """What to say where a bottom-up model stands beside a detector or in its place."""
    return (f"{card.place} is a bottom-up pose model ({card.arch}): it finds all people of a whole picture at once and takes no "
            f"boxes from a detector; {advice}")


def refuse_flip_test(card: ModelCard, flip_test: bool) -> None:
    """Raise if flip test is wanted of an exported bottom-up model.

    Raises:
        ConfigError: it is.
    """
    if flip_test:
        raise ConfigError(f"{card.place} is an exported bottom-up model, whose graph gives candidates and not the maps that a "
                          "flip test averages: leave flip_test out. tools/eval.py and tools/infer.py have it, from weights")

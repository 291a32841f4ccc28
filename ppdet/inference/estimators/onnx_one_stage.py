"""Finds people and their poses in one pass with an ONNX model of another toolkit (YOLO-pose, RTMO, YOLO-NAS-Pose).

Legend: P people, K keypoints, H W pixels.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ppdet.core.errors import ModelDirError
from ppdet.image.letterbox import Letterbox
from ppdet.inference.estimators.base import EstimatorOptions, People, PoseEstimator
from ppdet.inference.estimators.model_skeleton import skeleton_of_network
from ppdet.inference.estimators.onnx_network import OnnxNetwork
from ppdet.inference.estimators.onnx_outputs.candidates import Candidates
from ppdet.inference.model_card import ModelCard
from ppdet.inference.onnx_models.layouts import ONE_STAGE
from ppdet.inference.onnx_models.model import OnnxModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.skeletons import Skeleton, get_skeleton

if TYPE_CHECKING:
    from typing_extensions import Self

    from ppdet.inference.results import PoseResult
    from ppdet.inference.stage_timer import StageTimer


class OneStageEstimator(PoseEstimator):
    """Boxes and keypoints of everybody in an image from one run of a network.

    Args:
        runtime: the loaded network.
        card: its card, from `load_card`.
        skeleton: overrides the card's and the file's; a name, a mapping or a Skeleton.

    Raises:
        ModelDirError: card and network contradict each other, or the skeleton has another number of keypoints.
    """

    kind = ONE_STAGE
    finds_people_itself = True

    def __init__(self, runtime: Runtime, card: ModelCard, skeleton: str | Mapping[str, Any] | Skeleton | None = None) -> None:
        if not isinstance(card, OnnxModelCard) or card.kind != self.kind:
            raise ModelDirError(f"{card.place} has arch {card.arch}, which is no one-stage ONNX pose model")
        self.runtime = runtime
        self.card = card
        self.network = OnnxNetwork(runtime, card)
        keypoints = self.network.sample.keypoints
        assert keypoints is not None, "layouts of this kind give keypoints"
        given = get_skeleton(skeleton) if skeleton is not None else card.skeleton
        self.skeleton = skeleton_of_network(given, keypoints.shape[1], card)

    @classmethod
    def from_options(cls, runtime: Runtime, card: ModelCard, options: EstimatorOptions) -> Self:
        """See `PoseEstimator.from_options`."""
        return cls(runtime, card, options.skeleton)

    def poses(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[tuple[np.ndarray, np.ndarray]] | None,
        person_threshold: float,
        timer: StageTimer,
    ) -> list[People]:
        """People of several images; see `PoseEstimator.poses`. Their score is the network's for the box."""
        assert boxes is None, "a one-stage model is not given boxes"
        with timer.stage("pose"):
            found = [each for image in images for each in self.network.candidates([image])]
            return [people_in_image(*each).above(person_threshold) for each in found]

    def ranking_scores(self, result: PoseResult) -> np.ndarray:
        """The network ranks people already."""
        return result.box_scores


def people_in_image(found: Candidates, fit: Letterbox) -> People:
    """People in image pixels. Boxes are clipped to the image; a person whose box lies outside of it is left out."""
    assert found.keypoints is not None and found.keypoint_scores is not None, "layouts of this kind give keypoints"
    width, height = fit.image_wh
    boxes = fit.to_image(found.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
    boxes = np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)
    inside = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    xy = fit.to_image(found.keypoints).astype(np.float32)
    return People(boxes[inside], found.scores[inside].astype(np.float32), xy[inside],
                  found.keypoint_scores[inside].astype(np.float32))

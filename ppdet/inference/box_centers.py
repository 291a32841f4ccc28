"""Stands for a pose model where there is none, so that a detector's people are followed, drawn and counted like any others.

Legend: N people.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ppdet.inference.estimators.base import EstimatorOptions, People, PoseEstimator
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.stage_timer import StageTimer
from ppdet.skeletons import Keypoint, Skeleton

if TYPE_CHECKING:
    from ppdet.inference.results import PoseResult

SIGMA = 0.1


class BoxCenters(PoseEstimator):
    """The only keypoint is the centre of the box, and its score that of the box.

    Args:
        card: of the detector.
    """

    kind = "box_centers"
    skeleton = Skeleton("box", (Keypoint("center", sigma=SIGMA),), ())

    def __init__(self, card: ModelCard) -> None:
        self.card = card

    @classmethod
    def from_options(cls, runtime: Runtime, card: ModelCard, options: EstimatorOptions) -> BoxCenters:
        """See `PoseEstimator.from_options`."""
        return cls(card)

    def poses(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[tuple[np.ndarray, np.ndarray]] | None,
        person_threshold: float,
        timer: StageTimer,
    ) -> list[People]:
        """See `PoseEstimator.poses`."""
        assert boxes is not None, "boxes have centres, images have not"
        return [People(xyxy, scores, ((xyxy[:, None, :2] + xyxy[:, None, 2:]) / 2).astype(np.float32), scores[:, None])
                for xyxy, scores in boxes]  # fmt: skip

    def ranking_scores(self, result: PoseResult) -> np.ndarray:
        """(N,) scores of the boxes."""
        return result.box_scores

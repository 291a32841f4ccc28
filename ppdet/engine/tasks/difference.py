"""Difference between the predictions of two engines, and its tolerances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOLERANCE_PX = 0.05
SCORE_FLOOR = 0.2
# Heatmaps have a peak of 1; float32 kernels of different engines agree to about 1e-5.
TOLERANCE_SCORE = 1e-3
# Fraction of the largest value of a network output: the only evidence if nothing scores above the floor.
TOLERANCE_OUTPUT = 1e-3


@dataclass(frozen=True)
class ReducedTolerance:
    """What a reduced precision may change, on average rather than at worst: a near tie of two peaks may tip over.

    Attributes:
        mean_px: distance of confident keypoints or box sides in image pixels.
        oks: mean OKS of the poses with the framework's as the truth.
        unmatched: boxes without a partner, as a fraction of those compared; one pair is always allowed, since of two boxes that
            overlap, suppression may keep the other one.
    """

    mean_px: float
    oks: float
    unmatched: float


# Limits on the change of the poses themselves, which needs no labels; the loss of AP that they allow was not measured.
REDUCED = {
    "fp16": ReducedTolerance(0.5, 0.995, 0.05),
    "bf16": ReducedTolerance(0.5, 0.98, 0.05),
    "int8": ReducedTolerance(1.0, 0.95, 0.1),
}


@dataclass
class Difference:
    """Figures of one comparison.

    Attributes:
        compared: number of keypoints (boxes for detectors, candidates for bottom-up models) with a reference score above
            `SCORE_FLOOR`.
        unmatched: number of boxes that only one of the two found.
        max_px, mean_px: distance of those keypoints (or box sides) in image pixels.
        max_score: largest difference of a score.
        max_output: largest difference of a network output, as a fraction of its largest value; None if rows need not correspond.
        oks: mean OKS of the poses with the framework's as the truth; None if the model finds none or its sigmas are unknown.
        note: further remark for the report.
    """

    compared: int = 0
    unmatched: int = 0
    max_px: float = 0.0
    mean_px: float = 0.0
    max_score: float = 0.0
    max_output: float | None = None
    oks: float | None = None
    note: str = ""

    @classmethod
    def of(cls, distance: np.ndarray, score: np.ndarray) -> Difference:
        """From distances in pixels and differences of scores; arrays of any length."""
        return cls(
            compared=len(distance),
            max_px=float(distance.max(initial=0)),
            mean_px=float(distance.mean()) if len(distance) else 0.0,
            max_score=float(score.max(initial=0)),
        )

"""Choices that formats of poses offer. Imports nothing heavy."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ppdet.core.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class FormatOptions:
    """Choices of the formats that have them.

    Attributes:
        threshold: keypoints below this score count as not found, in formats without scores (trc, c3d_csv).
        mm_per_pixel: scale of trc and c3d_csv; None writes pixels.
        fps: frames per second where results have no times.
        ranking: (N,) scores by which an evaluation ranks the people of a result (coco); None takes the mean keypoint scores.
    """

    threshold: float = 0.5
    mm_per_pixel: float | None = None
    fps: float = 30.0
    ranking: Callable[[Any], np.ndarray] | None = None

    def __post_init__(self) -> None:
        if self.mm_per_pixel is not None and not 0 < self.mm_per_pixel < float("inf"):
            raise ConfigError(f"mm_per_pixel is {self.mm_per_pixel}: give a positive number of millimetres per pixel")
        if not 0 < self.fps < float("inf"):
            raise ConfigError(f"fps is {self.fps}: give a positive number of frames per second")

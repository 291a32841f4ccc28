"""The tracker that a network brings for its own boxes, used instead of `PersonTracker`.

Legend: N boxes of this frame, T people in sight, D length of an appearance embedding (a look).
"""
from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Optional, Protocol

import numpy as np


class Followed(NamedTuple):
    """People in sight: identities (T,) int64, boxes (T, 4) xyxy, scores (T,)."""

    identities: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray


class Follower(Protocol):
    """Gives boxes identities before poses are estimated.

    Attributes:
        persons: identities so far.
    """

    @property
    def persons(self) -> int:
        """See above."""

    @property
    def identities(self) -> set[int]:
        """Identities that are in sight or may come back."""

    def follow(
        self, boxes_xyxy: np.ndarray, scores: np.ndarray, looks: np.ndarray | None = None, seconds: float | None = None
    ) -> Followed:
        """The people in sight in the next frame, from its (N, 4) boxes, (N,) scores and (N, D) looks."""

    def cut(self) -> None:
        """End all identities: the next frame shows another scene."""


#: `StreamTracker.follow`: the people in sight, from boxes, scores, looks and a time in milliseconds.
Follow = Callable[[np.ndarray, np.ndarray, Optional[np.ndarray], Optional[float]], Followed]

"""What a format needs of a result; `ppdet.inference.results.PoseResult` has it.

Formats know results by this protocol only, since results know the formats in which they can be saved.

Legend: N people, K keypoints.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from ppdet.inference.person import Person
from ppdet.skeletons import Skeleton


class Poses(Protocol):
    """People of one image or frame. The attributes are those of `PoseResult`."""

    @property
    def boxes(self) -> np.ndarray:
        """(N, 4) xyxy, image pixels."""

    @property
    def box_scores(self) -> np.ndarray:
        """(N,)."""

    @property
    def keypoints(self) -> np.ndarray:
        """(N, K, 2) image pixels."""

    @property
    def scores(self) -> np.ndarray:
        """(N, K)."""

    @property
    def person_scores(self) -> np.ndarray:
        """(N,) mean of each person's keypoint scores."""

    @property
    def skeleton(self) -> Skeleton:
        """Names of the keypoints."""

    @property
    def image_wh(self) -> tuple[int, int]:
        """Size of the image."""

    @property
    def path(self) -> str | None:
        """File of the image, or None."""

    @property
    def frame_id(self) -> int | None:
        """Number of the frame in its video from 1 on, or None."""

    @property
    def timestamp_ms(self) -> float | None:
        """Time of the frame in its video, or None."""

    @property
    def track_ids(self) -> np.ndarray | None:
        """(N,) identities, or None."""

    @property
    def filled(self) -> np.ndarray | None:
        """(N,) bool: filled in between two frames, or None."""

    def __len__(self) -> int:
        """Number of people."""

    def __iter__(self) -> Iterator[Person]:
        """The people."""

    def __getitem__(self, key: int) -> Person:
        """One person."""

    def to_dict(self) -> dict[str, Any]:
        """Plain content with names."""


def identities(poses: Poses) -> list[int]:
    """An identity per person: that of the tracker, otherwise their number in the image, from 1 on."""
    if poses.track_ids is not None:
        return [int(each) for each in poses.track_ids]
    return list(range(1, len(poses) + 1))

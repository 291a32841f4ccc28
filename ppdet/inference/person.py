"""One person of a result.

Legend: K keypoints.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ppdet.core.errors import DataError


class Keypoint(NamedTuple):
    """A keypoint: image pixels, and its score (the height of the heatmap's peak)."""

    x: float
    y: float
    score: float


@dataclass(frozen=True, eq=False)
class Person:
    """One person of a `PoseResult`.

    Attributes:
        box: (4,) float32 x1, y1, x2, y2, image pixels.
        box_score: the detector's score of the box.
        score: mean score of the keypoints (PaddleDetection's person score).
        keypoints: by name, in the skeleton's order.
        id: identity that lasts through a video, or None.
        filled: not found in this frame of a recorded video but filled in between two others.
        zones: names of the zones the person is in; None without zones.
    """

    box: np.ndarray
    box_score: float
    score: float
    keypoints: dict[str, Keypoint]
    id: int | None = None  # noqa: A003
    filled: bool = False
    zones: tuple[str, ...] | None = None

    def __getitem__(self, name: str) -> Keypoint:
        """The keypoint of that name, as in person["left_wrist"].

        Raises:
            DataError: the skeleton has no such keypoint; the message lists them.
        """
        if name not in self.keypoints:
            raise unknown_keypoint(name, self.keypoints)
        return self.keypoints[name]

    def __iter__(self) -> Iterator[Keypoint]:
        return iter(self.keypoints.values())

    @property
    def xy(self) -> np.ndarray:
        """(K, 2) float32 image pixels."""
        return np.array([each[:2] for each in self], np.float32).reshape(-1, 2)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: box, box_score, score, keypoints by name as [x, y, score]; id, zones and filled if there are any."""
        content: dict[str, Any] = {
            "box": rounded(self.box), "box_score": round(self.box_score, 5), "score": round(self.score, 5),
            "keypoints": dict(zip(self.keypoints, rounded(list(self.keypoints.values())))),
        }  # fmt: skip
        if self.id is not None:
            content["id"] = self.id
        if self.filled:
            content["filled"] = True
        return content if self.zones is None else {**content, "zones": list(self.zones)}


def unknown_keypoint(name: object, names: Any) -> DataError:
    """The error for a keypoint name that the skeleton does not have."""
    return DataError(f"there is no keypoint {name!r}; this skeleton has {', '.join(names)}")


def rounded(values: Any, digits: int = 4) -> list[Any]:
    """Rounded values for JSON, of an array of any shape as nested lists; four decimals are far below the accuracy of any pose."""
    return list(np.round(np.asarray(values, np.float64), digits).tolist())

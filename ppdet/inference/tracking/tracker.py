"""Tracks people from frame to frame.

Legend: N people of this frame, T tracks, K keypoints.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppdet.geometry.boxes import iou_matrix
from ppdet.geometry.oks import oks_matrix


@dataclass
class Track:
    """A person's last known position.

    Attributes:
        identity: number that is never given again.
        box: (4,) xyxy.
        keypoints: (K, 2).
        missed: frames since the person was last seen.
    """

    identity: int
    box: np.ndarray
    keypoints: np.ndarray
    missed: int = 0


class PersonTracker:
    """Greedy association by the mean of box IoU and OKS, best pair first.

    Meant for per-person smoothing and labels, not for long occlusions.

    Args:
        sigmas: (K,) of the skeleton.
        min_similarity: pairs below this are different people.
        max_missed: a track that was missed in more frames than this ends; a person who reappears later gets a new identity.
    """

    def __init__(self, sigmas: np.ndarray, min_similarity: float = 0.2, max_missed: int = 10) -> None:
        self.sigmas = np.asarray(sigmas, np.float64)
        self.min_similarity = min_similarity
        self.max_missed = max_missed
        self.tracks: list[Track] = []
        self._next_identity = 1

    def update(self, boxes: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
        """Associate the people of the next frame.

        Args:
            boxes: (N, 4) xyxy.
            keypoints: (N, K, 2).

        Returns:
            (N,) int64 identities.
        """
        identities = np.zeros(len(boxes), np.int64)
        for track in self.tracks:
            track.missed += 1
        for row, column in self._pairs(boxes, keypoints):
            track = self.tracks[column]
            track.box, track.keypoints, track.missed = boxes[row], keypoints[row], 0
            identities[row] = track.identity
        for row in np.flatnonzero(identities == 0).tolist():
            identities[row] = self._next_identity
            self.tracks.append(Track(self._next_identity, boxes[row], keypoints[row]))
            self._next_identity += 1
        self.tracks = [track for track in self.tracks if track.missed <= self.max_missed]
        return identities

    @property
    def identities(self) -> set[int]:
        """Identities of the current tracks."""
        return {track.identity for track in self.tracks}

    def _pairs(self, boxes: np.ndarray, keypoints: np.ndarray) -> list[tuple[int, int]]:
        if len(boxes) == 0 or not self.tracks:
            return []
        old_boxes = np.stack([track.box for track in self.tracks])
        old_keypoints = np.stack([track.keypoints for track in self.tracks])
        similarity = (iou_matrix(boxes, old_boxes)
                      + oks_matrix(keypoints, box_area(boxes), old_keypoints, box_area(old_boxes), self.sigmas)) / 2
        pairs: list[tuple[int, int]] = []
        while True:
            row, column = np.unravel_index(np.argmax(similarity), similarity.shape)
            if similarity[row, column] < self.min_similarity:
                return pairs
            pairs.append((int(row), int(column)))
            similarity[row, :] = -1.0
            similarity[:, column] = -1.0


def box_area(boxes: np.ndarray) -> np.ndarray:
    """(N,) areas in pixels, at least one."""
    return np.maximum(np.prod(np.asarray(boxes, np.float64)[:, 2:] - np.asarray(boxes, np.float64)[:, :2], axis=1), 1.0)

"""A figure for how much poses jitter.

Legend: N people of a frame, K keypoints.
"""
from __future__ import annotations

import math

import numpy as np

# Keypoints below this score are guesses, whose jumps say nothing about smoothing.
VISIBLE_SCORE = 0.2


class Jitter:
    """Mean acceleration of keypoints in box sizes per second squared, over all people and frames.

    Noise of one frame to the next shows in the second difference as six times its variance, while people's own motion hardly
    does. A box size is the longer side, so that near and far people count alike.

    Args:
        fps: frames per second.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps if math.isfinite(fps) and fps > 0 else 30.0
        self._frames: list[tuple[dict[int, int], np.ndarray, np.ndarray]] = []
        self._sum = 0.0
        self._count = 0

    def add(self, identities: np.ndarray, keypoints: np.ndarray, scores: np.ndarray, boxes: np.ndarray) -> None:
        """Take in the next frame.

        Args:
            identities: (N,).
            keypoints: (N, K, 2) pixels.
            scores: (N, K).
            boxes: (N, 4) xyxy.
        """
        rows = {identity: row for row, identity in enumerate(identities.tolist())}
        points, seen = np.asarray(keypoints, np.float64), np.asarray(scores) >= VISIBLE_SCORE
        if len(self._frames) == 2:
            (rows_a, points_a, seen_a), (rows_b, points_b, seen_b) = self._frames
            common = [(rows_a[each], rows_b[each], row) for each, row in rows.items() if each in rows_a and each in rows_b]
            if common:
                a, b, c = np.array(common).T
                change = np.linalg.norm(points_a[a] - 2 * points_b[b] + points[c], axis=2)
                size = np.maximum((boxes[c, 2:] - boxes[c, :2]).max(axis=1), 1.0)
                valid = seen_a[a] & seen_b[b] & seen[c]
                self._sum += float(((change / size[:, None]) * valid).sum())
                self._count += int(valid.sum())
        self._frames = [*self._frames[-1:], (rows, points, seen)]

    @property
    def value(self) -> float | None:
        """Mean acceleration so far in box sizes per second squared; None if nobody was seen in three frames in a row."""
        return self._sum / self._count * self.fps**2 if self._count else None

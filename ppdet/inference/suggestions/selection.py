"""Chooses frames with high scores that differ from each other.

Legend: F frames.
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

THUMBNAIL = 16
PAIRS = 2000


@dataclass(frozen=True)
class Look:
    """What a frame looks like, to tell it from others.

    Attributes:
        thumbnail: (256,) brightness, 0 to 1.
        pose: (2 K,) keypoints of one person as parts of the image's sides; middle of the image if there is nobody.
    """

    thumbnail: np.ndarray
    pose: np.ndarray


def look_of(image: np.ndarray, keypoints: np.ndarray) -> Look:
    """Describe a frame.

    Args:
        image: (H, W, 3) RGB uint8.
        keypoints: (N, K, 2) image pixels; the first person counts.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    size = np.array([image.shape[1], image.shape[0]], np.float64)
    pose = np.full(keypoints.shape[1:], 0.5) if not len(keypoints) else np.clip(keypoints[0] / size, 0, 1)
    return Look(small.ravel(), pose.ravel())


def choose(scores: np.ndarray, looks: list[Look], count: int, seed: int = 0) -> list[int]:
    """Rows of the chosen frames, best first.

    One after the other: the frame with the highest product of its score and its distance from those chosen before, where 1 is the
    distance of two usual frames, and farther than that does not count. Neighbouring frames of a video are much nearer, so they
    are not chosen together as long as others have scores worth mentioning. Frames that look exactly like a chosen one are left
    out.

    Args:
        scores: (F,) not negative.
        looks: F frames.
        count: wanted number.
        seed: of the pairs that tell the usual distance.
    """
    if not len(scores):
        return []
    parts = [np.stack([look.thumbnail for look in looks]), np.stack([look.pose for look in looks])]
    usual = [_usual_distance(part, seed) for part in parts]
    nearest = np.full(len(scores), 1.0)
    worth = np.asarray(scores, np.float64) + 1e-9  # frames without disagreement come last, but they do come
    chosen: list[int] = []
    while len(chosen) < min(count, len(scores)):
        gain = worth * nearest
        gain[chosen] = -1.0
        row = int(gain.argmax())
        if gain[row] <= 0:
            break
        chosen.append(row)
        apart = [np.sqrt(np.mean((part - part[row]) ** 2, axis=1)) / scale for part, scale in zip(parts, usual)]
        nearest = np.minimum(nearest, np.maximum(*apart))
    return chosen


def _usual_distance(part: np.ndarray, seed: int) -> float:
    """Median distance of two frames."""
    rows = np.random.default_rng(seed).integers(0, len(part), (2, PAIRS))
    rows = rows[:, rows[0] != rows[1]]
    if not rows.size:
        return 1.0
    apart = np.sqrt(np.mean((part[rows[0]] - part[rows[1]]) ** 2, axis=1))
    return max(float(np.median(apart)), 1e-9)

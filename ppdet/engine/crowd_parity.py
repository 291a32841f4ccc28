"""How far an engine is from the framework on whole images: people are paired first, then their keypoints compared.

Legend: P people, K keypoints, M candidates, B batch.
"""

from __future__ import annotations

from typing import Any, Sequence

import cv2
import numpy as np

from ppdet.inference.bottomup import CrowdResult

SAMPLES = 6
TINY = 48  # pixels; an image smaller than the network's smallest step
FAR = 10.0  # pixels between poses that are not of one person


def crowd_samples(samples: Sequence[tuple[np.ndarray, Any]]) -> list[tuple[np.ndarray, Any]]:
    """Images of many shapes, since a bottom-up graph takes any: every fourth is cut to a tall strip, every fourth to a wide one,
    every fourth made tiny. At most `SAMPLES`: the network is large.

    Args:
        samples: (image, boxes) pairs.
    """
    changed = []
    for row, (image, boxes) in enumerate(samples[:SAMPLES]):
        height, width = image.shape[:2]
        if row % 4 == 1:
            image = image[:, width // 4 : width // 4 + max(height // 2, 1)]
        elif row % 4 == 2:
            image = image[height // 4 : height // 4 + max(width // 3, 1)]
        elif row % 4 == 3:
            image = cv2.resize(image, (TINY, max(TINY * height // width, 1)), interpolation=cv2.INTER_AREA)
        changed.append((np.ascontiguousarray(image), boxes))
    return changed


def steady_outputs(outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Of a graph's candidates what changes little when the maps do: the best heat of each joint and of each cell.

    Which of two equal pixels comes first, and whether it is the thirtieth or the thirty-first, depends on the last bit.

    Args:
        outputs: in the order of `Candidates`, B in front.

    Returns:
        one array (values, 1, 1).
    """
    heat = [outputs[0][..., 0].ravel(), *(each.ravel() for each in outputs[4:5])]
    return [np.concatenate(heat).reshape(-1, 1, 1)]


def compare_crowds(
    reference: Sequence[CrowdResult], found: Sequence[CrowdResult], floor: float, tolerance: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Compare the people of the same images.

    Args:
        reference: the framework's.
        found: the engine's.
        floor: keypoints with a score above this count.
        tolerance: of scores; a person only the engine found counts from `floor` plus this on.

    Returns:
        distances in pixels and differences of scores of those keypoints, and the number of people with such keypoints whom only
        one of the two has found.
    """
    distances, differences, unmatched = [np.zeros(0)], [np.zeros(0)], 0
    for ours, theirs in zip(reference, found):
        free = set(range(len(theirs.scores)))
        for row in np.flatnonzero((ours.scores > floor).any(axis=1)):
            sure = ours.scores[row] > floor
            apart = {other: _apart(ours, theirs, row, other, sure) for other in free}
            best = min(apart, key=lambda other: float(apart[other].mean()), default=None)
            if best is None or float(np.median(apart[best])) > FAR:
                unmatched += 1
                continue
            free.remove(best)
            distances.append(apart[best])
            differences.append(np.abs(ours.scores[row] - theirs.scores[best])[sure])
        unmatched += sum(bool((theirs.scores[other] > floor + tolerance).any()) for other in free)
    return np.concatenate(distances), np.concatenate(differences), unmatched


def _apart(ours: CrowdResult, theirs: CrowdResult, row: int, other: int, sure: np.ndarray) -> np.ndarray:
    return np.linalg.norm(ours.keypoints[row] - theirs.keypoints[other], axis=1)[sure]

"""How far an engine is from the framework on whole images: by the candidates of its graph, and by the people made of them.

Legend: N candidates that count, K keypoints, M candidates per keypoint, B batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence

import cv2
import numpy as np

from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.engine.tasks.difference import SCORE_FLOOR, TOLERANCE_PX, Difference
from ppdet.inference.estimators.base import People
from ppdet.inference.estimators.bottom_up import BottomUpEstimator

SAMPLES = 6
TINY = 48  # pixels; an image smaller than the network's smallest step
# Network pixels. A peak midway between two pixels, or with equal neighbours, moves by half a pixel along an axis with the last
# bit of the heat, in any engine. Few peaks do; more than this share would be a fault.
TIE, MOST_TIES = 0.75, 0.01


def bottom_up_samples(samples: Sequence[tuple[np.ndarray, Any]]) -> list[tuple[np.ndarray, Any]]:
    """Images of many shapes, since a bottom-up graph takes any: of each four, one is kept, one cut to a tall strip, one to a wide
    strip, and one made tiny. At most `SAMPLES`, because the network is large.

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


def stable_outputs(outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What changes little in a graph's candidates when the maps do: the best heat of each keypoint and of each cell.

    Which of two equal pixels comes first, and whether it is the thirtieth or the thirty-first, depends on the last bit.

    Args:
        outputs: in the order of `Candidates`, B in front.

    Returns:
        one array (values, 1, 1).
    """
    heat = [outputs[0][..., 0].ravel(), *(each.ravel() for each in outputs[4:5])]
    return [np.concatenate(heat).reshape(-1, 1, 1)]


class BottomUpPrediction(NamedTuple):
    """Of one image: the candidates, image pixels per network pixel, and the people made of the candidates."""

    candidates: Candidates
    pixel: float
    people: People


def predict_bottom_up(estimator: BottomUpEstimator, image: np.ndarray) -> BottomUpPrediction:
    """Run an estimator on an image and keep what it grouped."""
    candidates, frame = estimator.candidates(image)
    pixel = float(frame.size_wh[0, 0] / frame.input_wh[0])
    return BottomUpPrediction(candidates, pixel, estimator.group(candidates, frame))


def compare_candidates(ours: BottomUpPrediction, theirs: BottomUpPrediction, floor: float) -> np.ndarray:
    """The framework's confident candidates against the nearest ones of an engine.

    Args:
        ours: the framework's.
        theirs: the engine's, of the same image.
        floor: candidates with a score above this count.

    Returns:
        (N, 4) distance in image pixels (infinite where there is none), difference of scores, largest difference of tags, and
        distance in network pixels.
    """
    rows = [np.zeros((0, 4))]
    one, other = ours.candidates, theirs.candidates
    for joint, score in enumerate(one.score):
        sure = np.flatnonzero(score > floor)
        places, others = ((each.xy + each.offset)[joint] for each in (one, other))
        there = np.where(other.score[joint] > 0, 0.0, np.inf)
        apart = np.linalg.norm(places[sure][:, None] - others[None], axis=2) + there[None]
        nearest = apart.argmin(axis=1)
        tags = np.abs(one.tag[joint, sure] - other.tag[joint, nearest]).max(axis=1)
        heat = np.abs(score[sure] - other.score[joint, nearest])
        distance = apart[np.arange(len(sure)), nearest]
        rows.append(np.stack([distance * ours.pixel, heat, tags, distance], axis=1))
    return np.concatenate(rows)


def tied_peaks(rows: np.ndarray, tolerance_px: float) -> np.ndarray:
    """Which rows of `compare_candidates` differ only in the side to which a tied peak moved; none if there are many.

    Args:
        rows: (N, 4).
        tolerance_px: image pixels within which positions are the same.
    """
    even = (rows[:, 0] > tolerance_px) & (rows[:, 3] <= TIE)
    return even if even.sum() <= max(1, MOST_TIES * len(rows)) else np.zeros(len(rows), bool)


def regrouped(
    reference: Sequence[BottomUpPrediction], found: Sequence[BottomUpPrediction], floor: float, tolerance_px: float
) -> int:
    """Number of people whose keypoints differ with an engine, though its candidates may not.

    Matching rounds distances between tags. If these lie close together, as in a network that has learnt little, the last bit
    decides which keypoints are joined.

    Args:
        reference: the framework's.
        found: the engine's, of the same images.
        floor: keypoints with a score above this count.
        tolerance_px: image pixels within which keypoints are the same.
    """
    changed = 0
    for ours, theirs in zip((each.people for each in reference), (each.people for each in found)):
        for xy, scores in zip(ours.keypoints, ours.scores):
            apart = np.linalg.norm(xy[None] - theirs.keypoints, axis=2)[:, scores > floor].max(axis=1, initial=0.0)
            changed += bool((scores > floor).any()) and float(apart.min(initial=np.inf)) > tolerance_px
    return changed


def compare_predictions(reference: Sequence[BottomUpPrediction], found: Sequence[BottomUpPrediction]) -> Difference:
    """Figures of all images: confident candidates, apart from tied peaks, and their tags; regrouped people are noted."""
    rows = np.concatenate([compare_candidates(*pair, SCORE_FLOOR) for pair in zip(reference, found)])
    tied = tied_peaks(rows, TOLERANCE_PX)
    difference = Difference.of(rows[~tied, 0], rows[~tied, 1])
    largest = max(float(np.abs(each.candidates.tag).max(initial=0)) for each in reference)
    difference.max_output = float(rows[:, 2].max(initial=0)) / max(largest, 1e-30)
    if tied.any():
        difference.note += f"; left out: {int(tied.sum())} peaks midway between pixels, which the last bit moves"
    changed = regrouped(reference, found, SCORE_FLOOR, TOLERANCE_PX)
    if changed:
        difference.note += f"; {changed} people grouped otherwise: their tags lie so close that the last bit decides"
    return difference

"""Compares an engine with the framework on whole images: candidates of the graph, and the people grouped from them.

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
TINY = 48  # pixels per side; smaller than any network input
# A tied peak lies midway between two pixels, or has equal neighbours: the last bit of the heatmap moves it by half a network
# pixel along an axis, in any engine. Few peaks are tied; a larger fraction than this is an error.
TIE, MOST_TIES = 0.75, 0.01


def bottom_up_samples(samples: Sequence[tuple[np.ndarray, Any]]) -> list[tuple[np.ndarray, Any]]:
    """Images of various shapes, since a bottom-up graph takes any: of every four, one is unchanged, one a tall strip, one a
    wide strip, and one tiny. At most `SAMPLES`, because the network is large.

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
    """Values that change little when the maps change little: the highest heatmap value of each keypoint and of each cell.

    The order of candidates with equal values, and which of them is the last, depends on the last bit.

    Args:
        outputs: in the order of `Candidates`, B in front.

    Returns:
        one array (values, 1, 1).
    """
    heat = [outputs[0][..., 0].ravel(), *(each.ravel() for each in outputs[4:5])]
    return [np.concatenate(heat).reshape(-1, 1, 1)]


class BottomUpPrediction(NamedTuple):
    """Prediction on one image: the candidates, image pixels per network pixel, and the people grouped from the candidates."""

    candidates: Candidates
    pixel: float
    people: People


def predict_bottom_up(estimator: BottomUpEstimator, image: np.ndarray) -> BottomUpPrediction:
    """Run an estimator on an image and keep its candidates."""
    candidates, frame = estimator.candidates(image)
    pixel = float(frame.size_wh[0, 0] / frame.input_wh[0])
    return BottomUpPrediction(candidates, pixel, estimator.group(candidates, frame))


def compare_candidates(ours: BottomUpPrediction, theirs: BottomUpPrediction, floor: float) -> np.ndarray:
    """Compare the framework's confident candidates with the nearest ones of an engine.

    Args:
        ours: the framework's candidates.
        theirs: the engine's, of the same image.
        floor: only candidates with a higher score are compared.

    Returns:
        (N, 4) distance in image pixels (infinite without a counterpart), difference of scores, largest difference of tags, and
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
    """Mask of the rows of `compare_candidates` that differ only because a tied peak moved; empty if there are many.

    Args:
        rows: (N, 4).
        tolerance_px: image pixels within which positions are the same.
    """
    even = (rows[:, 0] > tolerance_px) & (rows[:, 3] <= TIE)
    return even if even.sum() <= max(1, MOST_TIES * len(rows)) else np.zeros(len(rows), bool)


def regrouped(
    reference: Sequence[BottomUpPrediction], found: Sequence[BottomUpPrediction], floor: float, tolerance_px: float
) -> int:
    """Number of people whose keypoints an engine groups differently, even if its candidates agree.

    Matching rounds distances between tags. If tags are close together, as in a network that has learnt little, the last bit
    decides which keypoints are grouped.

    Args:
        reference: the framework's predictions.
        found: the engine's, of the same images.
        floor: only keypoints with a higher score are compared.
        tolerance_px: image pixels within which keypoints are the same.
    """
    changed = 0
    for ours, theirs in zip((each.people for each in reference), (each.people for each in found)):
        for xy, scores in zip(ours.keypoints, ours.scores):
            apart = np.linalg.norm(xy[None] - theirs.keypoints, axis=2)[:, scores > floor].max(axis=1, initial=0.0)
            changed += bool((scores > floor).any()) and float(apart.min(initial=np.inf)) > tolerance_px
    return changed


def compare_predictions(reference: Sequence[BottomUpPrediction], found: Sequence[BottomUpPrediction]) -> Difference:
    """Figures over all images: confident candidates except tied peaks, and their tags; regrouped people are noted."""
    rows = np.concatenate([compare_candidates(*pair, SCORE_FLOOR) for pair in zip(reference, found)])
    tied = tied_peaks(rows, TOLERANCE_PX)
    difference = Difference.of(rows[~tied, 0], rows[~tied, 1])
    largest = max(float(np.abs(each.candidates.tag).max(initial=0)) for each in reference)
    difference.max_output = float(rows[:, 2].max(initial=0)) / max(largest, 1e-30)
    if tied.any():
        difference.note += f"; left out: {int(tied.sum())} peaks midway between pixels, whose position depends on the last bit"
    changed = regrouped(reference, found, SCORE_FLOOR, TOLERANCE_PX)
    if changed:
        difference.note += f"; {changed} people grouped differently: their tags are so close that the last bit decides"
    return difference

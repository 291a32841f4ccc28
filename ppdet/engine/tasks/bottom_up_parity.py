"""How far an engine is from the framework on whole images: by the candidates of its graph, and by the people these make.

Legend: N candidates that count, K keypoints, M candidates a keypoint, B batch.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence

import cv2
import numpy as np

from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.inference.estimators.bottom_up import BottomUpEstimator, BottomUpResult

SAMPLES = 6
TINY = 48  # pixels; an image smaller than the network's smallest step
# Network pixels. A peak midway between two pixels, or with equal neighbours, is moved by half a pixel more or less along an axis
# by the last bit of the heat, in any engine. Few peaks are; more than this share would be a fault.
TIE, MOST_TIES = 0.75, 0.01


def bottom_up_samples(samples: Sequence[tuple[np.ndarray, Any]]) -> list[tuple[np.ndarray, Any]]:
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


class BottomUpPrediction(NamedTuple):
    """Of one image: the candidates, image pixels a network pixel, and the people whom the candidates make."""

    candidates: Candidates
    pixel: float
    people: BottomUpResult


def predict_bottom_up(estimator: BottomUpEstimator, image: np.ndarray) -> BottomUpPrediction:
    """Run an estimator on an image and keep what it grouped."""
    candidates, frame = estimator.candidates(image)
    pixel = float(frame.size_wh[0, 0] / frame.input_wh[0])
    return BottomUpPrediction(candidates, pixel, estimator.group(candidates, frame))


def compare_candidates(ours: BottomUpPrediction, theirs: BottomUpPrediction, floor: float) -> np.ndarray:
    """The framework's sure candidates against the nearest ones of an engine.

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


def ties(rows: np.ndarray, tolerance_px: float) -> np.ndarray:
    """Which rows of `compare_candidates` differ in nothing but the side to which an even peak was moved; none if they are many.

    Args:
        rows: (N, 4).
        tolerance_px: image pixels within which places are the same.
    """
    even = (rows[:, 0] > tolerance_px) & (rows[:, 3] <= TIE)
    return even if even.sum() <= max(1, MOST_TIES * len(rows)) else np.zeros(len(rows), bool)


def regrouped(
    reference: Sequence[BottomUpPrediction], found: Sequence[BottomUpPrediction], floor: float, tolerance_px: float
) -> int:
    """Number of people whose keypoints are not the same with an engine, though its candidates may be.

    Matching rounds distances of tags, so that where these lie close together, as in a network that has learnt little, the last
    bit decides who is joined to whom.

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

"""Smooths the poses of a recorded video: with the whole of it known, there is no delay, and gaps can be filled.

Legend: F frames, K keypoints, C coordinates.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.core.extras import install_extra
from ppdet.inference.results import PoseResult

SAVGOL, BUTTERWORTH = "savgol", "butterworth"
RECORDED_FILTERS = (SAVGOL, BUTTERWORTH)
# Savitzky-Golay: a polynomial of this degree is fitted to this many seconds around each frame.
WINDOW_SECONDS, DEGREE = 0.3, 2
# Butterworth: order, and cut-off in Hz. Human movement lies below 6 Hz (Winter, Biomechanics and Motor Control of Human
# Movement).
ORDER, CUTOFF_HZ = 2, 6.0
# People and keypoints missing for at most this many seconds are filled in.
MAX_GAP_SECONDS = 0.25
VISIBLE_SCORE = 0.2


def smooth_recorded(
    results: Sequence[PoseResult], fps: float, method: str = SAVGOL, max_gap_seconds: float = MAX_GAP_SECONDS
) -> list[PoseResult]:
    """Results of consecutive frames with the keypoints of each identity smoothed over time.

    Somebody who is missing for some frames between two sightings is filled in on a straight line, with a score that is the lower
    of both ends, and marked in `PoseResult.filled`. Keypoints of low score are replaced in the same way, if neighbours in
    time are near enough; their scores remain. Longer gaps stay as they are, and nothing is smoothed across them.

    Args:
        results: every frame of a video in order, with `track_ids`, not smoothed before.
        fps: frames per second.
        method: "savgol" (Savitzky-Golay, keeps peaks of motion) or "butterworth" (low-pass, forwards and backwards).
        max_gap_seconds: longest gap that is filled; 0 fills none.

    Raises:
        ConfigError: an unknown method, or SciPy is not installed.
    """
    check_recorded_filter(method)
    frames: dict[int, list[tuple[int, int]]] = {}
    for frame, result in enumerate(results):
        for row, identity in enumerate([] if result.track_ids is None else result.track_ids.tolist()):
            frames.setdefault(identity, []).append((frame, row))
    most = int(round(max_gap_seconds * fps))
    keypoints = [np.array(result.keypoints) for result in results]
    added: dict[int, list[PoseResult]] = {}
    for places in frames.values():
        for piece in _pieces(places, most):
            _smooth_piece(results, piece, keypoints, added, (fps, method, most))
    smoothed = [replace(result, keypoints=points) for result, points in zip(results, keypoints)]
    return [_joined(result, added.get(frame, [])) for frame, result in enumerate(smoothed)]


def check_recorded_filter(method: str) -> None:
    """Refuse a filter that is unknown or cannot run here.

    Raises:
        ConfigError: see `smooth_recorded`.
    """
    if method not in RECORDED_FILTERS:
        raise ConfigError(f"a recorded video cannot be smoothed by {method!r}: give {' or '.join(RECORDED_FILTERS)}")
    if find_spec("scipy") is None:
        raise ConfigError(f"smoothing by {method} needs SciPy, which is not installed here: pip install scipy, or "
                          f"{install_extra('tracking')}; OneEuro and EMA need no package")


def low_passed(values: np.ndarray, fps: float, method: str) -> np.ndarray:
    """(F, C) series without components faster than people move, and without delay.

    Args:
        values: (F, C), one row per frame.
        fps: frames per second. Below twice the cut-off (12) a Butterworth filter has nothing to remove.
        method: "savgol" or "butterworth".
    """
    from scipy import signal  # here, because it takes .4 s to import and few runs need it

    if method == SAVGOL:
        window = min(round(WINDOW_SECONDS * fps) | 1, (len(values) - 1) | 1)
        window -= 2 * (window > len(values))
        return signal.savgol_filter(values, window, DEGREE, axis=0) if window > DEGREE else values
    padding = 3 * (ORDER + 1)
    if fps <= 2.2 * CUTOFF_HZ or len(values) <= padding:
        return values
    numerator, denominator = signal.butter(ORDER, CUTOFF_HZ, fs=fps)
    return signal.filtfilt(numerator, denominator, values, axis=0, padlen=padding)


def _pieces(places: list[tuple[int, int]], most: int) -> list[list[tuple[int, int]]]:
    """Sightings of one person, split where more than `most` frames are missing."""
    pieces = [places[:1]]
    for place in places[1:]:
        if place[0] - pieces[-1][-1][0] - 1 > most:
            pieces.append([])
        pieces[-1].append(place)
    return pieces


def _smooth_piece(
    results: Sequence[PoseResult],
    piece: list[tuple[int, int]],
    keypoints: list[np.ndarray],
    added: dict[int, list[PoseResult]],
    how: tuple[float, str, int],
) -> None:
    """Smooth one person between two long gaps: writes into `keypoints`, and puts the frames filled in into `added`."""
    fps, method, most = how
    seen = np.array([frame for frame, _ in piece])
    every = np.arange(seen[0], seen[-1] + 1)
    points = np.stack([results[frame].keypoints[row] for frame, row in piece]).astype(np.float64)
    scores = np.stack([results[frame].scores[row] for frame, row in piece])
    boxes = np.stack([results[frame].boxes[row] for frame, row in piece])
    whole = np.stack([_smooth_keypoint(seen, points[:, k], scores[:, k] >= VISIBLE_SCORE, fps, method, most)
                      for k in range(points.shape[1])], axis=1)  # fmt: skip
    for frame, row in piece:
        keypoints[frame][row] = whole[frame - every[0]]
    for frame in np.setdiff1d(every, seen).tolist():
        after = int(np.searchsorted(seen, frame))
        ends = piece[after - 1], piece[after]
        share = (frame - seen[after - 1]) / (seen[after] - seen[after - 1])
        box = (1 - share) * boxes[after - 1] + share * boxes[after]
        box_score = min(float(results[place].box_scores[row]) for place, row in ends)
        first, row = ends[0]
        of_one = results[first].of(np.array([row]))
        added.setdefault(frame, []).append(
            replace(of_one, boxes=box[None].astype(np.float32), box_scores=np.array([box_score], np.float32),
                    keypoints=whole[frame - every[0]][None].astype(np.float32),
                    scores=scores[after - 1:after + 1].min(axis=0)[None])
        )


def _smooth_keypoint(
    seen: np.ndarray, xy: np.ndarray, visible: np.ndarray, fps: float, method: str, most: int
) -> np.ndarray:
    """(F, 2) of every frame from the first to the last sighting; only runs of visible sightings are smoothed."""
    every = np.arange(seen[0], seen[-1] + 1)
    whole = np.stack([np.interp(every, seen, xy[:, side]) for side in (0, 1)], axis=1)
    sure = seen[visible]
    if not len(sure):
        return whole
    for run in np.split(sure, np.flatnonzero(np.diff(sure) - 1 > most) + 1):
        inside = np.arange(run[0], run[-1] + 1)
        rows = np.searchsorted(seen, run)
        values = np.stack([np.interp(inside, run, xy[rows, side]) for side in (0, 1)], axis=1)
        whole[inside - every[0]] = low_passed(values, fps, method)
    return whole


def _joined(result: PoseResult, extra: list[PoseResult]) -> PoseResult:
    """The result with the people filled in, who come last."""
    filled = np.concatenate([np.zeros(len(result), bool), np.ones(len(extra), bool)])
    if not extra:
        return replace(result, filled=filled)

    def joined(name: str) -> np.ndarray:
        arrays = [getattr(each, name) for each in (result, *extra)]
        return np.concatenate([array for array in arrays if array is not None])  # nobody: a frame that did not decode has no ids

    view = result.zones
    if view is not None:
        places = [each.zones.inside for each in extra if each.zones is not None]
        view = replace(view, inside=np.concatenate([view.inside, *places]))
    return replace(result, zones=view, boxes=joined("boxes"), box_scores=joined("box_scores"), keypoints=joined("keypoints"),
                   scores=joined("scores"), track_ids=joined("track_ids"), filled=filled)

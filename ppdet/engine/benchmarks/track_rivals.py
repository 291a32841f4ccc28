"""Trackers that the tracker of this toolkit is measured against.

Legend: N boxes of a frame.
"""

from __future__ import annotations

import numpy as np

from ppdet.geometry.boxes import iou_matrix
from ppdet.inference.tracking.association import match
from ppdet.inference.tracking.jde.settings import BUFFER_FPS, JdeSettings
from ppdet.inference.tracking.jde.tracker import JdeTracker

Tracked = tuple[np.ndarray, np.ndarray]
"""(N,) identities and (N, 4) xyxy boxes."""


class PlainIou:
    """Each box takes the identity of the last box it overlaps most; no motion, no poses.

    Args:
        threshold: smallest score.
        least_iou: below it, boxes are of different people.
        memory: frames that an unmatched box is kept for.
    """

    def __init__(self, threshold: float = 0.5, least_iou: float = 0.3, memory: int = 30) -> None:
        self.threshold, self.least_iou, self.memory = threshold, least_iou, memory
        self._identities, self._missed, self._boxes = np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4))
        self._next = 1

    def update(self, boxes: np.ndarray, scores: np.ndarray) -> Tracked:
        """Identities of the next frame's boxes."""
        boxes = boxes[scores >= self.threshold]
        overlap = iou_matrix(boxes, self._boxes)
        rows, columns = match(overlap - self.least_iou, 0.0)
        identities = np.zeros(len(boxes), int)
        identities[rows] = self._identities[columns]
        self._missed += 1
        self._boxes[columns], self._missed[columns] = boxes[rows], 0
        new = np.flatnonzero(identities == 0)
        identities[new] = np.arange(self._next, self._next + len(new))
        self._next += len(new)
        keep = self._missed <= self.memory
        self._identities = np.concatenate([self._identities[keep], identities[new]])
        self._boxes = np.concatenate([self._boxes[keep], boxes[new]])
        self._missed = np.concatenate([self._missed[keep], np.zeros(len(new), int)])
        return identities, boxes


class PaddleDetByte:
    """PaddleDetection's ByteTrack (`JDETracker` with `use_byte`, without appearance), with its mistakes.

    Args:
        high, low: scores of the two rounds.
        match: largest 1 - IoU of the first round.
        max_time_lost: frames. PaddleDetection's deployment scripts run with 0, whatever `track_buffer` says.
    """

    def __init__(self, high: float = 0.6, low: float = 0.1, match: float = 0.9, max_time_lost: int = 0) -> None:
        settings = JdeSettings(use_byte=True, conf_thres=high, low_conf_thres=low, match_thres=match, track_buffer=max_time_lost,
                               paddledet_exact=True)  # fmt: skip
        self._tracker = JdeTracker(settings, BUFFER_FPS)

    def update(self, boxes: np.ndarray, scores: np.ndarray) -> Tracked:
        """Identities and filtered boxes of the next frame."""
        shown = self._tracker.update(boxes, scores)
        return shown.identities, shown.boxes

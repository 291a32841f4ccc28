"""People inside zones, and boxes of people outside, whom only a tracker needs."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ppdet.inference.results import PoseResult
from ppdet.inference.tracking.candidates import Boxes
from ppdet.inference.zones.view import ZoneView
from ppdet.inference.zones.zone import Zone, membership


def only_in_zones(result: PoseResult, zones: Sequence[Zone]) -> PoseResult:
    """The result of an image with the people inside any zone; all of them if there are no zones."""
    if not zones:
        return result
    view = ZoneView(tuple(zones), membership(zones, result.boxes, result.image_wh))
    return replace(result, zones=view).of(np.flatnonzero(view.inside.any(axis=1)))


def with_strangers(result: PoseResult, others: Boxes) -> PoseResult:
    """The result with people added who have a box and no pose: keypoints in the middle of the box, of score 0.

    Args:
        result: the people with poses.
        others: (M,) boxes.
    """
    boxes, scores = others.xyxy, others.scores
    if not len(boxes):
        return result
    count = result.keypoints.shape[1]
    middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    return replace(
        result,
        boxes=np.concatenate([result.boxes, boxes]),
        box_scores=np.concatenate([result.box_scores, scores]),
        keypoints=np.concatenate([result.keypoints, np.repeat(middle, count, axis=1)]).astype(np.float32),
        scores=np.concatenate([result.scores, np.zeros((len(boxes), count), np.float32)]),
        track_ids=None if result.track_ids is None else np.concatenate([result.track_ids, others.identities]),
    )

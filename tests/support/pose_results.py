"""Results with random people, for tests of files."""

from __future__ import annotations

import numpy as np

from ppdet.inference.results import PoseResult
from ppdet.skeletons import Skeleton, get_skeleton

WIDTH, HEIGHT = 640, 480


def random_result(people: int, seed: int = 0, skeleton: Skeleton | None = None, **changes: object) -> PoseResult:
    """A result with random boxes, keypoints and scores; `changes` are attributes of `PoseResult`."""
    skeleton = skeleton or get_skeleton("coco17")
    dice = np.random.default_rng(seed)
    xy = dice.uniform((0, 0), (WIDTH, HEIGHT), (people, skeleton.num_keypoints, 2)).astype(np.float32)
    low, high = (xy.min(1), xy.max(1)) if people else (np.zeros((0, 2)), np.zeros((0, 2)))
    boxes = np.concatenate([low, high], axis=1).astype(np.float32)
    scores = dice.uniform(0.05, 1, xy.shape[:2]).astype(np.float32)
    return PoseResult(boxes, dice.uniform(0.5, 1, people).astype(np.float32), xy, scores, skeleton, (WIDTH, HEIGHT), **changes)


def random_video(frames: int = 6, seed: int = 0, fps: float = 25.0, skeleton: Skeleton | None = None) -> list[PoseResult]:
    """Frames of a video: person 4 in every frame but the third, person 9 in the last ones; the third has nobody."""
    results = []
    for frame in range(1, frames + 1):
        ids = [] if frame == 3 else [4] if frame <= frames // 2 else [4, 9]
        results.append(random_result(len(ids), seed + frame, skeleton, frame_id=frame, timestamp_ms=(frame - 1) * 1000.0 / fps,
                                     track_ids=np.array(ids, int)))
    return results

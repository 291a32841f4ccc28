"""Identities on synthetic scenes, tracker beside tracker, and the time that tracking and smoothing take."""

from __future__ import annotations

import statistics
import time
from typing import Callable, Iterable, Iterator, Optional

from ppdet.core.errors import ConfigError
from ppdet.engine.benchmarks.track_rivals import PaddleDetByte, PlainIou, Tracked
from ppdet.engine.benchmarks.track_scenes import FPS, HEIGHT, SCENES, WIDTH, Scene, SeenFrame, crowd, frames_of
from ppdet.inference.tracking.identity import IdentityScore, identity_score
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.tracking.smoothing import PoseSmoother
from ppdet.inference.tracking.tracker import NOBODY, PersonTracker
from ppdet.skeletons import get_skeleton

HEADER = ["scene", "people", "plain IoU: IDF1", "switches", "PaddleDetection: IDF1", "switches", "ppdet: IDF1", "switches"]
TIME_HEADER = ["people", "tracker ms", "tracker and One-Euro ms"]
#: The thresholds that each is used with: the detector's .5 here, PaddleDetection's tracker_config.yml there.
SETTINGS = TrackerSettings(high_score=0.5)


def track_rows(scenes: Optional[Iterable[Scene]] = None, seeds: int = 3) -> Iterator[list[str]]:
    """Rows of IDF1 (mean over the seeds) and identity switches (sum), one per scene.

    Args:
        scenes: None takes all.
        seeds: each scene is played so often, with other random numbers.
    """
    if seeds < 1:
        raise ConfigError(f"{seeds} runs of a scene show nothing: give 1 or more")
    for scene in SCENES if scenes is None else scenes:
        cells, people = [], 0
        played = [frames_of(Scene(**{**vars(scene), "seed": seed})) for seed in range(seeds)]
        for make in (_plain, _paddledet, _ours):
            scores = [_score(frames, make()) for frames in played]
            people = sum(score.people for score in scores)
            cells += [f"{statistics.mean(score.idf1 for score in scores):.3f}", str(sum(score.switches for score in scores))]
        yield [scene.name, str(people), *cells]


def time_rows(people: Iterable[int]) -> Iterator[list[str]]:
    """Rows of median milliseconds per frame for crowds; this thread's processor time.

    Raises:
        ConfigError: crowds of nobody.
    """
    people = list(people)
    if min(people) < 1:
        raise ConfigError(f"crowds of {people} people cannot be timed: give numbers from 1 on")
    for count in people:
        frames, sigmas = crowd(count), get_skeleton("coco17").sigmas
        tracker, smoother = PersonTracker(sigmas, SETTINGS, FPS), PoseSmoother(fps=FPS)
        tracked, both = [], []
        for frame in frames:
            start = time.thread_time()
            ids = tracker.update(frame.boxes, frame.keypoints, frame.scores, frame.keypoint_scores, frame.seconds)
            tracked.append(time.thread_time() - start)
            rows = ids != NOBODY
            smoother.smooth(frame.keypoints[rows], frame.keypoint_scores[rows], ids[rows], frame.boxes[rows], frame.seconds)
            smoother.keep_only(tracker.identities)
            both.append(time.thread_time() - start)
        yield [str(count), f"{1e3 * statistics.median(tracked):.2f}", f"{1e3 * statistics.median(both):.2f}"]


def _score(frames: list[SeenFrame], update: Callable[[SeenFrame], Tracked]) -> IdentityScore:
    return identity_score([(frame.true_ids, frame.true_boxes) for frame in frames], [update(frame) for frame in frames])


def _plain() -> Callable[[SeenFrame], Tracked]:
    tracker = PlainIou()
    return lambda frame: tracker.update(frame.boxes, frame.scores)


def _paddledet() -> Callable[[SeenFrame], Tracked]:
    tracker = PaddleDetByte()
    return lambda frame: tracker.update(frame.boxes, frame.scores)


def _ours() -> Callable[[SeenFrame], Tracked]:
    tracker = PersonTracker(get_skeleton("coco17").sigmas, SETTINGS, FPS)

    def update(frame: SeenFrame) -> Tracked:
        size = int(WIDTH), int(HEIGHT)
        ids = tracker.update(frame.boxes, frame.keypoints, frame.scores, frame.keypoint_scores, frame.seconds, size)
        return ids[ids != NOBODY], frame.boxes[ids != NOBODY]

    return update



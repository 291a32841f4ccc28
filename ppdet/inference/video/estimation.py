"""Frames of a video with their results.

Decoding runs ahead in a thread. Frames of a file are processed by several workers, those of a camera one after the other as
they come; people are tracked and smoothed in the caller's thread, in order.
"""
from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from ppdet.core.logger import get_logger
from ppdet.inference.divided_poses import DividedPoses
from ppdet.inference.people_finder import Found, Look, PeopleFinder
from ppdet.inference.progress import Progress
from ppdet.inference.redetection.every_other import LEAST_FPS, StreamFinder
from ppdet.inference.results import PoseResult
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.tracking.candidates import Candidates
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.tracking.stream import StreamTracker
from ppdet.inference.video.ahead import looks_ahead
from ppdet.inference.video.background import BackgroundSource
from ppdet.inference.video.reader import Frame, VideoReader
from ppdet.skeletons import Skeleton

# Frames of a camera that have waited longer than this are dropped when the queue is full.
LATEST_SECONDS = 0.25
# A frame is in the middle of its neighbours if the first takes this share of the time between them, at most its complement.
LEAST_SHARE = 0.3


class FrameEstimator(Protocol):
    """The part of `PosePipeline` that videos use."""

    timer: StageTimer
    workers: int

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton of the results."""

    @property
    def finder(self) -> PeopleFinder:
        """Finds people in single frames."""

    def for_recordings(self) -> FrameEstimator:
        """The same, for recorded videos: its engines may divide the threads in another way."""

    def interval_finder(self, fps: float, is_recorded: bool = False) -> StreamFinder | None:
        """Finds people if the detector skips frames; None if it runs on every frame. The next frame of recordings is known."""

    def result(
        self,
        found: Found,
        image_wh: tuple[int, int],
        path: str | None = None,
        frame_id: int | None = None,
        timestamp_ms: float | None = None,
        is_tracked: bool = False,
    ) -> PoseResult:
        """The result of a frame in which people were found."""

    def stream_tracker(
        self, filter_type: str | None = None, fps: float = 30.0, settings: TrackerSettings | None = None
    ) -> StreamTracker:
        """A tracker for one video."""

    def nobody(self, image_wh: tuple[int, int], frame_id: int | None = None) -> PoseResult:
        """The result of a frame that could not be decoded."""


def video_results(
    pipeline: FrameEstimator,
    source: str | Path | int | VideoReader,
    filter_type: str | None = None,
    keep_frames: bool = False,
    tracking: TrackerSettings | StreamTracker | None = None,
) -> Generator[tuple[Frame, PoseResult], None, None]:
    """Frames of a video with their results: identities, and smoothed keypoints if wanted.

    Args:
        pipeline: finds the people of single frames.
        source: path, URL, number of a camera, or an open reader.
        filter_type: "OneEuro" or "EMA" to smooth each person's keypoints over time; None for no smoothing.
        keep_frames: keep each frame in its result, as `image`.
        tracking: settings of the tracker, or the tracker itself; None takes the defaults.

    Raises:
        MediaError: the source does not open, or none of its frames decodes.
    """
    reader = source if isinstance(source, VideoReader) else VideoReader(source)
    pipeline = pipeline if reader.is_live else pipeline.for_recordings()
    tracker = tracking if isinstance(tracking, StreamTracker) else pipeline.stream_tracker(filter_type, reader.fps, tracking)
    interval = pipeline.interval_finder(reader.fps, not reader.is_live)
    frames = BackgroundSource(_timed(reader, pipeline.timer), latest_seconds=LATEST_SECONDS if reader.is_live else None)
    follow = tracker.follow if tracker.follows_boxes else None
    pose = DividedPoses(pipeline.finder, pipeline.workers)
    looks = _looks(pipeline, frames, reader, tracker) if interval is None else _with_next(pipeline, frames, reader.is_live)
    try:
        for frame, look in looks:
            if frame.image is None:
                yield frame, pipeline.nobody(reader.size_wh, frame.index)
                continue
            with pipeline.timer.stage("track"):
                expected = tracker.begin(frame.image, frame.timestamp_ms)
            low_score = tracker.settings.low_score
            if interval is not None:
                assert not isinstance(look, Look)
                upcoming = None if look is None or tracker.ends_scene(look) else look
                found = interval.people(frame.image, tracker.is_cut, expected, low_score, upcoming)
            else:
                assert isinstance(look, Look), "every frame that decodes is looked at"
                found = pipeline.finder.people(look, Candidates(expected, low_score, follow, frame.timestamp_ms), pose)
            size = (frame.image.shape[1], frame.image.shape[0])
            result = pipeline.result(found, size, None, frame.index, frame.timestamp_ms, True)
            with pipeline.timer.stage("track"):
                result = tracker.update(result)
            if interval is not None:
                interval.follow(tracker.kept[: len(found.people.boxes)])
            yield frame, replace(result, image=frame.image) if keep_frames else result
    finally:
        looks.close()
        frames.close()
        reader.close()
        pose.close()
        if interval is not None:
            interval.close()
        if frames.dropped:
            get_logger(__name__).warning("%s is faster than this machine: %d frames that had waited too long were dropped",
                                         reader.name, frames.dropped)


def _with_next(
    pipeline: FrameEstimator, frames: Iterable[Frame], is_live: bool
) -> Generator[tuple[Frame, np.ndarray | None], None, None]:
    """Frames in order, each with the pixels of the next one if it is in their middle, else None; of a live source at once."""
    pipeline.finder.estimator.tune()
    before: Frame | None = None
    last: Frame | None = None
    for frame in frames:
        if is_live:
            yield frame, None
        elif last is not None:
            yield last, frame.image if before is not None and is_middle(before, last, frame) else None
        before, last = last, frame
    if last is not None and not is_live:
        yield last, None


def is_middle(before: Frame, frame: Frame, after: Frame) -> bool:
    """Whether people of successive frames are about halfway in the middle one: all were decoded, and no time is missing."""
    if before.image is None or after.image is None:
        return False
    stamps = (each.timestamp_ms for each in (before, frame, after))
    first, middle, last = (math.nan if stamp is None else stamp for stamp in stamps)
    if not last > first:
        return True  # the stamps say nothing
    return last - first <= 2000.0 / LEAST_FPS and LEAST_SHARE <= (middle - first) / (last - first) <= 1.0 - LEAST_SHARE


def watch_again(
    pipeline: FrameEstimator, source: str | Path | int, tracker: StreamTracker, count: int
) -> set[int]:
    """Feed the frames of an earlier run to a tracker of boxes, so that people keep their identities.

    Args:
        pipeline: finds the people; no poses are estimated.
        source: of the frames.
        tracker: a new one.
        count: number of frames that the earlier run finished.

    Returns:
        The identities in the last of them.
    """
    present: set[int] = set()
    reader = VideoReader(source)
    progress = Progress(f"{reader.name}: identities so far", count)
    frames = BackgroundSource(_timed(reader, pipeline.timer))
    looks = _looks(pipeline.for_recordings(), frames, reader, tracker)
    try:
        for frame, look in looks:
            if frame.index > count:
                break
            present = set()
            if frame.image is not None and look is not None:
                tracker.begin(frame.image, frame.timestamp_ms)
                seen = tracker.follow(look.boxes, look.scores, look.appearance, frame.timestamp_ms)
                present = set(seen.identities.tolist())
            progress.step()
    finally:
        looks.close()
        frames.close()
        reader.close()
        progress.close()
    return present


def _looks(
    pipeline: FrameEstimator, frames: Iterable[Frame], reader: VideoReader, tracker: StreamTracker
) -> Generator[tuple[Frame, Look | None], None, None]:
    """Frames in order, each with what follows from it alone."""
    finder = pipeline.finder
    finder.estimator.tune()
    if finder.is_parallel and pipeline.workers and not reader.is_live:
        yield from looks_ahead(finder, frames, pipeline.workers, only_boxes=tracker.follows_boxes)
        return
    for frame in frames:
        yield frame, None if frame.image is None else finder.look([frame.image], [None])[0]


def open_results(
    pipeline: FrameEstimator,
    source: str | Path | int,
    filter_type: str | None = None,
    keep_frames: bool = False,
    tracking: TrackerSettings | None = None,
) -> Iterator[PoseResult]:
    """Results of a video, which is opened immediately: a bad file raises here, not during iteration."""
    pairs = video_results(pipeline, VideoReader(source), filter_type, keep_frames, tracking)
    return (result for _, result in pairs)


def _timed(reader: VideoReader, timer: StageTimer) -> Iterator[Frame]:
    start = time.perf_counter()
    for frame in reader:
        timer.add("decode", time.perf_counter() - start)
        yield frame
        start = time.perf_counter()

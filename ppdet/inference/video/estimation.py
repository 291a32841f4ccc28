"""Frames of a video with their results.

Decoding runs ahead in a thread. Frames of a file are looked at by several workers, those of a camera one after the other as they
come; people are told apart and smoothed in the caller's thread, in order.
"""
from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from ppdet.inference.people_finder import Look, PeopleFinder
from ppdet.inference.results import PoseResult
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.tracking.stream import StreamTracker
from ppdet.inference.video.ahead import looks_ahead
from ppdet.inference.video.background import BackgroundSource
from ppdet.inference.video.reader import Frame, VideoReader
from ppdet.skeletons import Skeleton


class FrameEstimator(Protocol):
    """What a video needs of a pipeline; `PosePipeline` is one."""

    timer: StageTimer
    workers: int

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton of the results."""

    @property
    def finder(self) -> PeopleFinder:
        """Finds people in single frames."""

    def result_of(
        self,
        look: Look,
        path: str | None = None,
        frame_id: int | None = None,
        timestamp_ms: float | None = None,
        expected: np.ndarray | None = None,
        low_score: float = 1.0,
    ) -> PoseResult:
        """The people of a frame; boxes of at least `low_score` count where people are expected."""

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
    """Frames of a video with their results, with identities, smoothed if wanted.

    Args:
        pipeline: finds the people of single frames.
        source: path, URL, number of a camera, or an open reader.
        filter_type: "OneEuro" or "EMA" to smooth each person's keypoints over time, None not to.
        keep_frames: keep each frame in its result, as `image`.
        tracking: settings of the tracker, or the tracker itself; None takes the defaults.

    Raises:
        MediaError: the source does not open, or none of its frames decodes.
    """
    reader = source if isinstance(source, VideoReader) else VideoReader(source)
    tracker = tracking if isinstance(tracking, StreamTracker) else pipeline.stream_tracker(filter_type, reader.fps, tracking)
    frames = BackgroundSource(_timed(reader, pipeline.timer))
    looks = _looks(pipeline, frames, reader.is_live)
    try:
        for frame, look in looks:
            if look is None:
                yield frame, pipeline.nobody(reader.size_wh, frame.index)
                continue
            with pipeline.timer.stage("track"):
                expected = tracker.begin(look.image, frame.timestamp_ms)
            result = pipeline.result_of(look, None, frame.index, frame.timestamp_ms, expected, tracker.settings.low_score)
            with pipeline.timer.stage("track"):
                result = tracker.update(result)
            yield frame, replace(result, image=frame.image) if keep_frames else result
    finally:
        looks.close()
        frames.close()
        reader.close()


def _looks(
    pipeline: FrameEstimator, frames: Iterable[Frame], is_live: bool
) -> Generator[tuple[Frame, Look | None], None, None]:
    """Frames in order with what can be known about each by itself."""
    finder = pipeline.finder
    if not is_live and finder.is_parallel and pipeline.workers:
        finder.estimator.tune()
        yield from looks_ahead(finder, frames, pipeline.workers)
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
    """Results of a video; it is opened at once, so that a bad file is an error of this call and not of a later one."""
    pairs = video_results(pipeline, VideoReader(source), filter_type, keep_frames, tracking)
    return (result for _, result in pairs)


def _timed(reader: VideoReader, timer: StageTimer) -> Iterator[Frame]:
    start = time.perf_counter()
    for frame in reader:
        timer.add("decode", time.perf_counter() - start)
        yield frame
        start = time.perf_counter()

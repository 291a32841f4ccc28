"""Frames of a video with their results.

Decoding runs ahead in a thread; poses are estimated in the caller's.
"""
from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from ppdet.inference.results import PoseResult
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.tracking.follower import Follow
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.tracking.stream import StreamTracker
from ppdet.inference.video.background import BackgroundSource
from ppdet.inference.video.reader import Frame, VideoReader
from ppdet.skeletons import Skeleton


class FrameEstimator(Protocol):
    """What a video needs of a pipeline; `PosePipeline` is one."""

    timer: StageTimer

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton of the results."""

    def estimate(
        self,
        image: np.ndarray,
        path: str | None = None,
        frame_id: int | None = None,
        timestamp_ms: float | None = None,
        expected: np.ndarray | None = None,
        low_score: float = 1.0,
        follow: Follow | None = None,
    ) -> PoseResult:
        """People and poses of one image; boxes of at least `low_score` count where people are expected; `follow` gives boxes
        identities."""

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
        pipeline: estimates single images.
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
    try:
        for frame in frames:
            if frame.image is None:
                yield frame, pipeline.nobody(reader.size_wh, frame.index)
                continue
            with pipeline.timer.stage("track"):
                expected = tracker.begin(frame.image, frame.timestamp_ms)
            follow = tracker.follow if tracker.follows_boxes else None
            result = pipeline.estimate(frame.image, None, frame.index, frame.timestamp_ms, expected, tracker.settings.low_score,
                                       follow)  # fmt: skip
            with pipeline.timer.stage("track"):
                result = tracker.update(result)
            yield frame, replace(result, image=frame.image) if keep_frames else result
    finally:
        frames.close()
        reader.close()


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

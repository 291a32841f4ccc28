"""Poses of a whole video.

Three threads work on different frames at the same time: one decodes, one (the caller's) detects and estimates, one draws and
encodes. The order is kept, every frame of the input is a frame of the output, and memory does not grow with the length.
"""
from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from ppdet.core.command import Terminated
from ppdet.inference.files.json_results import JsonResultsWriter
from ppdet.inference.progress import Progress
from ppdet.inference.results import PoseResult
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.tracking.stream import StreamTracker
from ppdet.inference.video.background import BackgroundSink, BackgroundSource
from ppdet.inference.video.reader import Frame, VideoReader
from ppdet.inference.video.sinks import PoseVideoSink
from ppdet.inference.video.writer import VideoWriter
from ppdet.skeletons import Skeleton
from ppdet.visualize.pose_drawer import PoseDrawer


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
    ) -> PoseResult:
        """People and poses of one image; boxes of at least `low_score` count where people are expected."""

    def stream_tracker(
        self, filter_type: str | None = None, fps: float = 30.0, settings: TrackerSettings | None = None
    ) -> StreamTracker:
        """A tracker for one video."""

    def nobody(self, image_wh: tuple[int, int], frame_id: int | None = None) -> PoseResult:
        """The result of a frame that could not be decoded."""


@dataclass
class VideoReport:
    """Summary of a processed video.

    Attributes:
        frames: frames written, those that did not decode included.
        people: poses in all frames together (person-frames).
        persons: different people, by their identities; who was seen in too few frames does not count (`min_hits`).
        seconds: wall-clock time.
        written: the files that were written.
        unreadable: numbers of the frames that did not decode.
        missing: frames at the end that the container promises and that are not there.
    """

    frames: int = 0
    people: int = 0
    persons: int = 0
    seconds: float = 0.0
    written: list[Path] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)
    missing: int = 0

    @property
    def fps(self) -> float:
        """Frames per second, everything included."""
        return self.frames / max(self.seconds, 1e-9)

    def exit_status(self) -> int:
        """What a command should return: 1 if frames were missing or did not decode, else 0."""
        return 1 if self.missing or self.unreadable else 0


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
            result = pipeline.estimate(frame.image, None, frame.index, frame.timestamp_ms, expected, tracker.settings.low_score)
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


def process_video(
    pipeline: FrameEstimator,
    source: str | Path | int,
    output_path: str | Path | None = None,
    json_path: str | Path | None = None,
    json_layout: str = "paddledet",
    keypoint_threshold: float = 0.5,
    filter_type: str | None = None,
    max_frames: int | None = None,
    on_result: Callable[[PoseResult], None] | None = None,
    tracking: TrackerSettings | None = None,
) -> VideoReport:
    """Run a video, stream or camera through the pipeline into a video with poses and a JSON file.

    A camera or live stream ends with Ctrl-C, SIGTERM, `max_frames` or by itself. If work on a file is interrupted, the files
    written hold what was done so far, and the interruption is raised.

    Args:
        pipeline: estimates single images.
        source: path or URL of a video or stream, or number of a camera.
        output_path: video to write, or None.
        json_path: JSON to write, or None.
        json_layout: "paddledet" or "named".
        keypoint_threshold: smallest keypoint score that is drawn.
        filter_type: "OneEuro" or "EMA" to smooth, None not to.
        max_frames: stop after so many.
        on_result: called with each result, in order.
        tracking: settings of the tracker; None takes the defaults.

    Raises:
        MediaError: the source does not open or the output cannot be written.
    """
    start = time.perf_counter()
    reader = VideoReader(source)
    with ExitStack() as stack:
        stack.callback(reader.close)
        video = None if output_path is None else stack.enter_context(VideoWriter(output_path, reader.fps, reader.size_wh))
        records = None if json_path is None else stack.enter_context(JsonResultsWriter(json_path, json_layout))
        sink = PoseVideoSink(PoseDrawer(pipeline.skeleton), keypoint_threshold, pipeline.timer, video, records)
        background = BackgroundSink(sink.consume)
        progress = Progress(reader.name, reader.frame_count)
        stack.callback(progress.close)
        tracker = pipeline.stream_tracker(filter_type, reader.fps, tracking)
        results = video_results(pipeline, reader, tracking=tracker)
        stack.callback(results.close)  # ends the reading thread before the file is closed
        taken = 0
        try:
            for frame, result in results:
                background.put((frame, result))
                taken += 1
                progress.step()
                if on_result is not None:
                    on_result(result)
                if max_frames is not None and taken >= max_frames:
                    break
        except (KeyboardInterrupt, Terminated):
            if not reader.is_live:
                background.abandon()
                raise
        except BaseException:
            background.abandon()
            raise
        background.close()
    return VideoReport(sink.frames, sink.people, tracker.persons, time.perf_counter() - start, sink.written(), reader.unreadable,
                       reader.missing)

"""Poses of a whole video: read, estimate and write side by side.

Three threads work on three different frames: one decodes, one (the caller's) detects and estimates, one draws and encodes.
Order is kept, every frame of the input is a frame of the output, and memory does not grow with length.
"""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ppdet.core.command import Terminated
from ppdet.inference.progress import Progress
from ppdet.inference.results import PoseResult
from ppdet.inference.tracking.smoothing import PoseSmoother
from ppdet.inference.tracking.tracker import PersonTracker
from ppdet.inference.video.background import BackgroundSink, BackgroundSource
from ppdet.inference.video.reader import Frame, VideoReader
from ppdet.inference.video.sinks import VideoSink

if TYPE_CHECKING:
    from ppdet.inference.pipeline import PosePipeline


@dataclass
class VideoReport:
    """What became of a video.

    Attributes:
        frames: frames written, those that did not decode included.
        people: poses in all frames together.
        seconds: wall-clock time.
        written: files.
        unreadable: numbers of the frames that did not decode.
    """

    frames: int = 0
    people: int = 0
    seconds: float = 0.0
    written: list[Path] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)

    @property
    def fps(self) -> float:
        """Frames a second, everything included."""
        return self.frames / max(self.seconds, 1e-9)


def video_results(
    pipeline: PosePipeline,
    source: str | Path | int | VideoReader,
    filter_type: str | None = None,
) -> Iterator[tuple[Frame, PoseResult]]:
    """Frames of a video with their results, with identities, smoothed if wanted.

    Args:
        pipeline: estimates single pictures.
        source: path, number of a camera, or an open reader.
        filter_type: "OneEuro" or "EMA" to smooth each person's keypoints over time, None not to.

    Raises:
        MediaError: the source does not open, or none of its frames decodes.
    """
    reader = source if isinstance(source, VideoReader) else VideoReader(source)
    tracker = PersonTracker(pipeline.estimator.skeleton.sigmas)
    smoother = None if filter_type is None else PoseSmoother(filter_type, reader.fps)
    frames = BackgroundSource(_timed(reader, pipeline))
    try:
        for frame in frames:
            if frame.image is None:
                yield frame, pipeline.nobody(reader.size_wh, frame.index)
                continue
            result = pipeline.estimate(frame.image, frame_id=frame.index, timestamp_ms=frame.timestamp_ms)
            identities = tracker.update(result.boxes, result.keypoints)
            result = replace(result, track_ids=identities)
            if smoother is not None:
                smoothed = smoother.smooth(result.keypoints, result.scores, identities, result.boxes)
                smoother.keep_only(tracker.identities)
                result = replace(result, keypoints=smoothed)
            yield frame, result
    finally:
        frames.close()
        reader.close()


def _timed(reader: VideoReader, pipeline: PosePipeline) -> Iterator[Frame]:
    start = time.perf_counter()
    for frame in reader:
        pipeline.timer.add("decode", time.perf_counter() - start)
        yield frame
        start = time.perf_counter()


def process_video(
    pipeline: PosePipeline,
    source: str | Path | int,
    output_path: str | Path | None = None,
    json_path: str | Path | None = None,
    json_layout: str = "paddledet",
    keypoint_threshold: float = 0.5,
    filter_type: str | None = None,
    max_frames: int | None = None,
    on_result: Callable[[PoseResult], None] | None = None,
) -> VideoReport:
    """Run a video or camera through the pipeline into a video with poses and a JSON file.

    Args:
        pipeline: estimates single pictures.
        source: path of a video, or number of a camera (ends with Ctrl-C, SIGTERM, `max_frames` or the camera).
        output_path: video to write, or None.
        json_path: JSON to write, or None.
        json_layout: "paddledet" or "named".
        keypoint_threshold: smallest keypoint score that is drawn.
        filter_type: "OneEuro" or "EMA" to smooth, None not to.
        max_frames: stop after so many.
        on_result: called with each result, in order.

    Raises:
        MediaError: the source does not open or the output cannot be written.
    """
    start = time.perf_counter()
    report = VideoReport()
    reader = VideoReader(source)
    with ExitStack() as stack:
        stack.callback(reader.close)
        sink = VideoSink(pipeline, reader, output_path, json_path, json_layout, keypoint_threshold, stack)
        background = BackgroundSink(sink.consume)
        progress = Progress(reader.name, reader.frame_count)
        stack.callback(progress.close)
        results = video_results(pipeline, reader, filter_type)
        stack.callback(results.close)  # ends the reading thread before the file is closed
        try:
            for frame, result in results:
                background.put((frame, result))
                report.frames += 1
                report.people += len(result)
                progress.step()
                if on_result is not None:
                    on_result(result)
                if max_frames is not None and report.frames >= max_frames:
                    break
        except (KeyboardInterrupt, Terminated):
            if not reader.is_camera:
                background.abandon()
                raise
        except BaseException:
            background.abandon()
            raise
        background.close()
    report.written = sink.written()
    report.unreadable = reader.unreadable
    report.seconds = time.perf_counter() - start
    return report

"""Smooths the poses of a recorded video as a whole, for which the video is read twice."""
from __future__ import annotations

from collections.abc import Generator

from ppdet.core.errors import ConfigError
from ppdet.inference.progress import Progress
from ppdet.inference.results import PoseResult
from ppdet.inference.tracking.jitter import Jitter
from ppdet.inference.tracking.recorded import check_recorded_filter, smooth_recorded
from ppdet.inference.tracking.stream import StreamTracker
from ppdet.inference.video.background import BackgroundSource
from ppdet.inference.video.estimation import FrameEstimator, video_results
from ppdet.inference.video.reader import Frame, VideoReader


def check_recorded(reader: VideoReader, method: str) -> None:
    """Reject sources that cannot be smoothed as a whole, before any work.

    Raises:
        ConfigError: a camera or stream, an unknown filter, or SciPy is not installed.
    """
    check_recorded_filter(method)
    if reader.is_live:
        raise ConfigError(f"{reader.name} is live, and smoothing by {method} needs a whole video: give a file, or smooth by "
                          "OneEuro or EMA")


def recorded_results(
    pipeline: FrameEstimator, reader: VideoReader, tracker: StreamTracker, method: str, max_frames: int | None = None
) -> Generator[tuple[Frame, PoseResult], None, None]:
    """Frames with smoothed results. The poses of all frames are estimated and kept first; the frames themselves are not.

    Args:
        pipeline: estimates single images.
        reader: of the video, at its start.
        tracker: without a filter; its jitter meters get the poses.
        method: see `smooth_recorded`.
        max_frames: stop after this many.
    """
    results: list[PoseResult] = []
    progress = Progress(f"{reader.name}: poses", reader.frames_to_read(max_frames))
    first = video_results(pipeline, VideoReader(reader.source), tracking=tracker)
    try:
        for _, result in first:
            results.append(result)
            progress.step()
            if max_frames is not None and len(results) >= max_frames:
                break
    finally:
        first.close()
        progress.close()
    smoothed = smooth_recorded(results, reader.fps, method)
    for before, after in zip(results, smoothed):
        feed(tracker.jitter[0], before)
        feed(tracker.jitter[1], after.of(~after.filled) if after.filled is not None else after)
    frames = BackgroundSource(iter(reader))
    try:
        yield from zip(frames, smoothed)
    finally:
        frames.close()


def feed(meter: Jitter, result: PoseResult) -> None:
    """Give a frame's people to a jitter meter."""
    if result.track_ids is not None:
        meter.add(result.track_ids, result.keypoints, result.scores, result.boxes)

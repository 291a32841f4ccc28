"""Poses of a whole video.

Threads work on different frames at the same time: one decodes, some find boxes and poses, the caller's tracks people, one
draws and records, one encodes. The order is kept, every frame of the input is a frame of the output, and memory does not grow
with the length.
"""
from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from ppdet.core.command import Terminated
from ppdet.core.errors import ConfigError, MediaError
from ppdet.inference.files.earlier_results import EarlierVideo, result_of_record, video_digest
from ppdet.inference.formats.json_results import JsonResultsWriter
from ppdet.inference.progress import Progress
from ppdet.inference.results import PoseResult
from ppdet.inference.tracking.recorded import RECORDED_FILTERS
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.tracking.stream import StreamTracker
from ppdet.inference.video.background import BackgroundSink
from ppdet.inference.video.estimation import FrameEstimator, video_results, watch_again
from ppdet.inference.video.reader import VideoReader
from ppdet.inference.video.recorded import check_recorded, recorded_results
from ppdet.inference.video.report import VideoReport
from ppdet.inference.video.sinks import PoseVideoSink
from ppdet.inference.video.writer import VideoWriter
from ppdet.visualize.pose_drawer import PoseDrawer


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
    record: Callable[[PoseResult], None] | None = None,
    earlier: EarlierVideo | None = None,
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
        filter_type: "OneEuro" or "EMA" to smooth frame by frame; "savgol" or "butterworth" to smooth a file as a whole, without
            delay and with short gaps filled, for which it is read twice; None for no smoothing.
        max_frames: stop after this many.
        on_result: called with each result, in order.
        tracking: settings of the tracker; None takes the defaults.
        record: called with each result in order, like `on_result`, but in the writing thread.
        earlier: frames that an earlier run has done: they are left out, and people keep the identities that they had there.

    Raises:
        MediaError: the source does not open, has fewer frames or others than `earlier` says, or the output cannot be written.
        ConfigError: an unknown filter, or one that cannot smooth this source.
    """
    start = time.perf_counter()
    is_whole = filter_type in RECORDED_FILTERS
    with ExitStack() as stack:
        reader = VideoReader(source, skip=0 if earlier is None else earlier.frames)
        stack.callback(reader.close)
        if filter_type is not None and is_whole:
            check_recorded(reader, filter_type)
        tracker = pipeline.stream_tracker(None if is_whole else filter_type, reader.fps, tracking)
        if earlier is not None:
            _check_same_video(reader, source, earlier)
            _resume(pipeline, source, tracker, earlier)
        video = None
        if output_path is not None:
            video = stack.enter_context(VideoWriter(output_path, reader.fps, reader.size_wh))
            video.may_be_empty = earlier is not None  # of a video that is done already, no frame is left to draw
        records = None if json_path is None else stack.enter_context(JsonResultsWriter(json_path, json_layout))
        sink = PoseVideoSink(PoseDrawer(pipeline.skeleton), keypoint_threshold, pipeline.timer, video, records, record)
        background = BackgroundSink(sink.consume)
        progress = Progress(reader.name, reader.frames_to_read(max_frames))
        stack.callback(progress.close)
        if filter_type is not None and is_whole:
            results = recorded_results(pipeline, reader, tracker, filter_type, max_frames)
        else:
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
                sink.abandon()
                raise
        except BaseException:
            background.abandon()
            sink.abandon()
            raise
        try:
            background.close()
        except BaseException:
            sink.abandon()
            raise
        sink.finish()
    return VideoReport(sink.frames, sink.people, tracker.persons, time.perf_counter() - start, sink.written(), reader.unreadable,
                       reader.missing, tracker.zone_counts, *(meter.value for meter in tracker.jitter))


def _check_same_video(reader: VideoReader, source: str | Path | int, earlier: EarlierVideo) -> None:
    """Refuse results of another video: what is drawn and who is known would belong to somebody else."""
    if None not in earlier.size_wh and min(reader.size_wh) > 0 and earlier.size_wh != reader.size_wh:
        sizes = [f"{wh[0]} x {wh[1]}" for wh in (reader.size_wh, earlier.size_wh)]
        raise MediaError(f"{reader.name} has frames of {sizes[0]} pixels, and the earlier results are of frames of {sizes[1]}: "
                         "they are of another video; give its results, or leave --resume out")
    if earlier.digest is not None and video_digest(source) not in (None, earlier.digest):
        raise MediaError(f"{reader.name} is not the file that the earlier results are of (its size or its beginning differs): "
                         "give that file, under any name, or leave --resume out to begin anew")


def _resume(pipeline: FrameEstimator, source: str | Path | int, tracker: StreamTracker, earlier: EarlierVideo) -> None:
    """Bring a new tracker to where an earlier run has ended.

    Raises:
        ConfigError: that run gave other identities, so it was one with other models or settings.
    """
    last = [result_of_record(each, pipeline.skeleton) for each in earlier.last]
    if not tracker.follows_boxes:
        tracker.resume(last, earlier.largest_id)
        return
    present = watch_again(pipeline, source, tracker, earlier.frames)
    assert last[-1].track_ids is not None
    known = set(last[-1].track_ids.tolist())
    if present != known:
        raise ConfigError(f"frame {earlier.frames} of {source} shows the people {sorted(present)} with this model and tracker, "
                          f"and {sorted(known)} in the earlier results, which are from other models or settings: "
                          "resume with the same ones, or leave --resume out")

"""The process that works on one video.

FFmpeg decodes untrusted files, so it runs in a process of its own, with bounded memory and file sizes, which can be ended at
any time. A crash there fails one video, not the service.
"""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ppdet.core.errors import MediaError, PpdetError
from ppdet.service.limits import MIB, ServiceLimits
from ppdet.service.served_models import ServedModels

JSON_NAME, DRAWN_NAME = "result.json", "drawn.mp4"
NICENESS = 5
FRAMES_BETWEEN_REPORTS = 5
CAPTURE_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
Report = Callable[[str, Any], None]
ONLY_FILES = "protocol_whitelist;file"
"""FFmpeg opens local files only, never a URL that a file refers to."""


@dataclass(frozen=True)
class VideoTask:
    """What the process gets: the video, the folder for results, whether to draw, and the smallest score that is drawn."""

    video: Path
    folder: Path
    draw: bool
    threshold: float
    models: ServedModels
    limits: ServiceLimits


def work(task: VideoTask, reports: Connection) -> None:
    """Process a video; runs as the target of a process.

    Args:
        task: what to do.
        reports: gets JSON, since what comes from this process is not trusted: ["total", frames or null], ["frames", done], and
            last ["done", null] or ["failed", [code, message]].
    """

    def report(kind: str, value: Any) -> None:
        reports.send_bytes(json.dumps([kind, value]).encode())

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the whole group; the service ends this process
    os.environ[CAPTURE_OPTIONS] = ONLY_FILES
    logging.getLogger("ppdet").setLevel(logging.ERROR)
    with suppress(AttributeError, OSError):
        os.nice(NICENESS)
    try:
        _bound_resources(task.limits, is_cpu=task.models.device == "cpu")
        _process(task, report)
        report("done", None)
    except MemoryError:
        report("failed", ["video_memory", f"the video needs more than the {task.limits.video_memory_mib} MiB allowed: "
                          "send a smaller one"])
    except PpdetError as error:
        message = str(error).replace(str(task.video), "the video").replace(str(task.folder), "the results")
        report("failed", [getattr(error, "code", "damaged_video"), message])
    except BrokenPipeError:  # the service is gone
        return
    finally:
        reports.close()


def _bound_resources(limits: ServiceLimits, is_cpu: bool) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    bounds = [(resource.RLIMIT_FSIZE, limits.video_result_mib)]
    if is_cpu:  # CUDA reserves far more address space than it uses
        bounds.append((resource.RLIMIT_AS, limits.video_memory_mib))
    for kind, size in bounds:
        _, hard = resource.getrlimit(kind)
        wanted = size * MIB if hard == resource.RLIM_INFINITY else min(size * MIB, hard)
        resource.setrlimit(kind, (wanted, hard))


class TooLongError(MediaError):
    """A video with more frames or pixels than allowed."""

    code = "video_too_large"


def _process(task: VideoTask, report: Report) -> None:
    from ppdet.inference.video.process import process_video
    from ppdet.inference.video.reader import VideoReader
    from ppdet.service.videos.result_file import video_result_file

    _check_frame_size(task)
    with VideoReader(task.video) as reader:
        fps, size_wh, total = reader.fps, reader.size_wh, reader.frame_count
    if total is not None and total > task.limits.video_frames:
        raise TooLongError(f"the video has {total} frames, more than the {task.limits.video_frames} allowed: "
                           "cut it into parts")
    report("total", total)
    pipeline = replace(task.models, people=max(task.models.people - 1, 1)).open()
    with video_result_file(task.folder / JSON_NAME, fps, size_wh) as file:
        counter = _Counter(task.limits.video_frames, report)

        def take(result: Any) -> None:
            counter.step()
            file.add(result)

        drawn = task.folder / DRAWN_NAME if task.draw else None
        found = process_video(pipeline, task.video, drawn, keypoint_threshold=task.threshold, on_result=take)
        file.close(found.missing, found.unreadable)
    report("frames", counter.done)


def _check_frame_size(task: VideoTask) -> None:
    """Refuse large frames before the first of them is decoded here."""
    import cv2

    from ppdet.inference.video.opening import open_capture

    capture = open_capture(task.video)
    width, height = (int(capture.get(each)) for each in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    capture.release()
    if width * height > task.limits.video_pixels:
        raise TooLongError(f"the video has frames of {width} x {height} pixels, more than the {task.limits.video_pixels} "
                           "allowed: scale it down")


class _Counter:
    """Counts frames, reports some of the counts, and ends a video that is longer than its container says."""

    def __init__(self, most: int, report: Report) -> None:
        self.done, self._most, self._report = 0, most, report

    def step(self) -> None:
        self.done += 1
        if self.done > self._most:
            raise TooLongError(f"the video does not end after {self._most} frames, the most allowed: cut it into parts")
        if self.done % FRAMES_BETWEEN_REPORTS == 1:
            self._report("frames", self.done)


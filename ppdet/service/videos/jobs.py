"""The list of uploaded videos. They are processed one after the other, with bounded number, size, processing time and lifetime.

Ids are random; the path of a job's files is looked up by id and never made from what a client sent.
"""

from __future__ import annotations

import json
import multiprocessing
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Optional

from ppdet.core.logger import get_logger
from ppdet.service.limits import ServiceLimits
from ppdet.service.problems import RequestError, shutting_down, too_busy
from ppdet.service.served_models import ServedModels
from ppdet.service.videos.containers import checked_suffix
from ppdet.service.videos.process import DRAWN_NAME, JSON_NAME, VideoTask, work

QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
FINISHED = (DONE, FAILED)
RESULTS = {"json": JSON_NAME, "drawn": DRAWN_NAME}
SECONDS_BETWEEN_LOOKS = 0.2
ID_BYTES = 16
RETRY_SECONDS = 10
LONGEST_REPORT = 1 << 16


@dataclass(eq=False)
class VideoJob:
    """One video: its folder, state, counts, and the reason if it failed."""

    folder: Path
    video: Path
    draw: bool
    threshold: float
    id: str = field(default_factory=lambda: secrets.token_urlsafe(ID_BYTES))  # noqa: A003
    state: str = QUEUED
    frames_done: int = 0
    frames_total: Optional[int] = None
    error: Optional[tuple[str, str]] = None
    finished: Optional[float] = None
    is_removed: bool = False

    def result(self, kind: str) -> Optional[Path]:
        """The file of a result, or None if there is none of that kind."""
        path = self.folder / RESULTS[kind] if kind in RESULTS and self.state == DONE else None
        return path if path is not None and path.is_file() else None


class VideoJobs:
    """All jobs of a service, and the thread that runs them one after the other.

    Args:
        models: opened by each job's process.
        limits: bounds.
    """

    def __init__(self, models: ServedModels, limits: ServiceLimits) -> None:
        self._models, self._limits = models, limits
        self._folder = Path(tempfile.mkdtemp(prefix="ppdet-serve-"))
        self._jobs: dict[str, VideoJob] = {}
        self._uploads = 0
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="videos", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._jobs)

    @contextmanager
    def upload(self) -> Iterator[Path]:
        """A path for an upload, in a folder that is removed unless `add` took it over.

        Raises:
            RequestError: too many uploads or videos at the moment, or the service is shutting down.
        """
        with self._changed:
            self._check_room()
            if self._uploads >= self._limits.video_uploads:
                raise too_busy("uploads_full", f"{self._uploads} videos are being uploaded", RETRY_SECONDS)
            self._uploads += 1
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            yield folder / "upload"
        finally:
            with self._changed:
                self._uploads -= 1
                is_kept = any(job.folder == folder for job in self._jobs.values())
            if not is_kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _check_room(self) -> None:
        if self._is_closed:
            raise shutting_down()
        self._remove_expired()
        if len(self._jobs) >= self._limits.video_jobs and not any(job.state in FINISHED for job in self._jobs.values()):
            raise too_busy("videos_full", f"{len(self._jobs)} videos are waiting", RETRY_SECONDS)

    def add(self, upload: Path, draw: bool, threshold: float) -> VideoJob:
        """Take over an uploaded file. If the list is full, the job that finished first is removed.

        Raises:
            RequestError: it does not begin like a video, or there is no room.
        """
        video = upload.with_suffix(checked_suffix(upload))
        with self._changed:
            self._check_room()
            if len(self._jobs) >= self._limits.video_jobs:
                oldest = min((job for job in self._jobs.values() if job.state in FINISHED), key=lambda job: job.finished or 0.0)
                self._remove(oldest)
            upload.rename(video)
            job = VideoJob(upload.parent, video, draw, threshold)
            self._jobs[job.id] = job
            self._changed.notify_all()
        return job

    def get(self, job_id: str) -> VideoJob:
        """The job with an id.

        Raises:
            RequestError: there is no such job, or no longer.
        """
        with self._changed:
            self._remove_expired()
            if job_id not in self._jobs:
                raise RequestError(404, "unknown_video", f"there is no such video: results are kept for "
                                   f"{self._limits.video_life_seconds:g} s, or less if newer videos need the room")
            return self._jobs[job_id]

    def remove(self, job_id: str) -> None:
        """End a job if it runs, and remove its files.

        Raises:
            RequestError: there is none with that id.
        """
        job = self.get(job_id)
        with self._changed:
            self._remove(job)

    def _remove(self, job: VideoJob) -> None:
        """With the lock held."""
        job.is_removed = True
        self._jobs.pop(job.id, None)
        if job.state != RUNNING:  # else its process is ended first
            shutil.rmtree(job.folder, ignore_errors=True)

    def _remove_expired(self) -> None:
        """With the lock held."""
        old = time.monotonic() - self._limits.video_life_seconds
        for job in [job for job in self._jobs.values() if job.finished is not None and job.finished < old]:
            self._remove(job)

    def expires_seconds(self, job: VideoJob) -> Optional[float]:
        """How long a finished job is kept from now on."""
        if job.finished is None:
            return None
        return max(job.finished + self._limits.video_life_seconds - time.monotonic(), 0.0)

    def close(self) -> None:
        """End the running job and remove all files."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                error = self._process(job)
            except Exception:  # such as no memory for a process; the next video must still get its turn
                get_logger(__name__).exception("a video could not be processed")
                error = "internal", "the service failed on this video; its log says why"
            with self._changed:
                job.state, job.error, job.finished = (DONE if error is None else FAILED), error, time.monotonic()
                job.video.unlink(missing_ok=True)
                if job.is_removed:
                    shutil.rmtree(job.folder, ignore_errors=True)

    def _next(self) -> Optional[VideoJob]:
        with self._changed:
            while not self._is_closed:
                self._remove_expired()
                for job in self._jobs.values():
                    if job.state == QUEUED:
                        job.state = RUNNING
                        return job
                self._changed.wait(self._limits.video_life_seconds / 10)
        return None

    def _process(self, job: VideoJob) -> Optional[tuple[str, str]]:
        """Run a job in a process of its own; why it failed, or None."""
        spawn = multiprocessing.get_context("spawn")
        reports, sender = spawn.Pipe(duplex=False)
        task = VideoTask(job.video, job.folder, job.draw, job.threshold, self._models, self._limits)
        process = spawn.Process(target=work, args=(task, sender), daemon=True)
        process.start()
        sender.close()
        try:
            return self._follow(job, reports, time.monotonic() + self._limits.video_seconds)
        finally:
            process.kill()
            process.join()
            reports.close()

    def _follow(self, job: VideoJob, reports: Connection, deadline: float) -> Optional[tuple[str, str]]:
        while time.monotonic() < deadline:
            if self._is_closed or job.is_removed:
                return "removed", "the video was removed, or the service shut down"
            try:
                if not reports.poll(SECONDS_BETWEEN_LOOKS):
                    continue
                kind, value = json.loads(reports.recv_bytes(LONGEST_REPORT))
            except (EOFError, OSError, ValueError):
                get_logger(__name__).error("the process of a video ended without a result")
                return "video_crashed", ("decoding the video ended its process (damaged file, or out of memory): convert it, for "
                                         "example with: ffmpeg -i INPUT -c:v mpeg4 OUTPUT.mp4")
            if kind == "done":
                return None
            if kind == "failed":
                return str(value[0]), str(value[1])
            if kind == "total":
                job.frames_total = value
            elif kind == "frames":
                job.frames_done = value
        return "video_too_slow", f"the video was not finished after {self._limits.video_seconds:g} s: cut it into parts"

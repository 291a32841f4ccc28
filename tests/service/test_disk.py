"""A full disk while a video is uploaded, and a process that cannot be started."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from support.served import write_clip

from ppdet.service.limits import ServiceLimits
from ppdet.service.routes import videos
from ppdet.service.served_models import ServedModels
from ppdet.service.videos.jobs import VideoJobs


def test_a_full_disk_is_said_and_nothing_is_left(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(videos, "_save_body", full)
    folder = client.app.state.service.videos._folder  # type: ignore[attr-defined]
    before = set(folder.iterdir())  # videos of other tests of this service
    answer = client.post("/v1/videos", content=b"x")
    assert answer.status_code == 507 and answer.json()["error"]["code"] == "disk_full"
    assert not set(folder.iterdir()) - before


def test_a_process_that_does_not_start_fails_one_video_only(
    models: ServedModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def start(*_: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(VideoJobs, "_process", start)
    jobs = VideoJobs(models, ServiceLimits())
    made = []
    for _ in range(2):
        with jobs.upload() as path:
            path.write_bytes(write_clip(tmp_path / "clip.mp4", 2).read_bytes())
            made.append(jobs.add(path, False, 0.5))
    end = time.monotonic() + 60.0
    while made[1].state != "done" and time.monotonic() < end:
        time.sleep(0.01)
    assert [job.state for job in made] == ["failed", "done"] and made[0].error is not None and made[0].error[0] == "internal"
    jobs.close()

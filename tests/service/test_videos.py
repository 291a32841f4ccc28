"""Videos as jobs: upload, progress, results, bounds of number, size, length and life; and what FFmpeg must never see."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
from fastapi.testclient import TestClient
from support.served import IMAGE_WH, assert_planted, write_clip

from ppdet.service.problems import RequestError
from ppdet.service.schema import ErrorAnswer, VideoAnswer, VideoResult
from ppdet.service.served_models import ServedModels
from ppdet.service.videos.containers import suffix_of
from ppdet.service.videos.jobs import VideoJobs

LONG = 120.0
PLAYLIST = b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


def finished(client: TestClient, video_id: str) -> VideoAnswer:
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        found = VideoAnswer.model_validate(client.get(f"/v1/videos/{video_id}").json())
        if found.state not in ("queued", "running"):
            return found
        time.sleep(0.1)
    raise AssertionError("the video did not finish")


def code_of(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    return ErrorAnswer.model_validate(answer.json()).error.code


def test_a_video_from_upload_to_results(client: TestClient, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 12)
    answer = client.post("/v1/videos?draw=true", files={"video": ("../../x.m3u8", clip.read_bytes(), "text/plain")})
    assert answer.status_code == 202, answer.text
    job = VideoAnswer.model_validate(answer.json())
    place = f"/v1/videos/{job.id}"
    assert answer.headers["location"] == place and job.state in ("queued", "running")
    assert code_of(client.get(f"{place}/json"), 404) == "no_result"
    done = finished(client, job.id)
    assert (done.state, done.frames_done, done.frames_total, done.error) == ("done", 12, 12, None)
    assert done.results == {"json": f"{place}/json", "drawn": f"{place}/drawn"} and 0 < (done.expires_seconds or 0) <= 3600
    content = client.get(done.results["json"]).json()
    result = VideoResult.model_validate(content)
    assert (content["schema"], result.fps, result.width, result.height) == ("ppdet.video_result/1", 25.0, *IMAGE_WH)
    assert [frame.frame for frame in result.frames] == list(range(1, 13)) and not result.missing and not result.unreadable
    for frame in content["frames"]:
        assert_planted(frame["people"])
        assert frame["people"][0]["id"] == 1
    (tmp_path / "drawn.mp4").write_bytes(client.get(done.results["drawn"]).content)
    drawn = cv2.VideoCapture(str(tmp_path / "drawn.mp4"))
    assert int(drawn.get(cv2.CAP_PROP_FRAME_COUNT)) == 12
    folder = client.app.state.service.videos._folder  # type: ignore[attr-defined]
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["drawn.mp4", "result.json"], "the upload is gone"
    assert client.delete(place).status_code == 204
    assert code_of(client.get(place), 404) == code_of(client.delete(place), 404) == "unknown_video"
    assert not list(folder.iterdir())


REFUSED = {
    "nothing": (b"", 400, "empty_body"),
    "a playlist": (PLAYLIST, 415, "unknown_format"),
    "a concat script": (b"ffconcat version 1.0\nfile /etc/passwd\n", 415, "unknown_format"),
    "a session description": (b"v=0\no=- 0 0 IN IP4 127.0.0.1\n", 415, "unknown_format"),
    "an image": (b"\xff\xd8\xff\xe0" + bytes(100), 415, "unknown_format"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_video_is_refused_at_once(client: TestClient, case: str) -> None:
    data, status, code = REFUSED[case]
    assert code_of(client.post("/v1/videos", content=data), status) == code
    assert code_of(client.post("/v1/videos", files={"video": ("v.m3u8", data)}), status) == code
    service = client.app.state.service  # type: ignore[attr-defined]
    assert not list(service.videos._folder.iterdir()) and len(service.videos) == 0


def test_wrong_requests(client: TestClient) -> None:
    assert code_of(client.post("/v1/videos", json={"video": "x"}), 415) == "unknown_media_type"
    assert code_of(client.post("/v1/videos", files={"image": ("v.mp4", b"x")}), 400) == "bad_form"
    for name in ("x", "..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "x" * 5000):
        assert client.get(f"/v1/videos/{name}").status_code == 404
        assert client.get(f"/v1/videos/{name}/json").status_code == 404


@pytest.mark.parametrize("damage", [pytest.param("cut", marks=pytest.mark.slow), "header only"])
def test_a_damaged_video_fails_with_a_reason(client: TestClient, tmp_path: Path, damage: str) -> None:
    data = write_clip(tmp_path / "clip.mp4", 12).read_bytes()
    job_id = client.post("/v1/videos", content=data[: len(data) // 2] if damage == "cut" else data[:64]).json()["id"]
    done = finished(client, job_id)
    assert done.state == "failed" and done.error is not None and done.error.code == "damaged_video" and not done.results
    assert "/tmp" not in done.error.message and "ppdet-serve" not in done.error.message


def test_length_and_size_are_bounded(client_with: Callable[..., TestClient], tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 12).read_bytes()
    client = client_with(video_frames=11, video_pixels=96 * 128, video_mib=1)
    done = finished(client, client.post("/v1/videos", content=clip).json()["id"])
    assert done.state == "failed" and done.error is not None and done.error.code == "video_too_large"
    assert "12 frames, more than the 11" in done.error.message
    assert code_of(client.post("/v1/videos", content=clip + bytes(1 << 20)), 413) == "body_too_large"
    small = client_with(video_pixels=96 * 128 - 1)
    done = finished(small, small.post("/v1/videos", content=clip).json()["id"])
    assert done.error is not None and "96 x 128" in done.error.message


class Standstill(VideoJobs):
    """Jobs that wait for a word instead of working."""

    def _process(self, job: Any) -> Any:
        while not (self._is_closed or job.is_removed or job.frames_done):
            time.sleep(0.01)
        return None


@pytest.fixture
def standstill(models: ServedModels) -> Any:
    from ppdet.service.limits import ServiceLimits

    made = []

    def make(**limits: Any) -> Standstill:
        made.append(Standstill(models, ServiceLimits(**limits)))
        return made[-1]

    yield make
    for jobs in made:
        jobs.close()
        assert not jobs._folder.exists()


def add(jobs: VideoJobs, clip: bytes) -> str:
    with jobs.upload() as path:
        path.write_bytes(clip)
        return jobs.add(path, False, 0.5).id


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_number_of_videos_is_bounded_and_the_oldest_results_go_first(standstill: Any, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 2).read_bytes()
    jobs = standstill(video_jobs=3)
    first, second, third = (add(jobs, clip) for _ in range(3))
    with pytest.raises(RequestError, match="3 videos are waiting") as refused:
        add(jobs, clip)
    assert refused.value.status == 429 and refused.value.headers["Retry-After"]
    jobs.get(first).frames_done = 1
    until(lambda: jobs.get(first).state == "done")
    fourth = add(jobs, clip)
    with pytest.raises(RequestError, match="no such video"):
        jobs.get(first)
    jobs.remove(second)  # which is running
    until(lambda: jobs.get(third).state == "running")
    assert jobs.get(fourth).state == "queued"
    until(lambda: len(list(jobs._folder.iterdir())) == 2)


def test_uploads_at_the_same_time_are_bounded(standstill: Any) -> None:
    jobs = standstill(video_uploads=1)
    with jobs.upload(), pytest.raises(RequestError, match="being uploaded"), jobs.upload():
        pass
    with jobs.upload() as path:
        path.write_bytes(b"abandoned")
    assert not list(jobs._folder.iterdir())


def test_results_do_not_live_longer_than_they_should(standstill: Any, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 2).read_bytes()
    jobs = standstill(video_life_seconds=1.0)
    job = jobs.get(add(jobs, clip))
    job.frames_done = 1
    until(lambda: job.state == "done")
    until(lambda: len(jobs) == 0)
    assert not list(jobs._folder.iterdir())


@pytest.mark.slow
def test_a_video_that_takes_too_long_is_ended(models: ServedModels, tmp_path: Path) -> None:
    from ppdet.service.limits import ServiceLimits

    jobs = VideoJobs(models, ServiceLimits(video_seconds=1.0))
    job = jobs.get(add(jobs, write_clip(tmp_path / "clip.mp4", 3000).read_bytes()))
    until(lambda: job.state == "failed")
    assert job.error is not None and job.error[0] == "video_too_slow"
    jobs.close()


def test_containers_are_recognised(tmp_path: Path) -> None:
    for suffix in (".mp4", ".avi", ".mkv", ".webm"):
        start = write_clip(tmp_path / f"clip{suffix}", 2).read_bytes()[:512]
        assert suffix_of(start) == {".webm": ".mkv"}.get(suffix, suffix)
    packet = b"\x47" + bytes(187)
    assert suffix_of(packet * 2) == ".ts" and suffix_of(packet) is None and suffix_of(json.dumps({}).encode()) is None

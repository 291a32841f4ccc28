"""Videos: every frame in order, the frame rate with its fraction, damaged frames reported, no half files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import cv2
import numpy as np
import pytest
from support.planted_models import SKELETON, PlantedDetector, PlantedRuntime, planted_codec, planted_person, pose_card

from ppdet.core.command import Terminated
from ppdet.core.errors import MediaError
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.progress import Progress
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.video import writer as video_writer
from ppdet.inference.video.background import BackgroundSink, BackgroundSource
from ppdet.inference.video.opening import is_live
from ppdet.inference.video.process import process_video
from ppdet.inference.video.reader import Frame, VideoReader, ranges_text
from ppdet.inference.video.sinks import FrameSink
from ppdet.inference.video.writer import VideoWriter

SIZE = (96, 128)
START = np.array([[30.0, 30.0], [20.0, 60.0], [60.0, 70.0]])


def write_clip(path: Path, frames: int = 12, fps: float = 30000 / 1001, dark: tuple[int, ...] = (), codec: str = "mp4v") -> Path:
    """A planted person who walks right by one pixel a frame; nobody in the `dark` frames (numbers from 1)."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, SIZE)
    assert writer.isOpened()
    for number in range(1, frames + 1):
        image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        if number not in dark:
            image = planted_person(SIZE, START + [number, 0], 5.0)
        writer.write(image[..., ::-1])
    writer.release()
    return path


@pytest.fixture(params=[1, 3], ids=["every frame", "every third frame"])
def pipeline(request: pytest.FixtureRequest) -> PosePipeline:
    """The detector looks at every frame, or skips some, which is another way through the threads."""
    estimator = TopDownEstimator(PlantedRuntime(), pose_card(codec=planted_codec()))
    return PosePipeline(PlantedDetector([[10, 10, 90, 110]]), estimator, det_interval=request.param)


def read_back(path: Path) -> tuple[int, float]:
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    return count, capture.get(cv2.CAP_PROP_FPS)


@pytest.mark.parametrize("source", [0, "rtsp://camera/1", "RTSPS://user:secret@camera:322/live", "rtmp://host/live", "udp://0.0.0.0:9"])
def test_cameras_and_streams_are_live(source: Any) -> None:
    assert is_live(source)


@pytest.mark.parametrize("source", ["clip.mp4", "https://host/clip.mp4", "folder/rtsp"])
def test_files_are_not_live(source: str) -> None:
    assert not is_live(source)


def test_ctrl_c_ends_a_stream_and_keeps_what_was_done(
    tmp_path: Path, pipeline: PosePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ppdet.inference.video.reader.is_live", lambda source: True)

    def interrupt(result: Any) -> None:
        if result.frame_id == 5:
            raise KeyboardInterrupt

    outputs = tmp_path / "stream.mp4", tmp_path / "stream.json"
    report = process_video(pipeline, write_clip(tmp_path / "clip.mp4"), *outputs, on_result=interrupt)
    assert report.frames == read_back(outputs[0])[0] == len(json.loads(outputs[1].read_text())) == 5


@pytest.mark.parametrize("pipeline", [1], indirect=True)
@pytest.mark.parametrize("fps", [25.0, 30000 / 1001, 59.94, 12.5, 30.0557])
def test_all_frames_and_the_exact_rate_come_out(tmp_path: Path, pipeline: PosePipeline, fps: float) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 14, fps, dark=(3, 4))
    report = process_video(pipeline, clip, tmp_path / "out" / "clip.mp4", tmp_path / "out" / "poses.json")
    assert (report.frames, report.people, report.unreadable) == (14, 12, [])
    count, rate = read_back(tmp_path / "out" / "clip.mp4")
    assert count == 14 and rate == pytest.approx(fps, abs=0.01)
    content = json.loads((tmp_path / "out" / "poses.json").read_text())
    assert [record[0] for record in content] == list(range(1, 15))
    assert [len(record[1]) for record in content] == [1, 1, 0, 0] + [1] * 10
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip.mp4", "poses.json"]
    assert report.written == [tmp_path / "out" / "clip.mp4", tmp_path / "out" / "poses.json"]


@pytest.mark.parametrize("pipeline", [1], indirect=True)
def test_the_pipeline_gives_what_frame_by_frame_gives(tmp_path: Path, pipeline: PosePipeline) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 10)
    threaded = list(pipeline(clip))
    single = [pipeline(frame.image) for frame in VideoReader(clip)]
    assert [result.frame_id for result in threaded] == list(range(1, 11))
    for one, other in zip(threaded, single):
        np.testing.assert_array_equal(one.keypoints, other.keypoints)
    walked = np.array([result.keypoints[0, 0, 0] for result in threaded])
    np.testing.assert_allclose(walked, 30 + np.arange(1, 11), atol=1.5)


def test_times_are_the_videos_own(tmp_path: Path, pipeline: PosePipeline) -> None:
    results = list(pipeline(write_clip(tmp_path / "clip.mp4", 6, 30000 / 1001)))
    np.testing.assert_allclose([result.timestamp_ms for result in results], np.arange(6) * 1001 / 30, atol=0.5)


def test_identities_last_and_smoothing_follows_them(tmp_path: Path, pipeline: PosePipeline) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 10)
    assert {int(i) for result in pipeline(clip) for i in result.track_ids} == {1}
    plain = list(pipeline(clip))
    got: list[Any] = []
    process_video(pipeline, clip, filter_type="EMA", on_result=got.append)
    lag = np.array([a.keypoints[0, 0, 0] - b.keypoints[0, 0, 0] for a, b in zip(plain, got)])
    assert lag[0] == 0 and (lag[4:] > 0.3).all()


class DamagedCapture:
    """A clip whose frames with these numbers (from 1) do not decode."""

    def __init__(self, path: Path, damaged: set[int], missing_at_end: int = 0) -> None:
        self.capture, self.damaged, self.missing = cv2.VideoCapture(str(path)), damaged, missing_at_end
        self.number = 0

    def read(self, image: Any = None) -> tuple[bool, Any]:
        self.number += 1
        ok, image = self.capture.read()
        return (False, None) if self.number in self.damaged else (ok, image)

    def get(self, prop: int) -> float:
        extra = self.missing if prop == cv2.CAP_PROP_FRAME_COUNT else 0
        return self.capture.get(prop) + extra

    def release(self) -> None:
        self.capture.release()


def test_damaged_frames_are_reported_and_numbers_stay_right(
    tmp_path: Path, pipeline: PosePipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 12)
    monkeypatch.setattr("ppdet.inference.video.reader.open_capture", lambda source: DamagedCapture(clip, {4, 5, 9}, 3))
    report = process_video(pipeline, clip, tmp_path / "out.mp4", tmp_path / "out.json")
    assert report.frames == 12 and report.unreadable == [4, 5, 9]
    content = json.loads((tmp_path / "out.json").read_text())
    assert [len(record[1]) for record in content] == [1, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1]
    assert content[5][2][0][0][0][0] == pytest.approx(36, abs=1.5)  # frame 6 is where frame 6 was
    assert read_back(tmp_path / "out.mp4")[0] == 12
    assert "3 frames could not be decoded (4-5, 9)" in caplog.text
    assert "promises 15 frames and ends after 12" in caplog.text
    assert report.missing == 3 and report.exit_status() == 1


def test_a_file_damaged_in_the_middle_is_read_to_its_end(tmp_path: Path, pipeline: PosePipeline) -> None:
    clip = write_clip(tmp_path / "clip.avi", 30, 25.0, codec="MJPG")
    data = bytearray(clip.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    clip.write_bytes(data)
    report = process_video(pipeline, clip, tmp_path / "out.avi")
    assert 28 <= report.frames <= 30 and read_back(tmp_path / "out.avi")[0] == report.frames


@pytest.mark.parametrize("content", [b"", b"not a video", None])
def test_what_is_no_video_is_refused(tmp_path: Path, pipeline: PosePipeline, content: bytes | None) -> None:
    path = tmp_path / "bad.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError, match="bad.mp4"):
        process_video(pipeline, path, tmp_path / "out.mp4")
    with pytest.raises(MediaError, match="bad.mp4"):
        pipeline(path)
    assert not (tmp_path / "out.mp4").exists()


def test_a_truncated_video_is_an_error_or_a_shorter_video(tmp_path: Path, pipeline: PosePipeline) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 20)
    clip.write_bytes(clip.read_bytes()[:-400])  # the index at the end is gone
    with pytest.raises(MediaError, match="does not open as a video"):
        process_video(pipeline, clip)


def test_a_camera_that_is_not_there(pipeline: PosePipeline) -> None:
    with pytest.raises(MediaError, match="camera 97 does not open"):
        pipeline(97)


def test_an_error_in_any_thread_ends_the_run_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 40)
    estimator = TopDownEstimator(PlantedRuntime(), pose_card())
    pipeline = PosePipeline(PlantedDetector([[10, 10, 90, 110]]), estimator)

    def full_disk(self: VideoWriter, image: np.ndarray) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(VideoWriter, "write", full_disk)
        with pytest.raises(OSError, match="no space left"):
            process_video(pipeline, clip, tmp_path / "out.mp4", tmp_path / "out.json")

    def broken_network(*_: object) -> None:
        raise RuntimeError("network broke")

    with monkeypatch.context() as patch:
        patch.setattr(estimator, "estimate_many", broken_network)
        with pytest.raises(RuntimeError, match="network broke"):
            process_video(pipeline, clip, tmp_path / "out.mp4", tmp_path / "out.json")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_stopping_early_closes_everything(tmp_path: Path, pipeline: PosePipeline) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 40)
    report = process_video(pipeline, clip, tmp_path / "out.mp4", max_frames=5)
    assert report.frames == 5 and read_back(tmp_path / "out.mp4")[0] == 5
    results = pipeline(clip)
    next(results)
    results.close()  # must not hang


def test_the_frames_to_read_are_those_that_are_left_or_asked_for(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 10)
    assert [VideoReader(clip).frames_to_read(count) for count in (None, 4, 99)] == [10, 4, 10]
    rest = VideoReader(clip, skip=7)
    assert rest.frames_to_read() == 3 == len(list(rest))


def test_progress_counts_up_to_max_frames(tmp_path: Path, pipeline: PosePipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    totals = []

    def progress(name: str, total: Any) -> Progress:
        totals.append(total)
        return Progress(name, total)

    monkeypatch.setattr("ppdet.inference.video.process.Progress", progress)
    process_video(pipeline, write_clip(tmp_path / "clip.mp4", 10), max_frames=4)
    assert totals == [4]


@pytest.mark.parametrize("end", [KeyboardInterrupt, Terminated])
def test_interrupted_work_leaves_whole_files_of_what_was_done(
    tmp_path: Path, pipeline: PosePipeline, caplog: pytest.LogCaptureFixture, end: type
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 40)

    def interrupt(result: Any) -> None:
        if result.frame_id == 8:
            raise end

    with pytest.raises(end):
        process_video(pipeline, clip, tmp_path / "out.mp4", tmp_path / "out.json", on_result=interrupt)
    assert read_back(tmp_path / "out.mp4")[0] == len(json.loads((tmp_path / "out.json").read_text())) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.json", "out.mp4"]
    assert "out.mp4 holds the 8 frames written so far" in caplog.text


def test_an_unknown_frame_rate_is_replaced_aloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for frames, expected in ((3, 25.0), (12, 30000 / 1001)):  # three frames tell no rate, twelve do by their time stamps
        clip = write_clip(tmp_path / f"clip{frames}.mp4", frames)
        for stated in (0.0, float("nan"), 90000.0):
            capture = DamagedCapture(clip, set())
            monkeypatch.setattr(capture, "get", lambda prop, stated=stated: stated if prop == cv2.CAP_PROP_FPS else 3.0)
            monkeypatch.setattr("ppdet.inference.video.reader.open_capture", lambda source, capture=capture: capture)
            assert VideoReader(clip).fps == pytest.approx(expected, abs=0.01)
    assert "25 is used instead" in caplog.text and "its time stamps give 29.97" in caplog.text


def test_a_container_without_encoder_gets_another_suffix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(video_writer.CODECS, ".ogv", ("XXXX",))
    with VideoWriter(tmp_path / "clip.ogv", 25.0, SIZE) as writer:
        writer.write(np.zeros((SIZE[1] * 2, SIZE[0] * 2, 3), np.uint8))  # another size is scaled
    assert writer.path == tmp_path / "clip.mp4" and read_back(writer.path)[0] == 1
    assert "writing" in caplog.text
    with pytest.raises(MediaError, match="cannot make the folder"):
        VideoWriter(writer.path / "below" / "a_file.mp4", 25.0, SIZE)
    with pytest.raises(MediaError, match="frames of 0 x 0 pixels"):
        VideoWriter(tmp_path / "clip2.mp4", 25.0, (0, 0))


def test_a_slow_consumer_holds_the_reader_back() -> None:
    made = []

    def count() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    source = BackgroundSource(count(), ahead=3)
    taken = [item for item, _ in zip(source, range(5))]
    assert taken == [0, 1, 2, 3, 4] and len(made) <= 5 + 3 + 2
    source.close()


def test_errors_cross_threads() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise MediaError("frame 2 is on fire")

    with pytest.raises(MediaError, match="on fire"):
        list(BackgroundSource(broken()))
    seen: list[int] = []
    sink = BackgroundSink(seen.append)
    for number in range(50):
        sink.put(number)
    sink.close()
    assert seen == list(range(50))


def test_numbers_as_ranges() -> None:
    assert ranges_text([3, 4, 5, 9]) == "3-5, 9"
    assert ranges_text([1, 3, 5, 7], most=2) == "1, 3, ..."
    assert SKELETON.num_keypoints == 3


@pytest.mark.parametrize("end", [KeyboardInterrupt, Terminated])
def test_a_camera_ends_with_a_signal_and_keeps_what_it_recorded(
    tmp_path: Path, pipeline: PosePipeline, monkeypatch: pytest.MonkeyPatch, end: type
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 40)
    monkeypatch.setattr("ppdet.inference.video.reader.open_capture", lambda source: cv2.VideoCapture(str(clip)))
    seen = []

    def signal_at_the_eighth(result: object) -> None:
        seen.append(result)
        if len(seen) == 8:
            raise end

    report = process_video(pipeline, 0, tmp_path / "out.mp4", tmp_path / "out.json", on_result=signal_at_the_eighth)
    assert report.frames == read_back(tmp_path / "out.mp4")[0] == len(json.loads((tmp_path / "out.json").read_text())) == 8


def test_a_camera_that_disappears_leaves_what_it_showed(
    tmp_path: Path, pipeline: PosePipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 9)
    monkeypatch.setattr("ppdet.inference.video.reader.open_capture", lambda source: cv2.VideoCapture(str(clip)))
    report = process_video(pipeline, 0, tmp_path / "out.mp4", tmp_path / "out.json")
    assert report.frames == read_back(tmp_path / "out.mp4")[0] == len(json.loads((tmp_path / "out.json").read_text())) == 9
    assert "camera 0 gives no more frames after 9" in caplog.text


def test_a_live_video_keeps_its_pace_when_frames_are_dropped(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", 25.0, SIZE) as video:
        sink = FrameSink(StageTimer(), video)
        for index in (1, 2, 6, 7):
            sink.write(Frame(index, None, np.full((SIZE[1], SIZE[0], 3), 20 * index, np.uint8)), np.copy)
        sink.finish()
    capture = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    levels = [float(frame.mean()) for _, frame in iter(capture.read, (False, None))]
    np.testing.assert_allclose(levels, [20, 40, 120, 120, 120, 120, 140], atol=4)


UNCLOSED = """
import itertools, sys
import cv2
from ppdet.inference.video.background import BackgroundSink, BackgroundSource
from ppdet.inference.video.opening import is_live

def frames():
    for _ in itertools.count():
        capture = cv2.VideoCapture(sys.argv[1])
        while capture.read()[0]:
            yield 0

source, sink = BackgroundSource(frames(), ahead=10**6), BackgroundSink(print)
next(iter(source))
sys.exit(3)
"""


def test_a_process_that_ends_without_closing_its_threads_ends_well(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    write_clip(clip, frames=60)
    ended = subprocess.run([sys.executable, "-c", UNCLOSED, str(clip)], capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 3, ended.stderr  # -6: "terminate called", from a thread that was within OpenCV

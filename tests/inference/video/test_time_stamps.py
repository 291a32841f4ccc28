"""Containers that promise what is not there: cut videos are told, wrong frame rates are corrected by the time stamps."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.planted_models import PlantedDetector, PlantedRuntime, planted_person, pose_card

from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.video.process import process_video
from ppdet.inference.video.reader import VideoReader
from ppdet.inference.video.timing import Stamps, frame_stamps, in_order, measured_fps, missing_frames, packet_stamps

SIZE = (96, 128)
FRAMES, FPS = 60, 25.0


def write_noise(path: Path, codec: str) -> Path:
    """A video whose frames are of much the same size in bytes."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), FPS, SIZE)
    assert writer.isOpened()
    noise = np.random.default_rng(0)
    for _ in range(FRAMES):
        writer.write(noise.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8))
    writer.release()
    return path


@pytest.fixture
def pipeline() -> PosePipeline:
    return PosePipeline(PlantedDetector([[10, 10, 90, 110]]), TopDownEstimator(PlantedRuntime(), pose_card()))


@pytest.mark.parametrize(("suffix", "codec"), [(".avi", "MJPG"), (".mkv", "mp4v")])
def test_a_cut_video_is_reported(
    tmp_path: Path, pipeline: PosePipeline, caplog: pytest.LogCaptureFixture, suffix: str, codec: str
) -> None:
    clip = write_noise(tmp_path / f"clip{suffix}", codec)
    whole = process_video(pipeline, clip)
    assert (whole.frames, whole.missing, whole.exit_status()) == (FRAMES, 0, 0)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 5])
    report = process_video(pipeline, clip, tmp_path / "out.mp4", tmp_path / "out.json")
    assert 0 < report.frames < FRAMES and report.missing == FRAMES - report.frames and report.exit_status() == 1
    assert f"promises {FRAMES} frames and ends after {report.frames}" in caplog.text
    assert "ERROR" in [record.levelname for record in caplog.records]
    assert len(json.loads((tmp_path / "out.json").read_text())) == report.frames


@pytest.mark.skipif(not hasattr(cv2, "CAP_PROP_PTS"), reason="OpenCV before 4.11 does not tell it")
def test_a_recording_that_does_not_begin_at_zero_is_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Matroska's duration (element 44 89) counts from 0; the first time stamp is that of the cluster (E7), 0.2 s here."""
    clip = write_noise(tmp_path / "clip.mkv", "MJPG")
    data = bytearray(clip.read_bytes())
    at = data.index(b"\xe7\x81\x00", data.index(b"\x1f\x43\xb6\x75"))
    data[at + 2] = 200
    at = data.index(b"\x44\x89\x88") + 3
    data[at : at + 8] = struct.pack(">d", struct.unpack(">d", data[at : at + 8])[0] + 200)
    clip.write_bytes(data)
    assert cv2.VideoCapture(str(clip)).get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES + 5
    with VideoReader(clip) as reader:
        assert len(list(reader)) == FRAMES
    assert (reader.missing, reader.exit_status()) == (0, 0) and "missing" not in caplog.text
    clip.write_bytes(data[: len(data) * 2 // 5])
    with VideoReader(clip) as reader:
        count = len(list(reader))
    assert reader.missing == FRAMES - count > 0 and f"promises {FRAMES} frames and ends after {count}" in caplog.text


def test_a_rate_that_no_camera_has_is_not_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nor are the time stamps that follow from it: AVI has none of its own."""
    clip = write_noise(tmp_path / "clip.avi", "MJPG")
    data = bytearray(clip.read_bytes())
    struct.pack_into("<II", data, data.index(b"strh") + 28, 1, 1_000_000)  # dwScale, dwRate
    clip.write_bytes(data)
    with VideoReader(clip) as reader:
        assert reader.fps == 25
        assert [frame.timestamp_ms for frame in reader] == [None] * FRAMES
    assert "states 1e+06 frames per second; 25 is used instead" in caplog.text


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_wrong_frame_rate_is_corrected(
    tmp_path: Path, pipeline: PosePipeline, caplog: pytest.LogCaptureFixture, factor: float
) -> None:
    """Matroska states the time of a frame (DefaultDuration, element 23 E3 83, nanoseconds) beside the frames' own stamps."""
    clip = write_noise(tmp_path / "clip.mkv", "MJPG")
    data = bytearray(clip.read_bytes())
    at = data.index(b"\x23\xe3\x83")
    size = data[at + 3] & 0x7F
    duration = int.from_bytes(data[at + 4 : at + 4 + size], "big")
    assert duration == 1e9 / FPS
    data[at + 4 : at + 4 + size] = int(duration * factor).to_bytes(size, "big")
    clip.write_bytes(data)
    stated = cv2.VideoCapture(str(clip)).get(cv2.CAP_PROP_FPS)
    assert stated == pytest.approx(FPS / factor)  # what OpenCV makes of it
    report = process_video(pipeline, clip, tmp_path / "out.mp4")
    assert (report.frames, report.missing, report.exit_status()) == (FRAMES, 0, 0)
    assert cv2.VideoCapture(str(report.written[0])).get(cv2.CAP_PROP_FPS) == pytest.approx(FPS, rel=0.01)
    assert "its time stamps give 25" in caplog.text and "promises" not in caplog.text
    stamps = [frame.timestamp_ms for frame in VideoReader(clip)]
    np.testing.assert_allclose(stamps, np.arange(FRAMES) * 1000 / FPS, atol=1)


def test_a_stated_average_stands_against_a_slow_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phones film with a variable rate, whose average the container rightly states."""
    stamps = [frame * 50.0 for frame in range(40)] + [2000 + frame * 100 / 3 for frame in range(400)]

    class Capture:
        def __init__(self, *_: object) -> None:
            self.grabbed = 0

        def grab(self) -> bool:
            self.grabbed += 1
            return self.grabbed <= len(stamps)

        def get(self, _: int) -> float:
            return stamps[self.grabbed - 1]

        def release(self) -> None:
            pass

    monkeypatch.setattr("ppdet.inference.video.timing.cv2.VideoCapture", Capture)
    average = 1000 * (len(stamps) - 1) / stamps[-1]
    assert measured_fps("clip.mp4", average) == pytest.approx(average)
    assert measured_fps("clip.mp4", 20.0) == pytest.approx(20.0)  # agrees with the first frames, so no more is read


def test_what_counts_as_missing() -> None:
    def stamps(frames: int, fps: float) -> Stamps:
        made = Stamps()
        for frame in range(frames):
            made.add(frame + 1, frame * 1000 / fps)
        return made

    assert missing_frames(540, 30, 213, stamps(213, 30)) == 540 - 213
    assert missing_frames(540, 30, 540, stamps(540, 30)) == 0
    assert missing_frames(1080, 60, 540, stamps(540, 30)) == 0  # a count made from a wrong rate
    assert missing_frames(540, 30, 536, stamps(536, 30)) == 0  # within a hundredth: counts are rounded
    assert missing_frames(30, 30, 27, Stamps()) == 3  # no stamps: the count is all there is
    assert missing_frames(30, 30, 29, Stamps()) == 0


def test_frames_are_kept_on_request(tmp_path: Path, pipeline: PosePipeline) -> None:
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), FPS, SIZE)
    for number in range(3):
        writer.write(planted_person(SIZE, np.array([[30.0 + number, 30], [20, 60], [60, 70]]), 5.0)[..., ::-1])
    writer.release()
    assert [result.image for result in pipeline(clip)] == [None] * 3
    for result in pipeline(clip, keep_frames=True):
        assert result.draw().shape == result.image.shape == (SIZE[1], SIZE[0], 3)


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "mp4v"), (".avi", "MJPG"), (".mkv", "mp4v")])
def test_stamps_of_packets_are_those_of_frames(tmp_path: Path, suffix: str, codec: str) -> None:
    path = write_noise(tmp_path / f"clip{suffix}", codec)
    assert list(packet_stamps(path)) == list(frame_stamps(path)) != []


def test_packets_come_in_the_order_of_decoding() -> None:
    """Here 16 of them come after the one that is shown last."""
    decoding = [0, 17, *range(1, 17), 34, *range(18, 34)]
    assert list(in_order(40.0 * place for place in decoding)) == [40.0 * place for place in range(35)]

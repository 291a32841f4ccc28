"""GIF files without control blocks: every image is a frame."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from ppdet.inference.video.plain_gif import playable
from ppdet.inference.video.reader import VideoReader

SIDE = 16
GREYS = [10, 60, 110]


def image_block(grey: int) -> bytes:
    """An image of one grey, coded without compression: 8-bit codes, with a clear code (128) before they would grow."""
    pixels = bytes([grey] * SIDE)
    data = b"".join(b"\x80" + pixels for _ in range(SIDE)) + b"\x81"
    parts = [data[place : place + 255] for place in range(0, len(data), 255)]
    placed = np.array([0, 0, SIDE, SIDE], "<u2").tobytes()
    return b"\x2c" + placed + b"\x00\x07" + b"".join(bytes([len(part)]) + part for part in parts) + b"\x00"


def write_gif(path: Path, before: bytes = b"", version: bytes = b"87a", images: int = 3) -> Path:
    screen = np.array([SIDE, SIDE], "<u2").tobytes() + b"\xf6\x00\x00"
    table = bytes(value for grey in range(128) for value in (2 * grey,) * 3)
    path.write_bytes(b"GIF" + version + screen + table + before + b"".join(image_block(g) for g in GREYS[:images]) + b"\x3b")
    return path


@pytest.mark.parametrize("version", [b"87a", b"89a"])
@pytest.mark.parametrize("images", [1, 3])
def test_every_image_is_a_frame(tmp_path: Path, version: bytes, images: int) -> None:
    before = set(Path(tempfile.gettempdir()).glob("*.gif"))
    with VideoReader(write_gif(tmp_path / "plain.gif", version=version, images=images)) as reader:
        assert images == 1 or reader.fps == pytest.approx(10)
        frames = [frame.image for frame in reader]
    assert [int(frame.mean()) for frame in frames if frame is not None] == pytest.approx([2 * g for g in GREYS[:images]], abs=3)
    assert not (reader.missing or reader.unreadable)
    assert set(Path(tempfile.gettempdir()).glob("*.gif")) == before


def test_only_such_a_gif_is_copied(tmp_path: Path) -> None:
    control = write_gif(tmp_path / "control.gif", b"\x21\xf9\x04\x00\x05\x00\x00\x00", b"89a")
    cut, other = tmp_path / "cut.gif", tmp_path / "other.mp4"
    cut.write_bytes(control.read_bytes()[:40])
    other.write_bytes(b"no video at all")
    for path in (control, cut, other):
        with playable(path) as place:
            assert place == path


def test_a_gif_that_is_cut_off_stays_cut_off(tmp_path: Path) -> None:
    whole = write_gif(tmp_path / "whole.gif").read_bytes()
    for end in range(397, len(whole), 7):
        (tmp_path / "cut.gif").write_bytes(whole[:end])
        with playable(tmp_path / "cut.gif") as place:
            content = place.read_bytes()
        assert len(content) - 8 * content.count(b"\x21\xf9\x04") in (end, end + 8) and content.endswith(whole[end - 1 : end])

"""Files that are not whole images are named, not guessed at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ppdet.core.errors import MediaError
from ppdet.image import list_images, read_image, write_image


@pytest.fixture
def pixels() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


def test_round_trip_is_rgb(tmp_path: Path, pixels: np.ndarray) -> None:
    pixels[..., 0] = 255
    file = write_image(tmp_path / "a.png", pixels)
    assert (read_image(file) == pixels).all()
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot read"), (b"", "empty"), (b"hello", "not an image"), ("half a jpeg", "truncated")],
)
def test_bad_files_are_named(tmp_path: Path, pixels: np.ndarray, content: object, words: str) -> None:
    file = tmp_path / "bad.jpg"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        data = cv2.imencode(".jpg", pixels)[1].tobytes()
        file.write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError, match=words) as caught:
        read_image(file)
    assert "bad.jpg" in str(caught.value)


def test_jpeg_with_a_thumbnail_cut_in_its_pixels_is_truncated(tmp_path: Path, pixels: np.ndarray) -> None:
    data = cv2.imencode(".jpg", pixels)[1].tobytes()
    thumbnail = cv2.imencode(".jpg", pixels[:8, :8])[1].tobytes()
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = data[:2] + segment + data[2:]
    (tmp_path / "whole.jpg").write_bytes(whole)
    assert read_image(tmp_path / "whole.jpg").shape == pixels.shape
    (tmp_path / "cut.jpg").write_bytes(whole[:-40])
    with pytest.raises(MediaError, match="truncated"):
        read_image(tmp_path / "cut.jpg")


def test_folders(tmp_path: Path, pixels: np.ndarray) -> None:
    with pytest.raises(MediaError, match="no image in"):
        list_images(tmp_path)
    with pytest.raises(MediaError, match="is not a folder"):
        list_images(tmp_path / "nowhere")
    write_image(tmp_path / "b.PNG", pixels)
    write_image(tmp_path / "a.jpg", pixels)
    (tmp_path / "notes.txt").write_text("x")
    assert [p.name for p in list_images(tmp_path)] == ["a.jpg", "b.PNG"]


def test_unwritable_suffix_is_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    with pytest.raises(MediaError, match="not an image format"):
        write_image(tmp_path / "a.xyz", pixels)

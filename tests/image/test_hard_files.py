"""Files from the field: deep, turned, cut, huge or no image at all."""

from __future__ import annotations

import logging
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.image_files import bomb_png, png_chunk, with_exif

from ppdet.core.errors import ConfigError, MediaError, PpdetError
from ppdet.image import list_images, pixels_of_pil, read_image, to_uint8
from ppdet.image.header import read_header
from ppdet.image.io import read_image_header


@pytest.fixture
def photo() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2)


# bit depth


def write_deep(path: Path, high: int) -> Path:
    ramp = np.linspace(0, high, 64).astype(np.uint16)
    cv2.imwrite(str(path), np.tile(ramp, (8, 1)))
    return path


@pytest.mark.parametrize(("high", "white"), [(200, 255), (1000, 1023), (4080, 4095), (16000, 16383), (65535, 65535)])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_deep_images_use_their_own_range(tmp_path: Path, high: int, white: int, suffix: str) -> None:
    image = read_image(write_deep(tmp_path / f"deep{suffix}", high))
    assert image.dtype == np.uint8 and image.shape == (8, 64, 3)
    assert image.max() == round(high * 255 / white) and image.min() == 0


def test_path_array_and_pil_image_agree(tmp_path: Path) -> None:
    pil = pytest.importorskip("PIL.Image")
    path = write_deep(tmp_path / "deep.png", 4000)
    image = read_image(path)
    array = to_uint8(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    assert (image[..., 0] == array).all()
    assert (pixels_of_pil(pil.open(path)) == image).all()
    wide = read_image(path, image_range=[0, 8000])
    assert wide.max() == 128 and (pixels_of_pil(pil.open(path), (0, 8000)) == wide).all()


def test_a_png_that_states_its_bits_is_believed(tmp_path: Path) -> None:
    data = write_deep(tmp_path / "dark.png", 300).read_bytes()
    (tmp_path / "dark.png").write_bytes(data[:33] + png_chunk(b"sBIT", b"\x0c") + data[33:])
    assert read_image(tmp_path / "dark.png").max() == round(300 * 255 / 4095)


def test_ranges_that_nobody_knows_are_refused(tmp_path: Path) -> None:
    assert to_uint8(np.array([0, 0.5, 1])).tolist() == [0, 128, 255]
    assert to_uint8(np.array([-1000.0, 0.0, 1000.0]), (-1000, 1000)).tolist() == [0, 128, 255]
    for values in (np.array([-1000.0, 1000.0]), np.array([-5, 3], np.int16), np.array([0, 1 << 20])):
        with pytest.raises(MediaError, match="image_range"):
            to_uint8(values)
    for wrong in ([1], [5, 5], "white", [0, float("nan")]):
        with pytest.raises(ConfigError, match="image_range is"):
            read_image(write_deep(tmp_path / "a.png", 9), image_range=wrong)


# orientation


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_turns_as_viewers_do(tmp_path: Path, suffix: str, orientation: int) -> None:
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:8, :16] = 250  # the stored top left corner
    path = with_exif(tmp_path / f"a{suffix}", stored, orientation)
    upright = read_image(path, apply_orientation=True)
    corner = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "tl", 6: "tr", 7: "br", 8: "bl"}[orientation]
    assert upright.shape == ((32, 16, 3) if orientation >= 5 else (16, 32, 3))
    row, column = (-3 if "b" in corner else 2), (-3 if "r" in corner else 2)
    assert upright[row, column].min() > 200 and (upright > 200).mean() == pytest.approx(0.25, abs=0.05)
    assert read_image(path)[2, 2].min() > 200


def directory(order: str, *entries: tuple[int, int, int]) -> bytes:
    """An EXIF segment of a JPEG whose directory holds (tag, type, value) entries."""
    layout = {1: "B3x", 3: "H2x", 4: "I"}
    rows = [struct.pack(f"{order}HHI{layout[kind]}", tag, kind, 1, value) for tag, kind, value in entries]
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(entries))
    segment = b"Exif\0\0" + head + b"".join(rows) + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment


ORIENTATION, OTHER = 0x0112, 0x0132


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        (directory("<", (OTHER, 3, 1), (ORIENTATION, 3, 6)), 6),
        (directory(">", (ORIENTATION, 4, 6), (OTHER, 3, 1)), 6),
        (directory(">", (ORIENTATION, 3, 6), (ORIENTATION, 3, 3)), 6),
        (directory(">", (ORIENTATION, 3, 6)) + directory(">", (ORIENTATION, 3, 3)), 6),
        (directory(">", (ORIENTATION, 1, 6)), 1),  # a byte: ignored by browsers, Pillow and OpenCV alike
        (directory(">", (ORIENTATION, 3, 9)), 1),
        (b"\xff\xe1\0\x10Exif\0\0MM\0*\x7f\xff\xff\xff", 1),
    ],
)
def test_orientation_in_unusual_directories(tmp_path: Path, segments: bytes, expected: int) -> None:
    data = cv2.imencode(".jpg", np.zeros((16, 32, 3), np.uint8))[1].tobytes()
    (tmp_path / "a.jpg").write_bytes(data[:2] + segments + data[2:])
    header = read_image_header(tmp_path / "a.jpg")
    assert header is not None and header.orientation == expected


@pytest.mark.parametrize("channels", [1, 3])
def test_floating_point_tiff(tmp_path: Path, channels: int) -> None:
    values = np.linspace(0, 1, 8 * 6 * channels, dtype=np.float32).reshape(6, 8, channels)
    cv2.imwrite(str(tmp_path / "a.tif"), values)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[..., ::-1], np.rint(values * 255) * np.ones(3))
    cv2.imwrite(str(tmp_path / "a.tif"), values * 255)
    with pytest.raises(MediaError, match="which of them mean black and white is not known. Give image_range"):
        read_image(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif", image_range=[0, 255]).max() == 255


# cut files


@pytest.mark.parametrize("options", [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 4]])
def test_half_a_jpeg_with_an_end_marker_is_truncated(tmp_path: Path, photo: np.ndarray, options: list[int]) -> None:
    data = cv2.imencode(".jpg", photo, options)[1].tobytes()
    whole, cut = tmp_path / "whole.jpg", tmp_path / "cut.jpg"
    whole.write_bytes(data)
    assert read_image(whole).shape == photo.shape
    cut.write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    with pytest.raises(MediaError, match="cut.jpg is a truncated JPEG"):
        read_image(cut)


@pytest.mark.parametrize("options", [[], [cv2.IMWRITE_JPEG_RST_INTERVAL, 3], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]])
def test_a_whole_jpeg_with_a_grey_corner_is_whole(tmp_path: Path, photo: np.ndarray, options: list[int]) -> None:
    photo[60:] = 128
    (tmp_path / "grey.jpg").write_bytes(cv2.imencode(".jpg", photo, options)[1].tobytes())
    assert (read_image(tmp_path / "grey.jpg")[-1, -1] == 128).all()


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".tiff"])
def test_half_of_other_files_is_refused(tmp_path: Path, photo: np.ndarray, suffix: str) -> None:
    data = cv2.imencode(suffix, photo)[1].tobytes()
    (tmp_path / f"half{suffix}").write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError, match="half"):
        read_image(tmp_path / f"half{suffix}")


# size


def test_bombs_are_refused_before_they_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bomb.png").write_bytes(bomb_png(20000, 20000))
    with monkeypatch.context() as patched, pytest.raises(MediaError, match="20000 x 20000 pixels, more than the 178956970"):
        patched.setattr("ppdet.image.io.cv2.imdecode", None)
        read_image(tmp_path / "bomb.png")
    (tmp_path / "small.png").write_bytes(bomb_png(300, 200))
    with pytest.raises(MediaError, match="more than the 50000"):
        read_image(tmp_path / "small.png", max_pixels=50000)
    monkeypatch.setenv("PPDET_MAX_IMAGE_PIXELS", "59999")
    with pytest.raises(MediaError, match="more than the 59999"):
        read_image(tmp_path / "small.png")
    monkeypatch.setenv("PPDET_MAX_IMAGE_PIXELS", "60000")
    assert read_image(tmp_path / "small.png").shape == (200, 300, 3)
    monkeypatch.setenv("PPDET_MAX_IMAGE_PIXELS", "many")
    with pytest.raises(ConfigError, match="PPDET_MAX_IMAGE_PIXELS"):
        read_image(tmp_path / "small.png")


def test_sides_that_opencv_cannot_warp_are_refused(tmp_path: Path) -> None:
    (tmp_path / "strip.png").write_bytes(bomb_png(40000, 2))
    with pytest.raises(MediaError, match="at most 32766 pixels per side"):
        read_image(tmp_path / "strip.png")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tiff", ".jp2", ".ppm"])
def test_header_size_equals_decoded_size(photo: np.ndarray, suffix: str) -> None:
    header = read_header(cv2.imencode(suffix, photo)[1].tobytes())
    assert header is not None and header.wh == (160, 120)


# no images


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60), "HEIC"),
        (b"GIF89a" + bytes(40), "GIF"),
        (bytes(128) + b"DICM" + bytes(40), "DICOM"),
        (b"PK\x03\x04" + bytes(40), "ZIP"),
        (b"<!DOCTYPE html><html>not found</html>", "HTML"),
        (b"\0\0\0\x18ftypisom" + bytes(60), "video"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(MediaError, match=f"a.jpg is a.* {name}"):
        read_image(tmp_path / "a.jpg")


def test_folders_name_what_they_leave_out(tmp_path: Path, photo: np.ndarray, caplog: pytest.LogCaptureFixture) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), photo)
    for name in ("b.HEIC", "c.gif", "notes.txt", "labels.json", ".hidden"):
        (tmp_path / name).write_bytes(b"x")
    with caplog.at_level(logging.WARNING):
        assert [path.name for path in list_images(tmp_path)] == ["a.png", "b.HEIC", "c.gif"]
    assert "2 files are not images and are left out (1 with .json, 1 with .txt)" in caplog.text


def test_devices_pipes_and_impossible_names_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for path, words in ((tmp_path / "pipe.jpg", "a named pipe"), ("/dev/zero", "a device"), (tmp_path, "a folder"),
                        ("a\0b", "no file can have this name"), ("x" * 5000, "cannot read image")):  # fmt: skip
        with pytest.raises(MediaError, match=words):
            read_image(path)


SEEDS = [cv2.imencode(suffix, np.full((24, 24, 3), 90, np.uint8))[1].tobytes() for suffix in (".jpg", ".png", ".webp", ".tiff")]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6), st.integers(0, 4000))
def test_no_bytes_end_in_a_traceback(tmp_path_factory, seed: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(seed)
    for at, value in changes:
        data[at % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "fuzz.jpg"
    path.write_bytes(bytes(data[: cut or None]))
    try:
        image = read_image(path, apply_orientation=True, max_pixels=100_000)
    except PpdetError as error:
        assert "fuzz.jpg" in str(error)
    else:
        assert image.ndim == 3 and image.dtype == np.uint8

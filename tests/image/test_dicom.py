"""DICOM files as images: window, inversion, spacing, and what is refused."""

from __future__ import annotations

import builtins
import struct
import zlib

import cv2
import numpy as np
import pytest
from support.dicom_files import compress_dicom, write_dicom

from ppdet.core.errors import ConfigError, MediaError
from ppdet.image.dicom import dicom_spacing
from ppdet.image.header import is_dicom
from ppdet.image.io import drawn_name, list_images, read_image, read_image_header

RAMP = (np.arange(6 * 8, dtype=np.uint16) * 80).reshape(6, 8)  # 0 to 3760 of 4095


def grey(values) -> np.ndarray:
    """(H, W, 3) rounded."""
    return np.repeat(np.rint(np.clip(values, 0, 255)).astype(np.uint8)[..., None], 3, axis=2)


def test_without_a_window_the_stored_bits_are_the_range(tmp_path):
    assert np.array_equal(read_image(write_dicom(tmp_path / "a.dcm", RAMP)), grey(RAMP / 4095 * 255))
    dark = write_dicom(tmp_path / "dark.dcm", RAMP // 100)  # 12 bits stated, values to 37: stays dark, unlike a PNG
    assert read_image(dark).max() == round(37 / 4095 * 255)


def test_monochrome1_is_inverted(tmp_path):
    plain = read_image(write_dicom(tmp_path / "a.dcm", RAMP))
    inverse = read_image(write_dicom(tmp_path / "b.dcm", RAMP, PhotometricInterpretation="MONOCHROME1"))
    assert np.array_equal(inverse, 255 - plain)


def test_windows_follow_the_standard(tmp_path):
    """PS3.3 C.11.2.1.2: linear is (x - (c - .5)) / (w - 1) + .5, linear exact (x - c) / w + .5, sigmoid 1 / (1 + e^-4(x-c)/w)."""
    window = {"WindowCenter": 1500, "WindowWidth": 1000}
    x = RAMP.astype(float)
    expected = {"LINEAR": (x - 1499.5) / 999 + 0.5, "LINEAR_EXACT": (x - 1500) / 1000 + 0.5,
                "SIGMOID": 1 / (1 + np.exp(-4 * (x - 1500) / 1000))}  # fmt: skip
    for function, values in expected.items():
        file = write_dicom(tmp_path / f"{function}.dcm", RAMP, VOILUTFunction=function, **window)
        assert np.array_equal(read_image(file), grey(values * 255)), function
    several = write_dicom(tmp_path / "several.dcm", RAMP, WindowCenter=[1500, 10], WindowWidth=[1000, 10])
    assert np.array_equal(read_image(several), grey(expected["LINEAR"] * 255))  # the first one
    none = write_dicom(tmp_path / "none.dcm", RAMP, WindowCenter=0, WindowWidth=0)  # what some devices write
    assert np.array_equal(read_image(none), grey(x / 4095 * 255))


def test_a_stated_range_replaces_the_window(tmp_path):
    file = write_dicom(tmp_path / "a.dcm", RAMP, WindowCenter=1500, WindowWidth=1000)
    assert np.array_equal(read_image(file, image_range=[1000, 3000]), grey((RAMP - 1000.0) / 2000 * 255))


def test_slope_and_intercept(tmp_path):
    signed = (RAMP.astype(np.int16) - 2000)
    file = write_dicom(tmp_path / "s.dcm", signed)
    assert np.array_equal(read_image(file), grey((signed + 2048) / 4095 * 255))
    scaled = write_dicom(tmp_path / "r.dcm", RAMP, RescaleSlope=2, RescaleIntercept=-1000)
    assert np.array_equal(read_image(scaled), grey(RAMP / 4095 * 255))
    window = write_dicom(tmp_path / "w.dcm", RAMP, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=2000, WindowWidth=2001)
    assert np.array_equal(read_image(window), grey(((RAMP * 2.0 - 1000 - 1999.5) / 2000 + 0.5) * 255))


def test_voi_table(tmp_path):
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4, 1000, 8], [0, 100, 200, 255]
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    pixels = np.array([[0, 1000, 1001], [1002, 1003, 4000]], np.uint16)
    file = write_dicom(tmp_path / "t.dcm", pixels, VOILUTSequence=Sequence([table]))
    assert read_image(file)[..., 0].tolist() == [[0, 0, 100], [200, 255, 255]]


def test_colour_and_files_without_preamble(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(read_image(write_dicom(tmp_path / "c.dcm", rgb, bits=8)), rgb)
    old = write_dicom(tmp_path / "old.dcm", RAMP, preamble=False)
    assert old.read_bytes()[:2] == b"\x08\x00" and is_dicom(old.read_bytes())
    assert np.array_equal(read_image(old), grey(RAMP / 4095 * 255))


def test_size_names_and_folders(tmp_path):
    file = write_dicom(tmp_path / "hand.dcm", RAMP)
    header = read_image_header(file)
    assert header is not None and header.wh == (8, 6) and header.format == "DICOM"
    assert list_images(tmp_path) == [file]
    assert drawn_name("hand.dcm") == "hand.png" and drawn_name("hand.jpg") == "hand.jpg"


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"PixelSpacing": [0.2, 0.1], "ImagerPixelSpacing": [0.5, 0.5]}, (0.2, 0.1)),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1)),
        ({"ImagerPixelSpacing": [0.2, 0.1], "EstimatedRadiographicMagnificationFactor": 1.25}, (0.16, 0.08)),
        ({"NominalScannedPixelSpacing": [0.3, 0.3]}, (0.3, 0.3)),
        ({"PixelSpacing": [0, 0]}, None),
        ({}, None),
    ],
)
def test_spacing(tmp_path, elements, expected):
    found = dicom_spacing(write_dicom(tmp_path / "a.dcm", RAMP, **elements))
    assert found == (None if expected is None else pytest.approx(expected))


def test_spacing_of_other_files(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    assert dicom_spacing(tmp_path / "a.png") is None and dicom_spacing(tmp_path / "missing.dcm") is None


def test_refused_files(tmp_path, monkeypatch):
    frames = np.repeat(RAMP[None], 3, axis=0)
    cine = write_dicom(tmp_path / "cine.dcm", RAMP, NumberOfFrames=3, PixelData=frames.tobytes())
    report = write_dicom(tmp_path / "report.dcm", None)
    no_pixels = write_dicom(tmp_path / "empty.dcm", RAMP, PixelData=None)
    damaged = tmp_path / "damaged.dcm"
    damaged.write_bytes(write_dicom(tmp_path / "whole.dcm", RAMP).read_bytes()[:-40])
    deflated = tmp_path / "deflated.dcm"
    deflated.write_bytes(cine.read_bytes()[:160] + b"1.2.840.10008.1.2.1.99" + bytes(50))
    bad_window = write_dicom(tmp_path / "window.dcm", RAMP, WindowCenter=5, WindowWidth=10, VOILUTFunction="CUBIC")
    large = write_dicom(tmp_path / "large.dcm", RAMP, Rows=30000, Columns=30000)
    for file, words in [(cine, "3 frames"), (report, "without an image"), (no_pixels, "missing"), (damaged, "cannot be decoded"),
                        (deflated, "deflated"), (bad_window, "image_range"), (large, "more than")]:  # fmt: skip
        with pytest.raises(MediaError, match=words) as caught:
            read_image(file)
        assert file.name in str(caught.value)


def test_without_pydicom(tmp_path, monkeypatch):
    file = write_dicom(tmp_path / "a.dcm", RAMP)
    real = builtins.__import__

    def no_pydicom(name, *args, **kwargs):
        if name.split(".")[0] == "pydicom":
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_pydicom)
    with pytest.raises(ConfigError, match=r"pip install pydicom"):
        read_image(file)


def test_a_file_of_two_formats_is_what_its_beginning_says(tmp_path):
    """A PNG with "DICM" at byte 128 is checked as a PNG (by the service, too) and must be read as one."""
    png = bytearray(cv2.imencode(".png", np.full((40, 40, 3), 7, np.uint8))[1].tobytes())
    comment = bytes(200)
    chunk = struct.pack(">I", len(comment)) + b"prVt" + comment
    png[33:33] = chunk + struct.pack(">I", zlib.crc32(chunk[4:]))
    png[128:132] = b"DICM"
    png[33 + 8 + 200 : 33 + 12 + 200] = struct.pack(">I", zlib.crc32(bytes(png[37 : 41 + 200])))
    (tmp_path / "both.png").write_bytes(bytes(png))
    assert is_dicom(bytes(png)) and (read_image(tmp_path / "both.png") == 7).all()
    header = read_image_header(tmp_path / "both.png")
    assert header is not None and header.format == "PNG"


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize(
    "syntax", ["JPEGLosslessProcess14_1", "JPEGLosslessProcess14", "JPEGLSLossless", "JPEG2000Lossless", "RLELossless"]
)
def test_lossless_compression_changes_no_pixel(tmp_path, syntax, bits):
    pixels = (np.arange(40 * 56).reshape(40, 56) * 61 % (1 << bits)).astype(np.uint8 if bits == 8 else np.uint16)
    plain = write_dicom(tmp_path / "plain.dcm", pixels, bits=bits)
    file = compress_dicom(plain, syntax, tmp_path / "compressed.dcm")
    assert np.array_equal(read_image(file), read_image(plain))


@pytest.mark.parametrize("syntax", ["JPEGBaselineProcess1", "JPEG2000", "JPEGLSNearLossless"])
def test_compression_with_loss_is_read(tmp_path, syntax):
    smooth = np.add.outer(np.arange(40), np.arange(56)).astype(np.uint8)
    plain = write_dicom(tmp_path / "plain.dcm", smooth, bits=8)
    file = compress_dicom(plain, syntax, tmp_path / "compressed.dcm")
    difference = np.abs(read_image(file).astype(int) - read_image(plain).astype(int))
    assert difference.max() <= 3

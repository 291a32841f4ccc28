"""Files of several images: the first is read, and a warning counts them."""

from __future__ import annotations

import logging
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.image_files import png_chunk

from ppdet.image.header import read_header
from ppdet.image.io import read_image, write_image

PAGES = [np.full((24, 32, 3), value, np.uint8) for value in (10, 100, 200)]


def animated_webp() -> bytes:
    """VP8X with the animation bit, ANIM, and an ANMF per frame (WebP Container Specification)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    size = (31).to_bytes(3, "little") + (23).to_bytes(3, "little")
    frames = [cv2.imencode(".webp", page)[1].tobytes()[12:] for page in PAGES]
    body = chunk(b"VP8X", b"\x02\0\0\0" + size) + chunk(b"ANIM", b"\0" * 6)
    body += b"".join(chunk(b"ANMF", b"\0" * 6 + size + (100).to_bytes(3, "little") + b"\0" + frame) for frame in frames)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def animated_png() -> bytes:
    """A PNG that announces three frames and holds the first; the others do not matter here."""
    data = cv2.imencode(".png", PAGES[0])[1].tobytes()
    frame = struct.pack(">IIIIIHHBB", 0, 32, 24, 0, 0, 1, 10, 0, 0)
    return data[:33] + png_chunk(b"acTL", struct.pack(">II", 3, 0)) + png_chunk(b"fcTL", frame) + data[33:]


def tiff(big: bool = False, order: str = "<", kinds: tuple[int, ...] = (0, 1, 4, 0)) -> bytes:
    """Directories of NewSubfileType, width and height: two pages, a preview and a mask."""
    place, count, entry = ("Q", "Q", "HHQQ") if big else ("I", "H", "HHII")
    head = struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8)
    start = (b"II" if order == "<" else b"MM") + head
    length = struct.calcsize(order + count) + 3 * struct.calcsize(order + entry) + struct.calcsize(order + place)
    data = start
    for number, kind in enumerate(kinds):
        data += struct.pack(order + count, 3)
        for tag, value in ((254, kind), (256, 32), (257, 24)):
            data += struct.pack(order + entry, tag, 16 if big else 4, 1, value)
        following = len(start) + (number + 1) * length if number + 1 < len(kinds) else 0
        data += struct.pack(order + place, following)
    return data


@pytest.mark.parametrize(("name", "what"), [("a.tif", "TIFF file of 3 pages"), ("a.webp", "WebP file of 3 frames"),
                                            ("a.png", "PNG file of 3 frames")])  # fmt: skip
def test_a_warning_counts_them_once(tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, what: str) -> None:
    file = tmp_path / name
    if name == "a.tif":
        cv2.imwritemulti(str(file), PAGES)
    else:
        file.write_bytes(animated_webp() if name == "a.webp" else animated_png())
    with caplog.at_level(logging.WARNING, "ppdet"):
        for _ in range(2):
            assert abs(int(read_image(file).mean()) - 10) <= 2
    (line,) = caplog.messages
    assert line.startswith(f"image {file} is a {what}, and only the first is read; to use all, write them to files of their own")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_plain_images_are_one(tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str) -> None:
    with caplog.at_level(logging.WARNING, "ppdet"):
        read_image(write_image(tmp_path / f"a{suffix}", PAGES[0]))
    assert not caplog.messages


@pytest.mark.parametrize(("big", "order"), [(False, "<"), (False, ">"), (True, "<"), (True, ">")])
def test_previews_and_masks_are_no_pages(big: bool, order: str) -> None:
    header = read_header(tiff(big, order))
    assert header is not None and (header.wh, header.pages) == ((32, 24), 2)


def test_a_chain_in_a_circle_ends() -> None:
    data = tiff(kinds=(0,))
    header = read_header(data[:-4] + struct.pack("<I", 8))
    assert header is not None and header.pages == 1

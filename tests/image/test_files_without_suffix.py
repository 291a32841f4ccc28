"""Images whose names have no suffix are recognised by their content."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppdet.commands.running.sources import find_sources
from ppdet.core.errors import MediaError
from ppdet.data.formats.image_index import ImageIndex
from ppdet.image.io import drawn_name, is_image_file, list_images
from ppdet.inference.batch_runs.inputs import find_inputs
from ppdet.inference.video.path import check_video_path

PIXELS = np.zeros((24, 32, 3), np.uint8)


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    for number, suffix in enumerate((".jpg", ".png", ".bmp", ".tif", ".webp")):
        (tmp_path / f"IM{number}").write_bytes(cv2.imencode(suffix, PIXELS)[1].tobytes())
    others = {"LICENSE": b"BMW and others, and 20 more words", "NOTES": b"P5 pages of text", "core": b"\xff\xd8\xff", "void": b""}
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_folders_list_them_and_nothing_else(folder: Path) -> None:
    images = [f"IM{number}" for number in range(5)]
    assert [path.name for path in list_images(folder)] == images
    assert ImageIndex(folder).names == images
    assert [item.name for item in find_inputs([str(folder)], "images").files] == images
    with pytest.raises(Exception, match="there are no videos"):
        find_inputs([str(folder)], "videos")


def test_single_files_are_images_and_no_videos(folder: Path) -> None:
    sources = find_sources([str(folder / "IM0")])
    assert sources.images == [folder / "IM0"] and not sources.videos
    with pytest.raises(MediaError, match="IM0 is an image, not a video: give it as --image_file"):
        check_video_path(folder / "IM0")


def test_a_uid_is_no_suffix(tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    from support.dicom_files import write_dicom

    write_dicom(tmp_path / "1.2.840.10008", np.zeros((4, 4), np.uint16))
    assert is_image_file(tmp_path / "1.2.840.10008")
    assert [drawn_name(name) for name in ("1.2.840", "IM0", "a.jpg")] == ["1.2.840.png", "IM0.png", "a.jpg"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_image_file(tmp_path / "pipe")

"""What the sources on a command line are taken for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ppdet.commands.running.sources import find_sources
from ppdet.core.errors import MediaError
from ppdet.image.io import read_image, write_image


def test_each_kind_of_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "folder" / "b.png", np.zeros((4, 4, 3), np.uint8))
    write_image(tmp_path / "a.jpg", np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "clip.mp4").write_bytes(bytes(range(256)))
    (tmp_path / "7").mkdir()
    write_image(tmp_path / "7" / "c.png", np.zeros((4, 4, 3), np.uint8))
    found = find_sources(["a.jpg", "folder", "clip.mp4", "0", "/dev/video2", "7", "https://x.org/d.jpg?size=2"])
    assert [path.name for path in found.images] == ["a.jpg", "b.png", "c.png"]
    assert found.image_urls == ["https://x.org/d.jpg?size=2"]
    assert found.videos == [("clip.mp4", "clip.mp4"), (0, "camera0.mp4"), (2, "camera2.mp4")]


@pytest.mark.parametrize(
    "url", ["rtsp://user:secret@camera.local/live", "rtsp://user:secret@camera.local", "https://x.org/a/b.mp4?token=secret"]
)
def test_names_of_streams_have_no_passwords(url: str) -> None:
    ((source, name),) = find_sources([url]).videos
    assert source == url and name.endswith(".mp4") and "secret" not in name


def test_what_only_its_reader_can_judge_is_an_image(tmp_path: Path) -> None:
    """A photo in another format, and a pipe or a device called like an image: reading them says what they are."""
    (tmp_path / "a.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    os.mkfifo(tmp_path / "b.jpg")
    found = find_sources([str(tmp_path / "a.HEIC"), str(tmp_path / "b.jpg")])
    assert [path.name for path in found.images] == ["a.HEIC", "b.jpg"] and not found.videos
    for path, reason in zip(found.images, ("is a HEIC file", "it is a named pipe")):
        with pytest.raises(MediaError, match=reason):
            read_image(path)


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(MediaError, match="no image nowhere.jpg"):
        find_sources(["nowhere.jpg"])
    with pytest.raises(MediaError, match="no file or folder nowhere"):
        find_sources(["nowhere"])

"""Images that a command reads, and the folder that it writes to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ppdet.core.errors import MediaError
from ppdet.image.io import write_image
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.output_folder import OutputFolder


def write_images(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        write_image(folder / name, np.full((8, 10 + number, 3), 90, np.uint8))
    return folder


def test_groups_leave_unreadable_images_out_and_count_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_images(tmp_path, "a.png", "c.png", "d.png", "e.png")
    (folder / "b.png").write_text("no image")
    (folder / "f.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(20))
    inputs = ImageInputs(None, str(folder))
    groups = list(inputs.groups(3))
    assert [[path.name for path in paths] for paths, _ in groups] == [["a.png", "c.png", "d.png"], ["e.png"]]
    assert [[image.shape[1] for image in images] for _, images in groups] == [[10, 11, 12], [13]]
    assert inputs.exit_status() == 1 and "2 of 6 images failed: b.png, f.heic" in caplog.text
    assert "is a HEIC file" in caplog.text


def test_every_image_was_read(tmp_path: Path) -> None:
    inputs = ImageInputs(None, str(write_images(tmp_path, "a.png", "b.png")))
    assert [len(images) for _, images in inputs.groups(1)] == [1, 1] and inputs.exit_status() == 0


def test_of_many_failures_the_first_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(7):
        (tmp_path / f"{number}.png").touch()
    inputs = ImageInputs(None, str(tmp_path))
    assert list(inputs.groups(4)) == [] and inputs.exit_status() == 1
    assert "7 of 7 images failed: 0.png, 1.png, 2.png, 3.png, 4.png, ..." in caplog.text


def test_one_image_comes_before_the_folder(tmp_path: Path) -> None:
    write_images(tmp_path, "a.png", "b.png")
    assert ImageInputs(str(tmp_path / "b.png"), str(tmp_path)).paths == [tmp_path / "b.png"]
    with pytest.raises(MediaError, match="there is no image .*c.png: check --image_file"):
        ImageInputs(str(tmp_path / "c.png"), None)
    (tmp_path / "d.MP4").touch()
    with pytest.raises(MediaError, match="d.MP4 is a video: give it as --video_file"):
        ImageInputs(str(tmp_path / "d.MP4"), None)


def test_results_never_overwrite_each_other_or_the_input(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "new" / "out")
    names = [folder.file("a.png", source).name for source in ("a.png", "a.jpg", "b/a.jpg", None)]
    assert names == ["a.png", "a_jpg.png", "a_2.png", "a_3.png"] and len(set(names)) == 4
    write_images(tmp_path, "x.png")
    with pytest.raises(MediaError, match="would overwrite the input .*x.png: choose another --output_dir"):
        OutputFolder(tmp_path).file("x.png", tmp_path / "x.png")
    assert OutputFolder(tmp_path).file("x.png", tmp_path / "y.png") == tmp_path / "x.png"  # of an earlier run: replaced
    with pytest.raises(MediaError, match="cannot write to the output folder .*x.png"):
        OutputFolder(tmp_path / "x.png")

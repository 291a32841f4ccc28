"""Each format: ours -> file -> ours to .01 pixel, and file -> ours -> file without a difference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppdet.commands.datasets.dataset import main
from ppdet.core.errors import ConfigError, DataError
from ppdet.data.formats.reading import read_annotations
from ppdet.data.formats.writers.writing import FOLDERS, FORMATS, SUFFIXES, write_annotations
from ppdet.skeletons.tables import MPII16

NAMES = ["nose", "left ear", "right ear", "尾"]
UNORDERED = ("label-studio", "labelme", "mpii")
"""Formats whose files may differ in the order of points or in the last digit of a double."""
WITHOUT_HIDDEN, WITHOUT_BOX = ("deeplabcut", "sleap", "mpii"), ("deeplabcut", "sleap", "mpii")


def content(names: list[str], hidden: bool = True) -> dict[str, Any]:
    """Three images of 640 x 480, the second with two objects; unlabelled and hidden points."""
    rng = np.random.default_rng(0)
    images = [{"id": n, "file_name": f"clip/frame_{n:04d}.png", "width": 640, "height": 480} for n in (1, 2, 3)]
    annotations = []
    for number, image in enumerate((1, 2, 2, 3), start=1):
        xy = rng.uniform(40, 180, (len(names), 2)) + [240 * (number == 3), 200 * (number == 4)]
        v = np.full(len(names), 2)
        v[(number + 1) % len(names)] = 0
        v[(number + 2) % len(names)] = 1 if hidden else 2
        points = np.column_stack([np.round(xy, 3), v])
        points[v == 0] = 0
        low, high = xy.min(axis=0) - 20, xy.max(axis=0) + 20
        box = np.round([*low, *(high - low)], 2).tolist()
        annotations.append(
            {"id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "bbox": box,
             "keypoints": points.reshape(-1).tolist(), "num_keypoints": int((v > 0).sum())}
        )  # fmt: skip
    categories = [{"id": 1, "name": "mouse", "keypoints": names, "skeleton": [[1, 2], [1, 3]]}]
    return {"images": images, "annotations": annotations, "categories": categories}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "clip").mkdir(parents=True)
    for number in (1, 2, 3):
        cv2.imwrite(str(folder / "clip" / f"frame_{number:04d}.png"), np.zeros((480, 640, 3), np.uint8))
    return folder


def place(tool: str, folder: Path, name: str) -> Path:
    return folder / name if tool in FOLDERS else folder / f"{name}{SUFFIXES[tool]}"


def text(path: Path) -> dict[str, str]:
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    return {each.relative_to(path).as_posix(): each.read_text(encoding="utf-8") for each in files}


def by_place(found: dict[str, Any], names: list[str]) -> list[tuple[str, np.ndarray, list[float] | None]]:
    """(image, points in the order of `names`, box) of each object, sorted."""
    files = {each["id"]: each["file_name"] for each in found["images"]}
    order = [next(c for c in found["categories"] if c["keypoints"])["keypoints"].index(name) for name in names]
    rows = [
        (files[each["image_id"]], np.array(each["keypoints"], float).reshape(-1, 3)[order], each.get("bbox"))
        for each in found["annotations"]
    ]
    return sorted(rows, key=lambda row: (row[0], row[1].sum()))


@pytest.mark.parametrize("tool", FORMATS)
def test_both_ways(tool: str, images: Path, tmp_path: Path) -> None:
    names = list(MPII16.names) if tool == "mpii" else NAMES
    given = content(names, hidden=tool not in WITHOUT_HIDDEN)
    first, second = place(tool, tmp_path, "first"), place(tool, tmp_path, "second")
    write_annotations(given, tool, first, images)
    found = read_annotations(first, images).content
    wanted = by_place(given, names)
    got = by_place(found, names)
    assert [row[0] for row in got] == [row[0] for row in wanted]
    for (_, points, box), (_, true_points, true_box) in zip(got, wanted):
        assert points[:, 2].tolist() == true_points[:, 2].tolist()
        assert np.abs(points[:, :2] - true_points[:, :2]).max() < 0.01
        if tool not in WITHOUT_BOX:
            assert box == pytest.approx(true_box, abs=0.01)
    write_annotations(found, tool, second, images)
    again = by_place(read_annotations(second, images).content, names)
    for (_, points, box), (_, first_points, first_box) in zip(again, got):
        assert np.abs(points - first_points).max() < 1e-3
        assert box is first_box is None or box == pytest.approx(first_box, abs=1e-3)
    if tool not in UNORDERED:
        assert text(second) == text(first)


@pytest.mark.parametrize("tool", ["deeplabcut", "sleap"])
def test_what_cannot_be_expressed_is_said(tool: str, images: Path, tmp_path: Path) -> None:
    notes = write_annotations(content(NAMES), tool, place(tool, tmp_path, "out"), images)
    assert any("4 hidden points" in note for note in notes) and any("no boxes" in note for note in notes)


def test_refusals(images: Path, tmp_path: Path) -> None:
    given = content(NAMES)
    with pytest.raises(ConfigError, match=r"\.xml"):
        write_annotations(given, "cvat", tmp_path / "a.json", images)
    with pytest.raises(DataError, match="MPII has the keypoints"):
        write_annotations(given, "mpii", tmp_path / "a.json", images)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    with pytest.raises(ConfigError, match="not empty"):
        write_annotations(given, "labelme", tmp_path / "full", images)
    for image in given["images"]:
        image["file_name"] = "clip/frame.png"
    with pytest.raises(DataError, match="SLEAP"):
        write_annotations(given, "sleap", tmp_path / "a.csv", images)
    given["categories"].append({"id": 2, "name": "rat", "keypoints": ["x"], "skeleton": []})
    with pytest.raises(DataError, match="--category"):
        write_annotations(given, "yolo-pose", tmp_path / "yolo", images)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["full", "images"]


def test_the_command(images: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(content(NAMES)))
    words = ["convert", str(tmp_path / "a.json"), "--images", str(images)]
    assert main([*words, "--to", "cvat", "-o", str(tmp_path / "a.xml")]) == 0
    words = ["convert", str(tmp_path / "a.xml"), "--images", str(images)]
    assert main([*words, "--to", "coco", "-o", str(tmp_path / "b.json")]) == 0
    back = json.loads((tmp_path / "b.json").read_text())
    assert len(back["annotations"]) == 4 and back["categories"][0]["keypoints"] == NAMES
    assert main([*words, "--to", "coco", "-o", str(tmp_path / "c.json"), "--category", "dog"]) == 2

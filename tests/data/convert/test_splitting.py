"""Splits whole groups, folds, and merges of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppdet.annotations.merging import merge_contents
from ppdet.commands.datasets.dataset import main
from ppdet.core.errors import DataError


def content(videos: int = 6, frames: int = 5, names: tuple[str, ...] = ("a", "b"), key: str = "video") -> dict[str, Any]:
    images = [
        {"id": v * 100 + f, "file_name": f"v{v}_{f}.png", "width": 50, "height": 40, key: f"v{v}"}
        for v in range(videos) for f in range(frames)
    ]  # fmt: skip
    annotations = [
        {"id": n, "image_id": image["id"], "category_id": 7, "iscrowd": 0, "bbox": [0, 0, 9, 9],
         "keypoints": [1, 2, 2, 3, 4, 1], "num_keypoints": 2}
        for n, image in enumerate(images, start=1)
    ]  # fmt: skip
    return {"images": images, "annotations": annotations, "categories": [{"id": 7, "name": "mouse", "keypoints": list(names)}]}


def write(folder: Path, given: dict[str, Any], name: str = "all.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(given))
    return path


def groups(path: Path, key: str = "video") -> set[str]:
    read = json.loads(path.read_text())
    ids = {each["id"] for each in read["images"]}
    assert {each["image_id"] for each in read["annotations"]} == ids
    return {each[key] for each in read["images"]}


@pytest.mark.parametrize("words", [[], ["--by", "video"]])
def test_videos_stay_together(words: list[str], tmp_path: Path) -> None:
    path = write(tmp_path, content())
    assert main(["split", str(path), "-o", str(tmp_path / "out"), "--val", "0.33", *words]) == 0
    train, val = groups(tmp_path / "out" / "train.json"), groups(tmp_path / "out" / "val.json")
    assert not train & val and len(train | val) == 6 and len(val) == 2
    assert main(["split", str(path), "-o", str(tmp_path / "out")]) == 2  # exists
    assert main(["split", str(path), "-o", str(tmp_path / "out"), "--overwrite", "--seed", "7"]) == 0


def test_folds_cover_every_group_once(tmp_path: Path) -> None:
    assert main(["split", str(write(tmp_path, content(7))), "-o", str(tmp_path / "out"), "--folds", "3", "--by", "video"]) == 0
    vals = [groups(tmp_path / "out" / f"fold{n}" / "val.json") for n in range(3)]
    assert sum(map(len, vals)) == 7 and set().union(*vals) == {f"v{v}" for v in range(7)}
    assert sorted(map(len, vals)) == [2, 2, 3]


@pytest.mark.parametrize(
    "words",
    [["--val", "0"], ["--val", "1.5"], ["--folds", "1"], ["--folds", "40"], ["--by", "nothing"],
     ["--folds", "7", "--by", "video"]],  # fmt: skip
)
def test_impossible_splits(words: list[str], tmp_path: Path) -> None:
    assert main(["split", str(write(tmp_path, content())), "-o", str(tmp_path / "out"), *words]) == 2
    assert not (tmp_path / "out").exists()


def test_one_id_of_several_images_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = content(1, 4)
    given["images"][2]["id"] = given["images"][1]["id"]
    assert main(["split", str(write(tmp_path, given)), "-o", str(tmp_path / "out")]) == 2
    assert "1 id is given to several images: 1 (v0_1.png, v0_2.png)" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_images_that_are_listed_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = content(1, 4)
    given["images"] += [dict(given["images"][1]), {**given["images"][0], "id": 77}]
    words = ["split", str(write(tmp_path, given)), "-o", str(tmp_path / "out"), "--by", "image", "--val", "0.5"]
    for seed in "012345":
        assert main([*words, "--overwrite", "--seed", seed]) == 0
        text = capsys.readouterr().out
        parts = [json.loads((tmp_path / "out" / f"{name}.json").read_text())["images"] for name in ("train", "val")]
        assert "lists 1 image more than once, which is kept once: ids 1" in text and sum(map(len, parts)) == 5
        torn = len({0, 77} & {each["id"] for each in parts[0]}) == 1
        assert ("now both in train and val: v0_0.png (ids 0, 77)" in text) == torn


def test_merge_reorders_keypoints_by_name_and_shares_images(tmp_path: Path) -> None:
    first, second = content(1, 2), content(1, 3, ("b", "a"))
    second["categories"][0]["id"] = 1
    for each in second["annotations"]:
        each["category_id"] = 1
    files = [write(tmp_path, first, "a.json"), write(tmp_path, second, "b.json")]
    assert main(["merge", *map(str, files), "-o", str(tmp_path / "all.json")]) == 0
    merged = json.loads((tmp_path / "all.json").read_text())
    assert [each["file_name"] for each in merged["images"]] == ["v0_0.png", "v0_1.png", "v0_2.png"]
    assert len(merged["categories"]) == 1 and len(merged["annotations"]) == 5
    assert [each["id"] for each in merged["annotations"]] == [1, 2, 3, 4, 5]
    points = [each["keypoints"] for each in merged["annotations"]]
    assert points[0] == [1, 2, 2, 3, 4, 1] and points[4] == [3, 4, 1, 1, 2, 2]
    assert main(["merge", *map(str, files), "-o", str(tmp_path / "two.json"), "--prefix", "one", "two"]) == 0
    assert len(json.loads((tmp_path / "two.json").read_text())["images"]) == 5
    assert main(["merge", *map(str, files), "-o", str(tmp_path / "two.json")]) == 2


def test_merge_refuses_what_does_not_fit() -> None:
    with pytest.raises(DataError, match="other keypoints"):
        merge_contents([("a", content(1, 1)), ("b", content(1, 1, ("a", "c")))])
    other = content(1, 1)
    other["images"][0]["width"] = 51
    with pytest.raises(DataError, match="51 x 40"):
        merge_contents([("a", content(1, 1)), ("b", other)])
    twice = content(1, 2)
    twice["images"][1]["id"] = twice["images"][0]["id"]
    with pytest.raises(DataError, match="b: the id .* is given to several images, v0_1.png among them"):
        merge_contents([("a", content(1, 1)), ("b", twice)])


def test_two_categories_of_one_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = content(1, 2)
    given["categories"].append({**given["categories"][0], "id": 9})
    given["annotations"][1]["category_id"] = 9
    files = [str(write(tmp_path, given, "a.json")), str(write(tmp_path, content(1, 1), "b.json"))]
    assert main(["merge", *files, "-o", str(tmp_path / "all.json")]) == 0
    assert f"{files[0]}: the categories 7, 9 are all called 'mouse', so their objects become one" in capsys.readouterr().out
    given["categories"][1]["keypoints"] = ["a", "c"]
    write(tmp_path, given, "a.json")
    assert main(["merge", *files, "-o", str(tmp_path / "two.json")]) == 2 and not (tmp_path / "two.json").exists()
    assert "category 'mouse' (id 9) has other keypoints than the first one of that name" in capsys.readouterr().err
    for image in given["images"]:
        cv2.imwrite(str(tmp_path / image["file_name"]), np.zeros((40, 50, 3), np.uint8))
    words = ["convert", files[0], "--images", str(tmp_path), "--to", "cvat", "-o", str(tmp_path / "a.xml")]
    assert main(words) == 0
    assert "the categories 7, 9 are all called 'mouse': whatever goes by names takes them as one" in capsys.readouterr().out

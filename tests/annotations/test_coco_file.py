"""COCO-style files, however people write them, come out in one form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ppdet.annotations.coco_file import coco_content, read_coco, select_categories
from ppdet.core.errors import DataError

FLAT = [1, 2, 2, 3, 4, 1, 0, 0, 0]
NAMES = ["nose", "left_ear", "right_ear"]


def content(**changes: Any) -> dict[str, Any]:
    entry = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 30.5, "bbox": [1, 2, 3, 4], "keypoints": FLAT}
    entry.update(changes)
    category = {"id": 1, "name": "mouse", "keypoints": NAMES, "skeleton": [[1, 2], [1, 3]]}
    images = [{"id": 1, "file_name": "a.png", "width": 9, "height": 8}]
    return {"images": images, "annotations": [entry], "categories": [category]}


def entry_of(given: dict[str, Any]) -> dict[str, Any]:
    return coco_content(given, "a.json")["annotations"][0]


@pytest.mark.parametrize(
    "keypoints",
    [
        [[1, 2, 2], [3, 4, 1], [0, 0, 0]],
        {"nose": [1, 2, 2], "left_ear": [3, 4, 1]},
        {"Right_Ear": None, "Left_Ear": [3, 4, 1], "NOSE": ["1", 2.0, True + 1]},
        [1, 2, 2, 3, 4, 1, None, None, 0],
        [1, 2, 2, 3, 4, 1, None, None, None],
        [1, 2, 2, 3, 4, 1, float("nan"), float("nan"), 0],
        ["1", "2", "2", "3", "4", "1", "x", "", "0"],
    ],
)
def test_keypoints_in_other_forms(keypoints: Any) -> None:
    assert entry_of(content(keypoints=keypoints))["keypoints"] == FLAT


@pytest.mark.parametrize(
    ("keypoints", "reason"),
    [
        ({"nose": [1, 2, 2], "tail": [3, 4, 1]}, "'tail' that its category does not declare"),
        ({"nose": 3}, "by name that are not triples"),
        ([[1, 2], [3, 4], [5, 6]], "not triples"),
        ("1 2 2", "with a str as `keypoints`"),
        (7, "with a int as `keypoints`"),
    ],
)
def test_keypoints_that_cannot_be_read_say_why(keypoints: Any, reason: str) -> None:
    assert reason in entry_of(content(keypoints=keypoints))["keypoints"]
    nameless = content(keypoints={"nose": [1, 2, 2]})
    nameless["categories"] = None
    assert "declares no names" in entry_of(nameless)["keypoints"]


def test_numbers_as_strings() -> None:
    given = content(area="1199.48", iscrowd="0", category_id="1", bbox=["1", "2", "3", "4.5"], image_id="1")
    given["images"][0].update(width="9", height="8", id="1")
    entry = entry_of(given)
    assert (entry["area"], entry["iscrowd"], entry["category_id"], entry["bbox"]) == (1199.48, 0, 1, [1, 2, 3, 4.5])
    assert (given["images"][0]["width"], given["images"][0]["height"], entry["image_id"]) == (9, 8, "1")
    assert entry_of(content(area="large"))["area"] == "large"  # refused later, by name


@pytest.mark.parametrize("box", [None, [], [0, 0, 0, 0], ["0", 0, 0.0, 0], float("nan")])
def test_boxes_that_say_nothing_are_absent(box: Any) -> None:
    assert "bbox" not in entry_of(content(bbox=box))


@pytest.mark.parametrize(
    ("categories", "ids"),
    [
        (None, [1]),
        ({"1": "mouse"}, ["1"]),
        (["mouse"], [1]),
        ([{"name": "mouse"}], [1]),
        ([{"id": 1.0}, {"id": 1}, {"id": None}, 5], [1]),
        ([{"id": "mouse", "keypoints": 5, "skeleton": 7}], ["mouse"]),
        (7, [1]),
    ],
)
def test_odd_categories(categories: Any, ids: list[Any]) -> None:
    given = coco_content({**content(), "categories": categories}, "a.json")
    assert [each["id"] for each in given["categories"]] == ids
    assert all(isinstance(each["name"], str) and each["keypoints"] == [] for each in given["categories"])


def test_categories_by_name_in_a_list_and_links_from_0() -> None:
    assert entry_of(content(category_id="mouse"))["category_id"] == 1
    assert entry_of(content(category_id=[1]))["category_id"] == 1
    given = content()
    given["categories"][0]["skeleton"] = [[0, 1], [0, 2], "x", [1]]
    assert coco_content(given, "a.json")["categories"][0]["skeleton"] == [[1, 2], [1, 3]]
    assert select_categories(given, ["mouse"], "a.json") == select_categories(given, "1", "a.json") == {1}
    with pytest.raises(DataError, match="no category 'rat'; it has: 1 .mouse."):
        select_categories(given, "rat", "a.json")


def test_ids_of_two_kinds_are_named() -> None:
    with pytest.raises(DataError, match="numbers such as 1, `image_id` of the annotations are strings such as 'a.png'"):
        coco_content(content(image_id="a.png"), "a.json")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_and_byte_order_marks(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(content(), ensure_ascii=False), encoding=encoding)
    assert read_coco(tmp_path / "a.json")["annotations"][0]["keypoints"] == FLAT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON"),
        ("[" * 100000, "nested too deeply"),
        ('{"a":' * 100000, "nested too deeply"),
        ("[]", "expected a mapping"),
        ("null", "found a NoneType"),
        ('{"images": {}, "annotations": []}', "no list `images`"),
        ('{"images": [], "annotations": null}', "no list `annotations`"),
    ],
)
def test_broken_files_end_in_a_message(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_coco(tmp_path / "a.json")
    assert "a.json" in str(caught.value)


def test_pipes_devices_and_folders_are_no_files(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(DataError, match="no regular file"):
            read_coco(path)
    with pytest.raises(DataError, match="No such file"):
        read_coco(tmp_path / "none.json")


def test_numbers_of_5000_digits(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(content()).replace("30.5", "7" * 5000))
    try:  # Python before 3.11 converts it
        entry = read_coco(tmp_path / "a.json")["annotations"][0]
    except DataError as error:
        assert "not valid JSON" in str(error)
    else:
        assert entry["area"] > 10**4000

"""What a result offers: people, keypoints by name, plain content, tables, files, crops."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import util
from pathlib import Path

import numpy as np
import pytest
from support.planted_models import SKELETON

from ppdet.core.errors import ConfigError, DataError, MediaError
from ppdet.image.io import read_image
from ppdet.inference import results as results_module
from ppdet.inference.person import Keypoint
from ppdet.inference.results import PoseResult, frame_of

BOXES = np.array([[10, 20, 40, 60], [-5, 0, 30, 90]], np.float32)
POINTS = np.array([[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]], np.float32)
SCORES = np.array([[0.5, 0.25, 0.75], [1, 0, 0.5]], np.float32)
IMAGE = np.random.default_rng(0).integers(0, 256, (80, 100, 3), np.uint8)


def result(people: int = 2, **changes: object) -> PoseResult:
    content = {"track_ids": np.array([4, 7])[:people], "image": IMAGE, **changes}
    return PoseResult(BOXES[:people], np.array([0.9, 0.8], np.float32)[:people], POINTS[:people], SCORES[:people], SKELETON,
                      (100, 80), **content)  # fmt: skip


def test_people_one_by_one() -> None:
    people = list(result())
    assert [person.id for person in people] == [4, 7] and [person.score for person in people] == [0.5, 0.5]
    assert people[0]["left_hand"] == Keypoint(3, 4, 0.25) == people[0].keypoints["left_hand"]
    assert people[0].box_score == pytest.approx(0.9) and people[1].box.tolist() == BOXES[1].tolist()
    x, y, score = people[1]["nose"]
    assert (x, y, score) == (7, 8, 1) and [each.x for each in people[1]] == [7, 9, 11]
    np.testing.assert_array_equal(people[1].xy, POINTS[1])
    with pytest.raises(DataError, match="no keypoint 'tail'; this skeleton has nose, left_hand, right_hand"):
        people[0]["tail"]


def test_a_result_is_short_in_a_notebook_and_equal_to_itself_only() -> None:
    assert repr(result(path="a/street.mp4", frame_id=7)) == "<PoseResult: 2 people in a/street.mp4, frame 7>"
    assert repr(result(1)) == "<PoseResult: 1 person>"
    one = result()
    assert one == one and one != result() and one[0] != one[0], "arrays have no single truth"


def test_numbers_slices_and_names() -> None:
    assert result()[-1].id == result()[1].id == 7 and [person.id for person in result()[:1]] == [4]
    np.testing.assert_array_equal(result()["left_hand"], [[3, 4, 0.25], [9, 10, 0]])
    assert result(0)["nose"].shape == (0, 3) and list(result(0)) == []
    with pytest.raises(IndexError, match="no person 2"):
        result()[2]
    with pytest.raises(DataError, match="no keypoint 'tail'"):
        result()["tail"]


def test_plain_content_is_what_it_was() -> None:
    content = result(1, path="a.png").to_dict()
    assert content == {
        "image": "a.png", "width": 100, "height": 80,
        "people": [{"box": [10, 20, 40, 60], "box_score": 0.9, "score": 0.5, "id": 4, "keypoints": {
            "nose": [1, 2, 0.5], "left_hand": [3, 4, 0.25], "right_hand": [5, 6, 0.75]}}],
    }  # fmt: skip
    assert json.loads(result(1, path="a.png").to_json()) == content
    assert "id" not in result(1, track_ids=None).to_dict()["people"][0]


def test_tables() -> None:
    pytest.importorskip("pandas")
    table = frame_of([result(path="a.png"), result(1, frame_id=3, timestamp_ms=80.0)])
    assert len(table) == 3 and table["left_hand_x"].tolist() == [3, 9, 3] and table["id"].tolist() == [4, 7, 4]
    assert result().to_pandas()["box_score"].tolist() == pytest.approx([0.9, 0.8])


def test_without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_module, "find_spec", lambda name: None if name == "pandas" else util.find_spec(name))
    with pytest.raises(ConfigError, match="pip install pandas"):
        result().to_pandas()


def test_files(tmp_path: Path) -> None:
    assert json.loads(result().save(tmp_path / "new" / "a.json").read_text()) == result().to_dict()
    rows = result().save(tmp_path / "a.csv").read_text().splitlines()
    assert rows[0].startswith("image,frame,timestamp_ms,person,id,x1,y1") and len(rows) == 3
    np.testing.assert_array_equal(read_image(result().save(tmp_path / "a.png", threshold=0.3)), result().draw(threshold=0.3))
    assert (result().draw() != result().draw(line_scale=3.0)).any()
    with pytest.raises(ConfigError, match="the suffix must be one of .json"):
        result().save(tmp_path / "a.xlsx")
    with pytest.raises(MediaError, match="cannot write"):
        result().save(tmp_path / "a.csv" / "b.json")


def test_crops_are_cut_at_the_border() -> None:
    np.testing.assert_array_equal(result().crop(0), IMAGE[20:60, 10:40])
    np.testing.assert_array_equal(result().crop(0, margin=0.5), IMAGE[0:80, 0:60])
    np.testing.assert_array_equal(result().crop(1), IMAGE[0:80, 0:30])
    assert result().crop(0).base is None  # a copy
    assert replace(result(1), boxes=np.array([[500.0, 500, 510, 510]], np.float32)).crop(0).shape == (1, 1, 3)
    with pytest.raises(DataError, match="has no image"):
        result(image=None).crop(0)
    with pytest.raises(IndexError):
        result().crop(5)

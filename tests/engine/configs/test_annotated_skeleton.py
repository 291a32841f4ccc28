"""A config that states only the number of keypoints takes their names from its annotation file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ppdet.engine.annotated_skeleton import named_by_annotations
from ppdet.skeletons.lookup import skeleton_from_config

NAMES = ["nose tip", "左耳", "右耳", "tail"]
CATEGORY = {"id": 1, "name": "mouse", "keypoints": NAMES, "skeleton": [[1, 4]]}


def named(folder: Path, config: dict[str, Any], **category: Any) -> Any:
    content = {"images": [], "annotations": [], "categories": [{**CATEGORY, **category}]}
    (folder / "a.json").write_text(json.dumps(content))
    config = {"TrainDataset": {"dataset_dir": str(folder), "anno_path": "a.json"}, **config}
    return named_by_annotations(skeleton_from_config(config), config)


def test_names_links_and_pairs_of_the_file(tmp_path: Path) -> None:
    skeleton = named(tmp_path, {"num_joints": 4})
    assert skeleton.name == "mouse" and list(skeleton.names) == NAMES
    assert skeleton.flip_pairs == ((1, 2),) and skeleton.link_names == (("nose tip", "tail"),)


def test_stated_pairs_stay(tmp_path: Path) -> None:
    skeleton = named(tmp_path, {"num_joints": 4, "flip_perm": [[0, 3]]}, keypoints=["a", "b", "c", "d"])
    assert list(skeleton.names) == ["a", "b", "c", "d"] and list(skeleton.flip_pairs) == [(0, 3)]


@pytest.mark.parametrize(
    ("config", "category", "expected"),
    [({"num_joints": 5}, {}, "custom5"), ({"num_joints": 4}, {"keypoints": ["x"] * 4}, "custom4"),
     ({"num_joints": 17}, {"keypoints": [f"p{i}" for i in range(17)]}, "coco17"),
     ({"skeleton": {"name": "own", "keypoints": ["a", "b", "c", "d"]}}, {}, "own")],
)  # fmt: skip
def test_what_the_config_knows_stays(tmp_path: Path, config: dict[str, Any], category: dict[str, Any], expected: str) -> None:
    assert named(tmp_path, config, **category).name == expected


def test_a_file_that_is_not_there_or_broken_is_left_to_the_dataset(tmp_path: Path) -> None:
    config = {"num_joints": 4, "EvalDataset": {"dataset_dir": str(tmp_path), "anno_path": "nowhere.json"}}
    assert named_by_annotations(skeleton_from_config(config), config).name == "custom4"
    (tmp_path / "nowhere.json").write_text("[1]")
    assert named_by_annotations(skeleton_from_config(config), config).name == "custom4"
    assert list(named(tmp_path, config).names) == NAMES

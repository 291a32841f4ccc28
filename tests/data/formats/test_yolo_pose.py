"""What a data.yaml of YOLO lacks is said, with what to write."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ppdet.core.errors import DataError
from ppdet.data.formats.reading import read_annotations


@pytest.fixture()
def dataset(tmp_path: Path) -> Path:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    cv2.imwrite(str(tmp_path / "images/a.jpg"), np.zeros((48, 64, 3), np.uint8))
    (tmp_path / "data.yaml").write_text("train: images\nval: images\nnames: {0: cat}\n")
    return tmp_path


@pytest.mark.parametrize("place", [".", "data.yaml"])
@pytest.mark.parametrize(
    ("rows", "advice"),
    [
        ("0 .5 .5 .2 .2 .5 .5 .4 .4\n", r"have 9 columns, so write `kpt_shape: \[2, 2\]` \(x, y per keypoint\)$"),
        ("0 .5 .5 .2 .2 .5 .5 2 .4 .4 2\n", r"`kpt_shape: \[2, 3\]` \(x, y, visibility per keypoint\) or `kpt_shape: \[3, 2\]`"),
        ("0 .5 .5 .2 .2\n", "5 columns, which are boxes without keypoints; label points"),
        ("0 .5 .5 .2 .2 .3 .3\n0 .5 .5 .2 .2 .3 .3 .4 .4\n", "differ in length, as outlines do; label points"),
        ("", r"write `kpt_shape: \[number of keypoints, 3\]`"),
    ],
)
def test_a_data_yaml_without_kpt_shape(dataset: Path, place: str, rows: str, advice: str) -> None:
    (dataset / "labels/a.txt").write_text(rows)
    with pytest.raises(DataError, match=f"data.yaml has no key `kpt_shape`, which YOLO-pose needs: .*{advice}"):
        read_annotations(dataset / place, dataset / "images")


def test_a_description_with_kpt_shape_comes_first(dataset: Path) -> None:
    (dataset / "labels/a.txt").write_text("0 .5 .5 .2 .2 .5 .5\n")
    (dataset / "pose.yaml").write_text("kpt_shape: [1, 2]\nnames: [cat]\n")
    assert len(read_annotations(dataset, dataset / "images").content["annotations"]) == 1

"""Points that are left out of DeepLabCut's files are counted."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ppdet.core.errors import DataError
from ppdet.data.formats.reading import read_annotations

HEAD = ["scorer,,,N,N,N,N,N,N", "bodyparts,,,nose,nose,nose,tail,tail,tail", "coords,,,x,y,likelihood,x,y,likelihood"]


@pytest.fixture()
def images(tmp_path: Path) -> Path:
    (tmp_path / "v").mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / "v" / name), np.zeros((48, 64, 3), np.uint8))
    return tmp_path


@pytest.mark.parametrize("kind", ["csv", "h5"])
def test_unlikely_points_are_counted(images: Path, kind: str) -> None:
    rows = ["labeled-data,v,a.png,5,6,0.9,7,8,0.2", "labeled-data,v,b.png,5,6,0.59,,,"]
    file = images / "machinelabels.csv"
    file.write_text("\n".join([*HEAD, *rows]) + "\n")
    if kind == "h5":
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("tables")
        table = pandas.read_csv(file, header=[0, 1, 2], index_col=[0, 1, 2])
        file = file.with_suffix(".h5")
        table.to_hdf(file, key="df_with_missing")
    found = read_annotations(file, images)
    assert found.content["annotations"][0]["keypoints"] == [5, 6, 2, 0, 0, 0] and len(found.content["annotations"]) == 1
    (note,) = found.notes
    assert note.startswith("left out: 2 points of 2 images of likelihood below 0.6, which are predictions; correct them")


def test_labels_by_hand_have_nothing_to_count(images: Path) -> None:
    file = images / "CollectedData_N.csv"
    file.write_text("scorer,,,N,N\nbodyparts,,,nose,nose\ncoords,,,x,y\nlabeled-data,v,a.png,5,6\n")
    assert read_annotations(file, images).notes == []


def test_a_file_of_unlikely_points_only_says_so(images: Path) -> None:
    file = images / "machinelabels.csv"
    file.write_text("\n".join([*HEAD, "labeled-data,v,a.png,5,6,.1,7,8,.2"]) + "\n")
    with pytest.raises(DataError, match="no object is left; left out: 2 points of 1 image of likelihood"):
        read_annotations(file, images)

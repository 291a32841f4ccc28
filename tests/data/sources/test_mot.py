"""JDE's lists and label files, and MOTChallenge's sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ppdet.annotations.tracking_labels import label_path, read_mot_truth
from ppdet.core.errors import ConfigError, DataError
from ppdet.data.sources import MOTDataSet, MOTImageFolder
from ppdet.image.io import write_image


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def jde_data(root: Path) -> Path:
    for name, rows in (("a/images/1.png", "0 0 0.5 0.5 0.2 0.4\n0 4 0.25 0.5 0.1 0.2\n"), ("a/images/2.jpg", ""),
                       ("b/images/images/3.png", "0 2 0.5 0.5 1.2 0.4\n\n0 -1 0.1 0.1 0.1 0.1\n0 1 .5 .5 0 0.1\n")):  # fmt: skip
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, np.zeros((50, 100, 3), np.uint8))
        write(root / label_path(name), rows)
    write_image(root / "a/images/4.png", np.zeros((50, 100, 3), np.uint8))
    write(root / "image_lists/one", "a/images/1.png\n\n  \na/images/2.jpg\na/images/4.png\n")
    write(root / "image_lists/two", "b/images/images/3.png\r\n")
    return root


def test_labels_are_beside_the_last_folder_of_images() -> None:
    assert label_path("images/a/images/b/c.jpeg") == "images/a/labels_with_ids/b/c.txt"
    with pytest.raises(DataError, match="not below a folder images"):
        label_path("frames/a.png")


def test_jde_lists(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = MOTDataSet(str(jde_data(tmp_path)), ["one", "two"]).parse()
    assert len(data) == 3 and data.num_identities == 5 + 3 + 1
    assert "1 of 3 images have no label file" in caplog.text
    first, empty, last = (data[row] for row in range(3))
    np.testing.assert_allclose(first.boxes_input, [[40, 15, 60, 35], [20, 20, 30, 30]])
    assert first.identities.tolist() == [0, 4] and len(empty.boxes_input) == 0
    assert last.identities.tolist() == [5 + 2, -1]
    np.testing.assert_allclose(last.boxes_input[0], [-10, 15, 110, 35])  # people may reach beyond the image


@pytest.mark.parametrize("row, words", [("0 1 0.5 0.5 0.1", "line 2"), ("0 1 a b c d", "line 2"),
                                        ("0 1.5 .5 .5 .1 .1", "whole numbers"), ("1 1 .5 .5 .1 .1", "num_classes is 1"),
                                        ("0 1 .5 nan .1 .1", "line 2"),
                                        ("99999999999999999999 1 .5 .5 .1 .1", "line 2")])  # fmt: skip
def test_malformed_labels_name_the_line(tmp_path: Path, row: str, words: str) -> None:
    jde_data(tmp_path)
    write(tmp_path / "a/labels_with_ids/1.txt", f"0 0 0.5 0.5 0.2 0.4\n{row}\n")
    with pytest.raises(DataError, match=words):
        MOTDataSet(str(tmp_path), ["one"]).parse()


def test_missing_lists_and_labels(tmp_path: Path) -> None:
    jde_data(tmp_path)
    with pytest.raises(DataError, match="there are one, two"):
        MOTDataSet(str(tmp_path), ["three"]).parse()
    write(tmp_path / "image_lists/three", "a/images/4.png\n")
    with pytest.raises(DataError, match="none of its 1 images has a label file"):
        MOTDataSet(str(tmp_path), "three").parse()
    with pytest.raises(ConfigError, match="at least one list"):
        MOTDataSet(str(tmp_path))


def test_sequences(tmp_path: Path) -> None:
    for name in ("s1/img1/2.png", "s1/img1/1.png", "s2/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / name, np.zeros((20, 30, 3), np.uint8))
    write(tmp_path / "s1/img1/notes.txt", "x")
    write(tmp_path / "s1/seqinfo.ini", "[Sequence]\nframeRate=25\n")
    write(tmp_path / "s1/gt/gt.txt", "1,1,0,0,10,10,1,1,1\n")
    (tmp_path / "empty").mkdir()
    one, two = MOTImageFolder(str(tmp_path)).parse().sequences
    assert [path.name for path in one.frames] == ["1.png", "2.png"] and one.fps == 25 and one.truth is not None
    assert two.name == "s2" and two.fps == 30 and two.truth is None
    assert [each.name for each in MOTImageFolder(str(tmp_path), "s1").parse().sequences] == ["s1"]
    write(tmp_path / "s1/seqinfo.ini", "[Sequence]\nframeRate=fast\n")
    with pytest.raises(DataError, match="seqinfo.ini"):
        MOTImageFolder(str(tmp_path)).parse()
    with pytest.raises(DataError, match="there is no folder"):
        MOTImageFolder(str(tmp_path), "nowhere").parse()


def test_truth_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "gt.txt", "1,1,0,0,10,10,1,1,0.9\n1,2,0,0,5,5,0,1,1\n2,3,1,2,3,4,1,7,1\n2,4,1,2,3,4,1,3,1\n"
                                      "3,5,1,1,2,2,1\n3,6,1,1,2,2,1,-1,-1,-1\n")
    rows = read_mot_truth(path)
    assert rows.identities.tolist() == [1, 3, 5, 6] and rows.ignored.tolist() == [False, True, False, False]
    np.testing.assert_allclose(rows.boxes[1], [1, 2, 4, 6])

"""MPII persons and COCO-WholeBody hands."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from ppdet.core.errors import DataError
from ppdet.data.sources.hand import KeypointTopDownCocoWholeBodyHandDataset
from ppdet.data.sources.mpii import KeypointTopDownMPIIDataset


def mpii(tmp_path, entries):
    (tmp_path / "images").mkdir(exist_ok=True)
    for entry in entries:
        if isinstance(entry, dict) and "image" in entry:
            cv2.imwrite(str(tmp_path / "images" / entry["image"]), np.zeros((300, 300, 3), np.uint8))
    (tmp_path / "mpii.json").write_text(json.dumps(entries))
    return KeypointTopDownMPIIDataset(str(tmp_path), "images", "mpii.json", trainsize=[256, 256])


def mpii_entry(key="joints"):
    joints = np.arange(32, dtype=float).reshape(16, 2) + 1
    return {"image": "015601864.png", "center": [101.0, 121.0], "scale": 0.8, key: joints.tolist(), "joints_vis": [1, 0] * 8}


@pytest.mark.parametrize("key", ["joints", "gt_joints"])
def test_mpii_counts_from_one_and_moves_the_box_down(tmp_path, key):
    sample = mpii(tmp_path, [mpii_entry(key)])[0]
    np.testing.assert_allclose(sample.center_xy, [100, 120 + 15 * 0.8])
    np.testing.assert_allclose(sample.size_wh, [0.8 * 200 * 1.25] * 2)
    np.testing.assert_allclose(sample.xy_image[2], [4, 5])
    assert sample.visible.tolist() == [1, 0] * 8 and sample.image_id == 15601864


def test_mpii_mistakes_are_named(tmp_path):
    wrong = [dict(mpii_entry(), scale=0), dict(mpii_entry(), joints=[[1, 2]]), {"image": "a.png"}, 7]
    wrong += [dict(mpii_entry(), center=[-1, -1]), dict(mpii_entry(), joints=[[0, 0]] * 16)]
    missing = mpii_entry()
    del missing["joints"]
    data = mpii(tmp_path, [*wrong, missing, mpii_entry()]).parse()
    assert len(data) == 1 and data.report.num_bad == 7
    assert "1 x with visible `joints` that are all zero ([5])" in data.report.bad_line()
    assert data[0].index == 7  # the row in the file: PCKh counts persons by it


@pytest.mark.parametrize("key", ["joints", "gt_joints"])
def test_mpii_without_any_keypoint_is_refused(tmp_path, key):
    blank = dict(mpii_entry(key), joints_vis=[0] * 16)
    with pytest.raises(DataError, match="none of its 2 persons has a visible keypoint.*joints"):
        mpii(tmp_path, [blank, blank]).parse()
    zero = dict(mpii_entry(key), **{key: [[0, 0]] * 16})
    with pytest.raises(DataError, match="2 x with visible `joints` that are all zero"):
        mpii(tmp_path, [zero, zero]).parse()


def test_mpii_test_set_has_no_keypoints(tmp_path):
    entry = {key: value for key, value in mpii_entry().items() if key in ("image", "center", "scale")}
    assert mpii(tmp_path, [entry]).describe(0).visible.sum() == 0


def test_mpii_wrong_file(tmp_path):
    (tmp_path / "mpii.json").write_text("{}")
    with pytest.raises(DataError, match="KeypointTopDownCocoDataset"):
        len(KeypointTopDownMPIIDataset(str(tmp_path), "images", "mpii.json", trainsize=[256, 256]))


def test_hands(coco, write_coco):
    content = coco(2, 1)
    keypoints = [[10.0 + i, 20.0, 1 if i % 2 else 2] for i in range(21)]
    for entry in content["annotations"]:
        entry.update(lefthand_valid=True, lefthand_box=[10, 15, 21, 11], lefthand_kpts=sum(keypoints, []))
        entry.update(righthand_valid=False, righthand_box=[0, 0, 0, 0], righthand_kpts=[0] * 63)
    content["annotations"][1].update(righthand_valid=True, righthand_box=[5, 5, 0, 0], righthand_kpts=[1] * 63)
    data = KeypointTopDownCocoWholeBodyHandDataset(str(write_coco(content)), "images", "persons.json", trainsize=[256, 256])
    assert len(data) == 2
    sample = data[0]
    np.testing.assert_allclose(sample.center_xy, [20, 20])
    np.testing.assert_allclose(sample.size_wh, [25, 25])
    assert sample.visible.sum() == 21
    assert "2 (right hand)" in data.report.bad_line()

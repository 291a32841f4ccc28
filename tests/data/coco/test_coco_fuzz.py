"""Whatever stands in an annotation file, it is used, named or refused; nothing else comes out."""

from __future__ import annotations

import copy
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ppdet.core.errors import DataError
from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset
from ppdet.data.sources.detection import COCODataSet
from ppdet.data.sources.mpii import KeypointTopDownMPIIDataset

odd = st.sampled_from(
    [None, 0, -1, 1.5, float("nan"), float("inf"), 10**30, "", "x", [], [[]], [1, [2], 3, 4], {}, {"a": 1}, True, [0] * 51]
)
keys = {
    "images": ["id", "file_name", "width", "height"],
    "annotations": ["id", "image_id", "category_id", "iscrowd", "bbox", "area", "keypoints"],
    "categories": ["id", "name", "keypoints"],
}
place = st.sampled_from([(part, key) for part, names in keys.items() for key in [None, *names]])
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(changes=st.lists(st.tuples(place, odd, st.booleans()), min_size=1, max_size=4))
def test_odd_coco_files(changes, coco, write_coco, tmp_path):
    if not (tmp_path / "images").exists():
        write_coco(coco(2, 2))
    content = copy.deepcopy(coco(2, 2))
    for (part, key), value, remove in changes:
        if key is None:
            content[part].append(value)
        elif isinstance(content[part][0], dict):
            content[part][0].pop(key, None) if remove else content[part][0].update({key: value})
    (tmp_path / "persons.json").write_text(json.dumps(content))
    for data in (
        KeypointTopDownCocoDataset(str(tmp_path), "images", "persons.json", trainsize=[96, 128]),
        COCODataSet(str(tmp_path), "images", "persons.json"),
    ):
        try:
            for i in range(len(data)):
                data[i]
        except DataError as error:
            assert str(tmp_path) in str(error)


@QUICK
@given(field=st.sampled_from(["image_id", "category_id", "bbox", "score"]), value=odd)
def test_odd_detections(field, value, coco, write_coco, tmp_path):
    if not (tmp_path / "images").exists():
        write_coco(coco(2, 2))
    good = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 20], "score": 0.5}
    (tmp_path / "bbox.json").write_text(json.dumps([good, {**good, field: value}, value]))
    data = KeypointTopDownCocoDataset(
        str(tmp_path), "images", "persons.json", trainsize=[96, 128], use_gt_bbox=False, bbox_file="bbox.json"
    )
    assert len(data) in (1, 2)


@QUICK
@given(field=st.sampled_from(["image", "image_id", "center", "scale", "joints", "joints_vis"]), value=odd)
def test_odd_mpii_files(field, value, coco, write_coco, tmp_path):
    if not (tmp_path / "images").exists():
        write_coco(coco(2, 2))
    good = {"image": "001.png", "center": [30, 20], "scale": 0.2, "joints": [[1, 2]] * 16, "joints_vis": [1] * 16}
    (tmp_path / "mpii.json").write_text(json.dumps([good, {**good, field: value}, value]))
    assert len(KeypointTopDownMPIIDataset(str(tmp_path), "images", "mpii.json", trainsize=[96, 128])) in (1, 2)

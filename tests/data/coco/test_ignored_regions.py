"""Regions nobody labelled, drawn as pycocotools draws them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from support.shared_data import shared

from ppdet.data.coco.ignored_regions import draw_regions, region_of
from ppdet.data.sources.bottom_up_coco import KeypointBottomUpCocoDataset


def drawn(entry, wh=(8, 6)):
    region, fell_back = region_of(entry, wh)
    return (None if region is None else draw_regions([region], wh)), fell_back


def test_a_square_polygon_covers_the_pixels_between_its_edges():
    mask, _ = drawn({"segmentation": [[2, 1, 5, 1, 5, 4, 2, 4]]})
    expected = np.zeros((6, 8), bool)
    expected[1:4, 2:5] = True
    assert np.array_equal(mask, expected)


def test_a_box_covers_the_same_pixels():
    assert np.array_equal(drawn({"bbox": [2, 1, 3, 3]})[0], drawn({"segmentation": [[2, 1, 5, 1, 5, 4, 2, 4]]})[0])


def test_runs_go_down_the_columns():
    mask, _ = drawn({"segmentation": {"size": [6, 8], "counts": [7, 2, 39]}})
    expected = np.zeros((6, 8), bool)
    expected[1:3, 1] = True
    assert np.array_equal(mask, expected)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_packed_runs_are_read_as_pycocotools_packs_them(width, height, density, seed):
    mask = np.random.default_rng(seed).random((height, width)) < density
    packed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    packed["counts"] = packed["counts"].decode("ascii")
    read, fell_back = drawn({"segmentation": packed}, (width, height))
    assert not fell_back and np.array_equal(read, mask)


def test_long_runs_are_read():
    mask = np.zeros((900, 1100), np.uint8, order="F")
    mask[300:800, 200:900] = 1
    packed = coco_mask.encode(mask)
    read, _ = drawn({"segmentation": {**packed, "counts": packed["counts"].decode()}}, (1100, 900))
    assert np.array_equal(read, mask > 0)


BROKEN = [
    [[1, 2, 3]],
    [[1, 2, 3, 4, 5]],
    [[1, 2, 3, 4, 5, float("nan")]],
    [["a"] * 6],
    [17],
    {"size": [6, 8], "counts": [1, 2, 3]},
    {"size": [6, 8], "counts": [49, -1]},
    {"size": [6, 8], "counts": "\x7f\x7f"},
    {"size": [6, 8], "counts": "oooooooooooooooo"},
    {"size": [6], "counts": [48]},
    {"size": [600, 800], "counts": [480000]},
    {"counts": [48]},
    "polygon",
    7,
]


@pytest.mark.parametrize("segmentation", BROKEN, ids=repr)
def test_what_cannot_be_drawn_gives_way_to_the_box(segmentation):
    mask, fell_back = drawn({"segmentation": segmentation, "bbox": [2, 1, 3, 3]})
    assert fell_back and mask.sum() == 9
    assert drawn({"segmentation": segmentation}) == (None, True)


@pytest.mark.parametrize("box", [None, [1, 2, 3], [0, 0, 0, 5], [0, 0, float("inf"), 2], "box"], ids=repr)
def test_neither_segmentation_nor_box(box):
    assert drawn({"segmentation": None, "bbox": box}) == (None, False)


def test_far_vertices_cost_no_memory_and_boxes_are_cut():
    mask, _ = drawn({"bbox": [-4e5, 2, 9e5, 2]})
    assert mask.sum() == 16 and mask[2:4].all()


def test_runs_of_a_rounded_size_still_fit():
    mask, fell_back = drawn({"segmentation": {"size": [7, 9], "counts": [0, 63]}}, (8, 6))
    assert not fell_back and mask.all()


def test_masks_of_real_images_equal_those_of_pycocotools(tmp_path):
    """Crowds by run lengths and unlabelled people by polygons, from official COCO annotations, against COCO.annToMask."""
    source = shared("data", "metrics", "coco_val2017_250", "val_subset.json")
    content = json.loads(source.read_text())
    coco = COCO(str(source))
    ignored = [a for a in content["annotations"] if a["iscrowd"] or not a["num_keypoints"]]
    wanted = {a["image_id"] for a in ignored}
    content["images"] = [image for image in content["images"] if image["id"] in wanted]
    (tmp_path / "truth.json").write_text(json.dumps(content))
    for image in content["images"]:
        (tmp_path / image["file_name"]).touch()
    dataset = KeypointBottomUpCocoDataset(str(tmp_path), "", "truth.json", test_mode=True)
    assert len(dataset) == len(wanted) > 20 and any(a["iscrowd"] for a in ignored)
    for row, image in enumerate(content["images"]):
        expected = np.zeros((image["height"], image["width"]), bool)
        for annotation in ignored:
            if annotation["image_id"] == image["id"]:
                expected |= coco.annToMask(annotation) > 0
        mask = draw_regions(dataset.table.ignored[row], (image["width"], image["height"]))
        assert np.array_equal(mask, expected), image["file_name"]

"""The Fluid release's filter of persons."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset
from ppdet.data.sources.select_data import well_centred


def persons(offsets, count=17):
    """Persons in boxes of 100 x 100 around (50, 50), the mean of their `count` visible keypoints moved right by an offset."""
    keypoints = np.zeros((len(offsets), 17, 3))
    keypoints[:, :count, 0] = 50 + np.asarray(offsets, float)[:, None]
    keypoints[:, :count, 1] = 50
    keypoints[:, :count, 2] = 1
    keypoints[:, count:, :2] = 9999  # invisible ones do not count
    return keypoints, np.full((len(offsets), 2), 50.0), np.full((len(offsets), 2), 100.0)


@pytest.mark.parametrize("count", [1, 9, 17])
def test_the_rule(count):
    """exp(-d^2 / (2 * .04 * area)) > .2 / 16 * n + .45 - .2 / 16, solved for d."""
    metric = 0.2 / 16 * count + 0.45 - 0.2 / 16
    edge = np.sqrt(-np.log(metric) * 2 * 0.04 * 100 * 100)
    assert well_centred(*persons([0, edge - 0.01, edge + 0.01, -edge - 0.01], count)).tolist() == [True, True, False, False]


def test_nobody_visible_goes():
    assert well_centred(*persons([0], count=0)).tolist() == [False]


def test_option_of_the_dataset(coco, write_coco):
    content = coco(2, 2)
    for entry in content["annotations"]:
        x, y, w, h = entry["bbox"]
        entry["keypoints"] = [x + w / 2, y + h / 2, 2] * 17
    content["annotations"][1]["keypoints"] = [content["annotations"][1]["bbox"][0] + 1, 6, 2] * 17  # all in one corner
    folder = str(write_coco(content))
    data = KeypointTopDownCocoDataset(folder, "images", "persons.json", trainsize=[96, 128], select_data=True)
    assert len(data) == 3 and "1 with keypoints off the middle of their box (select_data)" in data.parse().report.skipped_line()
    assert len(KeypointTopDownCocoDataset(folder, "images", "persons.json", trainsize=[96, 128])) == 4


def test_a_detectors_boxes_cannot_be_selected():
    with pytest.raises(ConfigError, match="select_data"):
        KeypointTopDownCocoDataset(use_gt_bbox=False, bbox_file="b.json", trainsize=[96, 128], select_data=True)

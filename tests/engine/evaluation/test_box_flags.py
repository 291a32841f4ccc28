"""`classwise` and `bias` at the top of a detector's config reach its metric, as PaddleDetection's flags of tools/eval.py do."""

from __future__ import annotations

import json
from pathlib import Path

from ppdet.core.config.load import load_config
from ppdet.core.shipped import find_config
from ppdet.engine.assembly import Assembly


def test_top_level_keys_reach_the_box_metric(tmp_path: Path) -> None:
    truth = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "pedestrian"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 40, 80], "area": 3200, "iscrowd": 0}],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    places = [f"EvalDataset.dataset_dir={tmp_path}", "EvalDataset.anno_path=truth.json", "EvalDataset.image_dir=."]
    for changes, expected in ((["classwise=true", "bias=1"], (True, 1.0)), ([], (False, 0.0))):
        metric = Assembly(load_config(find_config("picodet_s_320_lcnet_pedestrian"), [*places, *changes])).metric()
        assert (metric.classwise, metric.bias) == expected

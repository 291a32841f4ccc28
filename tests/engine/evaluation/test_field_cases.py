"""Annotation files from public bug reports give the AP that they must give, or a message."""

from __future__ import annotations

from typing import Any

import pytest
from support.shared_data import shared

from ppdet.core.config.load import load_config
from ppdet.core.errors import PpdetError
from ppdet.engine.evaluation.evaluator import evaluate

CONFIG = "configs/keypoint/tiny_pose/tinypose_128x96_coco_person.yml"
SAME = 0.6150  # 7 persons, whatever way their file is written

FILES = [  # case and file, images, options, AP
    *[
        (file, "data/coco_person/images", (), SAME)
        for file in (
            "01/one_category.json", "01/person_rider.json", "01/pig_sheep.json", "02/annotations_str.json", "02/images_str.json",
            "02/mixed.json", "03/a.json", "04/category_list.json", "04/mapping.json", "04/names.json", "04/null.json",
            "04/string_id.json", "04/without_id.json", "05/mapping.json", "05/nested.json", "06/nan.json", "06/null.json",
            "07/area.json", "07/category.json", "07/iscrowd.json", "08/bom.json",
        )
    ],
    ("17/a.json", "cases/field/17/images", (), SAME),
    ("01/person_rider.json", "data/coco_person/images", ("EvalDataset.category=rider",), 0.6766),
    ("01/person_rider.json", "data/coco_person/images", ("EvalDataset.category=person",), 0.5653),
    ("20/a.json", "data/coco_person/images", (), 0.5353),  # one box is filled from its keypoints
    ("11/sizes.json", "cases/field/11/images", (), 0.5231),  # photos turned by their EXIF orientation
]  # fmt: skip

REFUSED = [
    ("18/normalised.json", "data/coco_person/images", "are fractions of the image, from 0 to 1"),
    ("11/no_sizes.json", "cases/field/11/images", "EXIF orientation 6, and its annotations state no size"),
    ("11/sizes.json", "cases/field/11/images180", "EXIF orientation 3, and its annotated size 448x336 fits both ways"),
]


def ap_of(file: str, images: str, *options: str) -> Any:
    path, folder = shared("cases", "field", *file.split("/")), shared(*images.split("/"))
    data = [f"dataset_dir={path.parent}", f"EvalDataset.anno_path={path.name}", f"EvalDataset.image_dir={folder}"]
    weights = f"weights={shared('data', 'weights', 'tinypose_128x96.pdparams')}"
    return evaluate(load_config(CONFIG, [*data, weights, "TopDownHRNet.flip=false", "worker_num=0", *options]))["AP"]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "images", "options", "expected"), FILES, ids=lambda value: str(value)[:40])
def test_ap_of(file: str, images: str, options: tuple[str, ...], expected: float) -> None:
    assert ap_of(file, images, *options) == pytest.approx(expected, abs=5e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("file", "images", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_refused(file: str, images: str, message: str) -> None:
    with pytest.raises(PpdetError, match=message):
        ap_of(file, images)

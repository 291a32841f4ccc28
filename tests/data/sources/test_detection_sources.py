"""COCODataSet for training, its pseudo labels, and several datasets as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppdet.core.config.builder import Builder
from ppdet.core.errors import ConfigError, DataError
from ppdet.data.loading.reader import TrainReader
from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset
from ppdet.data.sources.concat_dataset import ConcatDataset
from ppdet.data.sources.detection import COCODataSet
from ppdet.data.transforms.detection.batch_random_resize import BatchRandomResize
from ppdet.data.transforms.detection.mosaic import Mosaic
from ppdet.data.transforms.detection.random_crop import RandomCrop
from ppdet.data.transforms.pixels.normalize_image import NormalizeImage, Permute

TRAIN = ("image", "gt_bbox", "gt_class")


def training_set(folder: Path, **options: Any) -> COCODataSet:
    return COCODataSet(str(folder), "images", "persons.json", TRAIN, **options)


def test_training_takes_what_can_be_learned(coco, write_coco) -> None:
    content = coco(5, 2)
    content["annotations"][0]["iscrowd"] = 1
    content["annotations"][2]["bbox"][2] = 0
    content["annotations"] = [a for a in content["annotations"] if a["image_id"] != 3]
    for annotation in content["annotations"]:
        if annotation["image_id"] == 4:
            annotation["iscrowd"] = 1
    folder = write_coco(content)
    data = training_set(folder)
    samples = [data[i] for i in range(len(data))]
    assert [s.image_id for s in samples] == [1, 2, 5] and [len(s.labels) for s in samples] == [1, 1, 2]
    np.testing.assert_allclose(samples[0].boxes_input, [[24, 5, 42, 41]])
    assert [len(training_set(folder, allow_empty=True, empty_ratio=r)) for r in (1.0, 0.25)] == [5, 4]
    assert len(training_set(folder, repeat=3)) == 9 and len(training_set(folder, sample_num=2)) == 2
    assert len(COCODataSet(str(folder), "images", "persons.json")) == 5  # evaluation: every image


def test_classes_are_numbered_by_category_id(coco, write_coco) -> None:
    content = coco(2, 2)
    content["categories"] = [{"id": 7, "name": "dog"}, {"id": 1, "name": "person"}, {"id": 3, "name": "cat"}]
    content["annotations"][0]["category_id"] = 7
    folder = write_coco(content)
    data = training_set(folder, num_classes=3)
    assert data[0].labels.tolist() == [2, 0] and data.label_list == ["person", "cat", "dog"]
    only = training_set(folder, category=["dog"], num_classes=1)
    assert len(only) == 1 and only[0].labels.tolist() == [0] and only.label_list == ["dog"]
    with pytest.raises(ConfigError, match=r"3 categories.*num_classes is 1.*TrainDataset.category=person"):
        training_set(folder, num_classes=1).parse()
    with pytest.raises(DataError, match="no category 'horse'; it has: 7 .dog., 1 .person., 3 .cat."):
        training_set(folder, category="horse").parse()


def test_pseudo_labels_fill_gaps_and_count_by_their_scores(coco, write_coco) -> None:
    content = coco(3, 1)  # one person each, at [4, 5, 18, 36]
    content["annotations"] = content["annotations"][:2]  # and none in the third image
    folder = write_coco(content)
    found = [
        {"image_id": 1, "category_id": 1, "bbox": [5, 6, 18, 36], "score": 0.9},  # the annotated person again
        {"image_id": 1, "category_id": 1, "bbox": [40, 5, 18, 36], "score": 0.8},
        {"image_id": 2, "category_id": 1, "bbox": [40, 5, 18, 36], "score": 0.3},  # below the threshold
        {"image_id": 3, "category_id": 1, "bbox": [10, 5, 18, 36], "score": 0.6},
    ]
    (folder / "bbox.json").write_text(json.dumps(found))
    data = training_set(folder, pseudo_boxes="bbox.json")
    scores = {data[i].image_id: data[i].box_scores.tolist() for i in range(len(data))}
    assert scores == {1: [1.0, 0.8], 2: [1.0], 3: [0.6]}
    batch = next(iter(TrainReader(batch_transforms=[BatchRandomResize(32)], batch_size=3, shuffle=False)(data)))
    np.testing.assert_allclose(batch["gt_scores"], [[1, 0.8], [1, 0], [0.6, 0]])
    assert len(training_set(folder, pseudo_boxes="bbox.json", pseudo_overlap=1.0)[0].labels) == 3
    with pytest.raises(DataError, match="nowhere.json"):
        training_set(folder, pseudo_boxes="nowhere.json").parse()
    with pytest.raises(ConfigError, match="pseudo_threshold"):
        training_set(folder, pseudo_threshold=2)


def test_images_without_annotations_learn_from_a_teacher_alone(coco, write_coco) -> None:
    content = coco(2, 1)
    content["annotations"] = []
    folder = write_coco(content)
    (folder / "bbox.json").write_text(
        json.dumps([{"image_id": 2, "category_id": 1, "bbox": [4, 5, 18, 36], "score": 0.7}])
    )
    with pytest.raises(DataError, match="none of its 2 images has a box"):
        training_set(folder).parse()
    data = training_set(folder, pseudo_boxes="bbox.json")
    assert len(data) == 1 and data[0].box_scores.tolist() == [0.7]


READ = [RandomCrop()], [BatchRandomResize([32, 64], random_interp=True), NormalizeImage(), Permute()]


def test_batches_are_the_same_for_any_number_of_workers(coco, write_coco) -> None:
    data = training_set(write_coco(coco(8, 2)))
    sizes = set()
    loaders = [TrainReader(*READ, batch_size=2)(data, workers) for workers in (0, 2)]
    for epoch in range(3):
        for loader in loaders:
            loader.set_epoch(epoch)
        for here, there in zip(*loaders):
            assert here["epoch"] == there["epoch"] == epoch
            sizes.add(here["image"].shape[-1])
            for key in ("image", "gt_boxes", "gt_labels", "gt_scores", "gt_mask"):
                np.testing.assert_array_equal(here[key], there[key])
    loaders[1].close()
    assert sizes == {32, 64}


def test_mosaic_acts_in_its_epochs(coco, write_coco) -> None:
    data = training_set(write_coco(coco(4, 2)))
    reader = TrainReader([Mosaic(1.0, [96, 96])], [BatchRandomResize(96)], batch_size=1, mosaic_epoch=1)
    loader = reader(data)
    mixed = next(iter(loader))["im_shape"], next(iter(loader))["boxes_xyxy"]
    loader.set_epoch(1)
    plain = next(iter(loader))
    assert len(plain["boxes_xyxy"][0]) == 2 and mixed[0].tolist() == [[96, 96]]
    never = TrainReader([Mosaic(1.0, [96, 96])], [BatchRandomResize(96)], batch_size=1, mosaic_epoch=-1)(data)
    np.testing.assert_array_equal(next(iter(never))["gt_mask"], [[1, 1]])


def test_several_datasets_as_one(coco, write_coco, tmp_path) -> None:
    folder = write_coco(coco(3, 2))
    parts = [training_set(folder), training_set(folder, sample_num=2)]
    data = ConcatDataset(parts, repeat=[1, 2])
    assert len(data) == 3 + 2 * 2
    assert [data[i].image_id for i in range(len(data))] == [1, 2, 3, 1, 2, 1, 2]
    assert [data[i].index for i in range(len(data))] == list(range(7))
    assert data.image_path(4).endswith("002.png") and data.label_list == ["person"]
    seen = [i for batch in TrainReader(*READ, batch_size=1)(data) for i in batch["index"].tolist()]
    assert sorted(seen) == list(range(7))
    with pytest.raises(IndexError):
        data.describe(7)
    persons = [KeypointTopDownCocoDataset(str(folder), "images", "persons.json", trainsize=[48, 64]) for _ in range(2)]
    assert len(ConcatDataset(persons)) == 12 and ConcatDataset(persons)[7].index == 7
    with pytest.raises(ConfigError, match="repeat"):
        ConcatDataset(parts, repeat=[1])
    with pytest.raises(ConfigError, match="list of datasets"):
        ConcatDataset([])


def test_datasets_that_do_not_fit_are_refused(coco, write_coco, tmp_path) -> None:
    folder = write_coco(coco(2, 1))
    content = coco(2, 1)
    content["categories"][0]["name"] = "dog"
    (folder / "dogs.json").write_text(json.dumps(content))
    data = ConcatDataset([training_set(folder), COCODataSet(str(folder), "images", "dogs.json", TRAIN)])
    with pytest.raises(DataError, match="different label_list.*person.*dog"):
        data.parse()
    with pytest.raises(ConfigError, match="one annotation file"):
        _ = data.annotation_file


def test_yaml_builds_it(coco, write_coco) -> None:
    folder = str(write_coco(coco(2, 1)))
    place = {"dataset_dir": folder, "image_dir": "images", "anno_path": "persons.json"}
    part = {"name": "COCODataSet", **place, "data_fields": [*TRAIN]}
    data = Builder({"num_classes": 1}).build({"name": "ConcatDataset", "datasets": [part, part]})
    assert len(data) == 4 and data.datasets[0].num_classes == 1

"""Which images and people a bottom-up dataset gives, and what it says of the rest."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
from support.shared_data import shared

from ppdet.core.errors import ConfigError, DataError
from ppdet.data.loading.reader import EvalReader, TrainReader
from ppdet.data.sources.bottom_up_coco import KeypointBottomUpCocoDataset
from ppdet.data.sources.bottom_up_crowdpose import KeypointBottomUpCrowdPoseDataset
from ppdet.data.transforms.bottomup.random_affine import RandomAffine
from ppdet.data.transforms.bottomup.to_heatmaps import TagGenerate, ToHeatmaps
from ppdet.data.transforms.pixels.normalize_image import NormalizePermute


def dataset(folder, **kwargs):
    return KeypointBottomUpCocoDataset(str(folder), "images", "persons.json", **kwargs)


@pytest.fixture
def mixed(coco):
    """Four images: two persons; one of them without keypoints; only a crowd; nobody."""
    content = coco(4, 2)
    people = content["annotations"]
    people[0]["area"], people[1]["area"] = 100, 300
    people[3]["keypoints"] = [0] * 51
    people[4]["iscrowd"] = 1
    people[4]["segmentation"] = {"size": [48, 64], "counts": [0, 48 * 10, 48 * 54]}
    del people[5:]
    return content


def test_training_takes_images_with_a_person_and_evaluation_all(mixed, write_coco):
    folder = write_coco(mixed)
    assert [s.image_id for s in map(dataset(folder).describe, range(2))] == [1, 2] and len(dataset(folder)) == 2
    everything = dataset(folder, test_mode=True)
    assert len(everything) == 4 and everything[3].xy_image.shape == (0, 17, 2) and everything[3].ignore is None
    assert everything.annotation_file.endswith("persons.json") and everything.image_path(2).endswith("003.png")


def test_an_image_whose_only_person_has_no_keypoints_is_trained_on(mixed, write_coco):
    mixed["annotations"][2]["keypoints"] = [0] * 51
    data = dataset(write_coco(mixed))
    assert len(data) == 2 and data[1].xy_image.shape[0] == 0 and data[1].ignore.any()


def test_people_come_largest_first_with_everything_that_is_theirs(mixed, write_coco):
    sample = dataset(write_coco(mixed))[0]
    assert sample.area.tolist() == [300, 100] and sample.boxes_xyxy[:, 0].tolist() == [24, 4]
    largest = np.array(mixed["annotations"][1]["keypoints"]).reshape(-1, 3)
    assert np.allclose(sample.xy_image[0], largest[:, :2])
    assert sample.image_wh == (64, 48) and sample.visible.shape == (2, 17) and (sample.visible == 1).all()


def test_ignored_regions_are_crowds_and_the_unlabelled(mixed, write_coco):
    data = dataset(write_coco(mixed), test_mode=True)
    assert data[0].ignore is None
    unlabelled = data[1].ignore
    assert unlabelled[5:41, 24:42].all() and unlabelled.sum() == 36 * 18
    assert data[2].ignore[:, :10].all() and not data[2].ignore[:, 10:].any()
    assert dataset(data.dataset_dir, test_mode=True, return_mask=False)[2].ignore is None


def test_a_person_that_cannot_be_used_is_ignored_by_the_loss_too(mixed, write_coco):
    mixed["annotations"][1]["keypoints"][4] = None
    sample = dataset(write_coco(mixed))[0]
    assert len(sample.xy_image) == 1 and sample.ignore[5:41, 24:42].all()


def test_other_categories_are_no_people(mixed, write_coco):
    mixed["categories"].append({"id": 2, "name": "dog"})
    dog = {**mixed["annotations"][4], "image_id": 4, "category_id": 2}
    mixed["annotations"] += [{**dog, "id": 98, "iscrowd": 0}, {**dog, "id": 99, "iscrowd": 1}]
    data = dataset(write_coco(mixed), test_mode=True)
    assert data[3].ignore is None and not data.table.has_person[3]


def test_bad_annotations_are_named_and_counted(mixed, write_coco, caplog):
    mixed["annotations"] += [
        {"id": 70, "image_id": 4, "category_id": 1, "iscrowd": 1, "bbox": [0, 0, 0, 0]},
        {"id": 71, "image_id": 99, "category_id": 1, "iscrowd": 0, "bbox": [1, 2, 3, 4], "keypoints": [1] * 51},
        {"id": 72, "image_id": 4, "category_id": 1, "iscrowd": 1, "bbox": [1, 2, 30, 40], "segmentation": [[1, 2]]},
        "person",
    ]
    with caplog.at_level(logging.INFO, logger="ppdet"):
        data = dataset(write_coco(mixed), test_mode=True).parse()
    assert data.report.num_bad == 3
    for text in ("annotation 70", "annotation 71", "not a mapping", "1 segmentations of ignored people cannot", "3 ignored"):
        assert text in caplog.text, text
    assert data[3].ignore.sum() == 30 * 40


def test_a_broken_image_is_replaced_in_training_and_left_out_of_evaluation(coco, write_coco):
    folder = write_coco(coco(4, 1))
    (folder / "images" / "002.png").write_bytes(b"no image")
    ops = [RandomAffine(trainsize=64), ToHeatmaps(hmsize=[16, 32]), TagGenerate(max_people=30), NormalizePermute()]
    training = TrainReader(sample_transforms=ops, batch_size=2)(dataset(folder), worker_num=2)
    shapes = [batch["image"].shape for batch in training]
    training.close()
    assert shapes == [(2, 3, 64, 64)] * 2 and [path.endswith("002.png") for path in training.bad] == [True]
    evaluation = EvalReader(sample_transforms=[NormalizePermute()], batch_size=1)(dataset(folder, test_mode=True))
    assert [batch["image_id"].item() for batch in evaluation] == [1, 3, 4] and len(evaluation.bad) == 1


def test_batches_have_the_contracts_keys_and_do_not_depend_on_the_workers(coco, write_coco):
    ops = [RandomAffine(trainsize=64), ToHeatmaps(hmsize=[16, 32]), TagGenerate(), NormalizePermute()]
    data = dataset(write_coco(coco(4, 2)))
    here, there = (
        list(TrainReader(sample_transforms=ops, batch_size=2)(data, worker_num=n, seed=3)) for n in (0, 2)
    )
    shapes = {name: (values.shape, values.dtype.str) for name, values in here[0].items()}
    expected = {
        "image": ((2, 3, 64, 64), "<f4"), "heatmap_1x": ((2, 17, 16, 16), "<f4"), "heatmap_2x": ((2, 17, 32, 32), "<f4"),
        "mask_1x": ((2, 16, 16), "<f4"), "mask_2x": ((2, 32, 32), "<f4"), "tag_joints": ((2, 30, 17, 2), "<i8"),
        "image_id": ((2,), "<i8"), "index": ((2,), "<i8"), "image_wh": ((2, 2), "<i8"),
    }  # fmt: skip
    assert expected.items() <= shapes.items() and not any(v.dtype == object for v in here[0].values())
    for one, other in zip(here, there):
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_one_sample_at_a_time_gives_the_same_targets_as_a_batch(coco, write_coco):
    ops = [RandomAffine(trainsize=64), ToHeatmaps(hmsize=[16, 32]), TagGenerate(), NormalizePermute()]

    class Same:
        def __call__(self, sample, rng):
            return sample

    data = dataset(write_coco(coco(2, 2)))
    batch, single = (
        next(iter(TrainReader(sample_transforms=[*ops, *last], batch_size=2)(data))) for last in ([], [Same()])
    )
    assert set(single) - set(batch) == set()
    for name in ("image", "heatmap_1x", "heatmap_2x", "mask_1x", "mask_2x", "tag_joints"):
        assert np.array_equal(batch[name], single[name]), name
    alone = [ops[0], TagGenerate(codec=ops[0].codec), ops[3]]
    assert np.array_equal(next(iter(TrainReader(sample_transforms=alone, batch_size=2)(data)))["tag_joints"], batch["tag_joints"])


def test_targets_of_another_size_than_the_image_are_refused(coco, write_coco):
    data = dataset(write_coco(coco(2, 2)))
    for targets in (ToHeatmaps(), TagGenerate()):
        for last in ([], [NormalizePermute()]):
            reader = TrainReader(sample_transforms=[RandomAffine(trainsize=64), targets, *last], batch_size=2)
            with pytest.raises(ConfigError, match="64x64.*512x512"):
                next(iter(reader(data)))


def test_shards_are_disjoint_and_complete(coco, write_coco):
    folder = write_coco(coco(4, 1))
    shards = [dataset(folder, shard=[i, 3]) for i in range(3)]
    parts = [[shard.describe(n).image_id for n in range(len(shard))] for shard in shards]
    assert parts == [[1, 4], [2], [3]]


@pytest.mark.parametrize("shard", [[1, 1], [0], [-1, 2], [0, "2"]])
def test_a_shard_that_is_none(shard):
    with pytest.raises(ConfigError, match="shard is"):
        KeypointBottomUpCocoDataset(shard=shard)


def test_nothing_to_train_on(coco, write_coco):
    content = coco(2, 1)
    for annotation in content["annotations"]:
        annotation["keypoints"] = [0] * 51
    with pytest.raises(DataError, match="no usable image with a labelled person.*2 without labelled keypoints"):
        dataset(write_coco(content)).parse()


def test_other_numbers_of_keypoints():
    with pytest.raises(ConfigError, match="num_joints is 14, but skeleton coco17"):
        KeypointBottomUpCocoDataset(num_joints=14, skeleton="coco17")


def test_string_ids(mixed, write_coco):
    for image in mixed["images"]:
        image["id"] = f"n{image['id']}"
    for annotation in mixed["annotations"]:
        annotation["image_id"] = f"n{annotation['image_id']}"
    data = dataset(write_coco(mixed), test_mode=True)
    assert data[1].image_id == "n2" and data[1].ignore.any() and len(data[0].xy_image) == 2


def test_crowdpose_layout(tmp_path, coco, write_coco):
    """No areas, no segmentations, no categories' help: 14 keypoints and boxes."""
    content = coco(3, 2, 14)
    for annotation in content["annotations"]:
        del annotation["area"]
    content["annotations"][1]["keypoints"] = [0] * 42
    for image in content["images"]:
        image["crowdIndex"] = 0.5
    folder = write_coco(content)
    data = KeypointBottomUpCrowdPoseDataset(str(folder), "images", "persons.json", skeleton="crowdpose14")
    assert len(data) == 3 and data[0].xy_image.shape == (1, 14, 2) and data[0].ignore.sum() == 36 * 18
    assert data[1].area == pytest.approx([0.53 * 18 * 36] * 2)


def test_crowdposes_own_file(tmp_path):
    source = shared("data", "metrics", "xtcocotools_examples", "example_crowdpose_val.json")
    content = json.loads(source.read_text())
    for image in content["images"]:
        (tmp_path / image["file_name"]).touch()
    data = KeypointBottomUpCrowdPoseDataset(str(tmp_path), "", str(source), test_mode=True)
    labelled = [a for a in content["annotations"] if a["num_keypoints"] and not a["iscrowd"]]
    assert len(data) == 4 and len(data.table.persons) == len(labelled)
    assert sum(map(len, data.table.ignored.values())) == len(content["annotations"]) - len(labelled)


def test_real_annotations():
    root = shared("data", "coco_person")
    data = KeypointBottomUpCocoDataset(str(root), "images", "annotations/person_keypoints_train.json", cache=False)
    counts = [len(data.table.people(row)) for row in range(len(data))]
    assert (len(data), sum(counts)) == (2055, 4760)
    assert sum(map(len, data.table.ignored.values())) == 3713
    crowded = data[int(np.argmax(counts))]
    assert len(crowded.xy_image) == max(counts) > 8 and (np.diff(crowded.area) <= 0).all()

"""Readers: the same batches whatever the workers, every sample in its place, nothing lost in silence."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest
from support.shared_data import shared

from ppdet.codecs import HeatmapCodec
from ppdet.core.config.builder import Builder
from ppdet.core.errors import ConfigError, DataError
from ppdet.data import components  # noqa: F401  (fills the registry)
from ppdet.data.loading.reader import EvalReader, TrainReader
from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset
from ppdet.data.sources.detection import COCODataSet
from ppdet.data.sources.image_folder import ImageFolder
from ppdet.data.transforms.topdown.random_flip_half_body import RandomFlipHalfBodyTransform
from ppdet.data.transforms.topdown.top_down_affine import TopDownAffine
from ppdet.skeletons import get_skeleton

TRAIN = {
    "sample_transforms": [
        {"RandomFlipHalfBodyTransform": {"trainsize": [48, 64], "scale": 0.25, "rot": 30, "pixel_std": 200}},
        {"AugmentationbyInformantionDropping": {"trainsize": [48, 64], "prob_cutout": 0.5, "offset_factor": 0.05}},
        {"TopDownAffine": {"trainsize": [48, 64], "use_udp": True}},
        {"ToHeatmapsTopDown_DARK": {"hmsize": [12, 16], "sigma": 1}},
    ],
    "batch_transforms": [{"NormalizeImage": {"is_scale": True}}, {"Permute": {}}],
    "batch_size": 3,
    "drop_last": False,
}
EVAL = {
    "sample_transforms": [{"TopDownAffine": {"trainsize": [48, 64], "use_udp": True}}],
    "batch_transforms": TRAIN["batch_transforms"],
    "batch_size": 3,
}


def builder():
    codec = HeatmapCodec(input_wh=(48, 64), heatmap_wh=(12, 16), sigma=1.0, alignment="udp")
    return Builder({"TrainReader": TRAIN, "EvalReader": EVAL}, shared={"codec": codec, "skeleton": get_skeleton("coco17")})


def dataset(folder, **kwargs):
    return KeypointTopDownCocoDataset(str(folder), "images", "persons.json", trainsize=[48, 64], **kwargs)


def same(a, b):
    assert a.keys() == b.keys()
    for key in a:
        if key == "bad":
            assert a[key] == b[key]
        else:
            np.testing.assert_array_equal(a[key], b[key])
            assert a[key].dtype == b[key].dtype


def test_shapes_and_types_of_a_training_batch(coco, write_coco):
    loader = builder().build("TrainReader")(dataset(write_coco(coco())))
    assert len(loader) == 3 and loader.num_samples == 8
    batch = next(iter(loader))
    shapes = {key: (value.shape, value.dtype.name) for key, value in batch.items()}
    assert shapes["image"] == ((3, 3, 64, 48), "float32")
    assert shapes["target"] == ((3, 17, 16, 12), "float32")
    assert shapes["target_weight"] == ((3, 17), "float32")
    assert shapes["center_xy"] == shapes["size_wh"] == ((3, 2), "float32")
    assert shapes["rotation"] == shapes["box_score"] == shapes["area"] == ((3,), "float32")
    assert shapes["image_id"] == shapes["index"] == ((3,), "int64")
    assert batch["image"].min() > -2.2 and batch["image"].max() < 2.7


@pytest.mark.parametrize("name", ["TrainReader", "EvalReader"])
def test_workers_change_nothing(coco, write_coco, name):
    folder = write_coco(coco(5, 2))
    results = []
    for worker_num in (0, 1, 3):
        loader = builder().build(name)(dataset(folder), worker_num, seed=7)
        epochs = []
        for epoch in (0, 1):
            loader.set_epoch(epoch)
            epochs.append(list(loader))
        loader.close()
        results.append(epochs)
    for other in results[1:]:
        for a, b in zip(sum(results[0], []), sum(other, [])):
            same(a, b)


def test_epochs_differ_and_an_epoch_can_be_repeated(coco, write_coco):
    folder = write_coco(coco())
    loader = builder().build("TrainReader")(dataset(folder), seed=1)
    first = list(loader)
    loader.set_epoch(5)
    fifth = list(loader)
    assert any((a["image"] != b["image"]).any() for a, b in zip(first, fifth))
    resumed = builder().build("TrainReader")(dataset(folder), seed=1)
    resumed.set_epoch(5)
    for a, b in zip(fifth, resumed):
        same(a, b)


def test_a_sample_does_not_depend_on_its_batch(coco, write_coco):
    folder = write_coco(coco())
    whole = builder().build("TrainReader", batch_size=8)(dataset(folder), seed=3)
    batch = next(iter(whole))
    for rank in (0, 1):
        for part in builder().build("TrainReader")(dataset(folder), seed=3, rank=rank, world_size=2):
            for row, index in enumerate(part["index"]):
                at = int(np.flatnonzero(batch["index"] == index)[0])
                np.testing.assert_array_equal(part["image"][row], batch["image"][at])
                np.testing.assert_array_equal(part["target"][row], batch["target"][at])


@pytest.mark.parametrize("world", [1, 2, 3])
def test_ranks_cover_everything_exactly_once(coco, write_coco, world):
    folder = write_coco(coco(5, 2))
    for name, expected in (("EvalReader", 10), ("TrainReader", 10 // world * world)):
        seen = []
        for rank in range(world):
            loader = builder().build(name)(dataset(folder), rank=rank, world_size=world)
            seen += [int(i) for batch in loader for i in batch["index"]]
        assert len(seen) == len(set(seen)) == expected


@pytest.mark.parametrize("worker_num", [0, 2])
def test_corrupt_images_are_replaced_in_training_and_named(coco, write_coco, caplog, worker_num):
    folder = write_coco(coco())
    (folder / "images" / "002.png").write_bytes(b"\x89PNG garbage")
    loader = builder().build("TrainReader")(dataset(folder), worker_num, seed=0)
    batches = list(loader)
    loader.close()
    assert sum(len(b["image"]) for b in batches) == 8
    assert not any(b["image_id"].tolist().count(2) for b in batches)
    bad = [item for b in batches for item in b.get("bad", [])]
    assert {os.path.basename(path) for path, _ in bad} == {"002.png"}
    assert list(loader.bad) == [str(folder / "images" / "002.png")]
    assert sum("002.png" in r.getMessage() and "replaced" in r.getMessage() for r in caplog.records) == 1
    again = builder().build("TrainReader")(dataset(folder), 0, seed=0)
    for a, b in zip(batches, again):
        same(a, b)


@pytest.mark.parametrize("worker_num", [0, 2])
def test_corrupt_images_are_left_out_of_evaluation_and_named(coco, write_coco, worker_num):
    folder = write_coco(coco(4, 2))
    for name in ("001.png", "004.png"):
        (folder / "images" / name).write_bytes(b"")
    loader = builder().build("EvalReader", batch_size=2)(dataset(folder), worker_num)
    batches = list(loader)
    loader.close()
    assert [b["image_id"].tolist() for b in batches] == [[2, 2], [3, 3]]
    assert "001.png" in batches[0]["bad"][0][0]  # of the batch before, which was empty
    assert {os.path.basename(p) for p in loader.bad} == {"001.png", "004.png"}


@pytest.mark.parametrize("worker_num", [0, 2])
@pytest.mark.parametrize("name", ["TrainReader", "EvalReader"])
def test_all_images_bad_is_an_error(coco, write_coco, name, worker_num):
    folder = write_coco(coco())
    for file in (folder / "images").iterdir():
        file.write_bytes(b"garbage")
    loader = builder().build(name)(dataset(folder), worker_num)
    with pytest.raises(DataError, match="none of.*\\.png"):
        list(loader)
    loader.close()


def test_an_image_that_does_not_fit_its_annotation_is_bad(coco, write_coco):
    content = coco()
    folder = write_coco(content)
    import cv2

    cv2.imwrite(str(folder / "images" / "003.png"), np.zeros((96, 128, 3), np.uint8))
    loader = builder().build("EvalReader")(dataset(folder))
    assert sum(len(b["image"]) for b in loader) == 6
    assert "128x96" in next(iter(loader.bad.values()))


class Fails:
    """A transform with a fault of its own."""

    def __call__(self, sample, rng):
        raise ZeroDivisionError("a fault of ours")


class KillsItself:
    """Stands for the system's out-of-memory killer."""

    def __init__(self, parent):
        self.parent = parent

    def __call__(self, sample, rng):
        if os.getpid() != self.parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return sample


def test_faults_are_not_taken_for_bad_images(coco, write_coco):
    folder = write_coco(coco())
    with pytest.raises(ZeroDivisionError):
        list(EvalReader([Fails()])(dataset(folder)))


class FailsInWorker(KillsItself):
    """Fails where only the traceback tells."""

    def __call__(self, sample, rng):
        if os.getpid() != self.parent:
            raise ZeroDivisionError("a fault of ours")
        return sample


def test_a_fault_in_a_worker_comes_with_its_traceback(coco, write_coco):
    affine = TopDownAffine([48, 64])
    loader = EvalReader([affine, FailsInWorker(os.getpid())])(dataset(write_coco(coco())), 2)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        list(loader)


def test_a_killed_worker_is_an_error_and_no_hang(coco, write_coco):
    affine = TopDownAffine([48, 64])
    loader = EvalReader([affine, KillsItself(os.getpid())])(dataset(write_coco(coco())), 2)
    with pytest.raises(DataError, match="died.*worker_num"):
        list(loader)


def test_stopping_early_and_starting_again(coco, write_coco):
    folder = write_coco(coco(8, 2))
    others = set(multiprocessing.active_children())
    loader = builder().build("TrainReader")(dataset(folder), 2)
    for _ in range(3):
        for _batch in loader:
            break
    expected = list(builder().build("TrainReader")(dataset(folder), 0))
    got = list(loader)
    for a, b in zip(expected, got):
        same(a, b)
    assert len(got) == len(expected)
    processes = set(multiprocessing.active_children()) - others
    assert len(processes) == 2
    loader.close()
    deadline = time.time() + 5
    while any(p.is_alive() for p in processes) and time.time() < deadline:
        time.sleep(0.05)
    assert not any(p.is_alive() for p in processes)


def test_workers_that_cannot_start_leave_the_garbage_collector_as_it_was(coco, write_coco, monkeypatch):
    def refuse(self):
        raise OSError("none left")

    monkeypatch.setattr(multiprocessing.get_context("fork").Process, "start", refuse)
    frozen = gc.get_freeze_count()
    loader = EvalReader([TopDownAffine([48, 64])], batch_size=2)(dataset(write_coco(coco())), worker_num=1)
    with pytest.raises(OSError, match="none left"):
        next(iter(loader))
    assert gc.get_freeze_count() == frozen and gc.isenabled()


def test_batches_larger_than_expected_go_through_the_pipe(coco, write_coco):
    content = coco(4, 1)
    for image, width in zip(content["images"], (64, 64, 640, 640)):
        image["width"] = width
    folder = write_coco(content)
    data = COCODataSet(str(folder), "images", "persons.json")
    loader = EvalReader(batch_size=1)(data, 2)
    widths = [b["image"].shape[2] for b in loader]
    loader.close()
    assert widths == [64, 64, 640, 640]


def test_settings_that_make_no_sense(coco, write_coco):
    folder = write_coco(coco())
    with pytest.raises(DataError, match="drop_last"):
        TrainReader([TopDownAffine([48, 64])], batch_size=100, drop_last=True)(dataset(folder))
    with pytest.raises(ConfigError, match="batch_size"):
        TrainReader(batch_size=0)
    with pytest.raises(ConfigError, match="sample_transforms"):
        TrainReader(batch_transforms=[TopDownAffine([48, 64])])
    with pytest.raises(ConfigError, match="Builder"):
        TrainReader(sample_transforms=[{"TopDownAffine": {}}])
    with pytest.raises(ConfigError, match="worker_num"):
        EvalReader()(dataset(folder), -1)


def test_images_of_different_sizes_need_padding(coco, write_coco):
    content = coco(2, 1)
    content["images"][1]["width"] = 80
    folder = write_coco(content)
    data = COCODataSet(str(folder), "images", "persons.json")
    with pytest.raises(DataError, match="PadBatch"):
        list(EvalReader(batch_size=2)(data))
    reader = Builder({}).build(
        {
            "name": "EvalReader",
            "sample_transforms": [{"Decode": {}}, {"NormalizeImage": {}}, {"Permute": {}}],
            "batch_transforms": [{"PadBatch": {"pad_to_stride": 32}}],
            "batch_size": 2,
        }
    )
    batch = next(iter(reader(data)))
    assert batch["image"].shape == (2, 3, 64, 96)
    np.testing.assert_array_equal(batch["im_shape"], [[48, 64], [48, 80]])
    assert [len(b) for b in batch["boxes_xyxy"]] == [1, 1]
    np.testing.assert_allclose(batch["boxes_xyxy"][0], [[4, 5, 22, 41]])


def test_image_folder(coco, write_coco, tmp_path):
    folder = write_coco(coco(3, 1))
    data = ImageFolder(dataset_dir=str(folder), image_dir="images", anno_path="dataset/coco/keypoint_imagelist.txt")
    assert len(data) == 3 and data.label_list() == []
    assert data[1].image.shape == (48, 64, 3)
    assert len(data.set_images([folder / "images" / "002.png"])) == 1
    named = ImageFolder(dataset_dir=str(folder), anno_path="persons.json")
    assert named.label_list() == ["person"]
    with pytest.raises(DataError, match="set_images"):
        len(ImageFolder())


def test_real_evaluation_covers_the_validation_persons():
    root = shared("data", "coco_person")
    data = KeypointTopDownCocoDataset(
        str(root), "images", "annotations/person_keypoints_val.json", trainsize=[48, 64], cache=False
    )
    loader = builder().build("EvalReader", batch_size=64)(data, 2)
    batches = list(loader)
    loader.close()
    index = np.concatenate([b["index"] for b in batches])
    np.testing.assert_array_equal(index, np.arange(238))
    assert loader.bad == {}


def test_a_loader_closed_while_iterated_ends_without_noise() -> None:
    import subprocess
    import sys

    code = (
        "import gc\n"
        "from ppdet.data.loading.worker_pool import WorkerPool\n"
        "class Maker:\n"
        "    def make(self, epoch, indices):\n"
        "        return {'image': indices * 1.0}\n"
        "import numpy as np\n"
        "pool = WorkerPool(Maker(), 1, 4096)\n"
        "run = pool.run(0, [np.arange(3)] * 6)\n"
        "next(run)\n"
        "pool.close()\n"
        "del run\n"
        "gc.collect()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_mirrored_training_on_one_sided_data_is_warned_of(coco, write_coco, caplog):
    content = coco(15, 2, 4)
    for number, entry in enumerate(content["annotations"]):
        x, y = entry["bbox"][:2]
        entry["keypoints"] = [x + 1, y + 10, 2, x + 4, y + 12, 2, x + 4, y + 8, 2, x + 16, y + 10 + number % 3, 2]
    skeleton = {"name": "mouse", "keypoints": ["nose", {"name": "left_ear", "mirror": "right_ear"},
                                               {"name": "right_ear", "mirror": "left_ear"}, "tail"]}  # fmt: skip
    data = KeypointTopDownCocoDataset(
        str(write_coco(content)), "images", "persons.json", 4, [48, 64], skeleton=skeleton, cache=False
    )
    for mirror, told in ((False, False), (True, True)):
        caplog.clear()
        flip = RandomFlipHalfBodyTransform(prob_half_body=0, flip=mirror, skeleton=skeleton)
        with caplog.at_level(logging.WARNING):
            TrainReader([flip, TopDownAffine([48, 64])], batch_size=4)(data)
        assert ("nose is left of tail in 30 of 30 objects" in caplog.text) == told == ("flip: false" in caplog.text)

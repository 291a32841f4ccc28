"""Mix-up, the limit of boxes, and the targets of a YOLO head beyond the golden cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

import cv2
import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.data.loading.batch_maker import BatchMaker
from ppdet.data.samples.collate import collate
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection import Gt2YoloTarget, Mixup, PadBox
from ppdet.data.transforms.detection.gt2yolo_target import shape_iou
from ppdet.data.transforms.detection.mixup import blend
from ppdet.modeling.heads.yolo_head import ANCHORS, MASKS


def sample_of(level: int, wh: tuple, boxes: List[List[float]], labels: List[int], index: int = 0) -> ImageSample:
    image = np.full((wh[1], wh[0], 3), level, np.uint8)
    array, classes = np.array(boxes, np.float64).reshape(-1, 4), np.array(labels, np.int64)
    return ImageSample(f"{index}", index, index, image, array, classes, classes > 99, boxes_input=array.copy(),
                       im_shape=np.array(wh[::-1], np.float32), scale_factor=np.ones(2, np.float32))  # fmt: skip


def test_blending_keeps_both_at_the_top_left() -> None:
    mixed = blend(sample_of(200, (40, 20), [[1, 2, 30, 18]], [3]), sample_of(100, (10, 50), [[0, 0, 5, 5]], [1]), 0.75)
    assert mixed.image is not None and mixed.image.shape == (50, 40, 3) and mixed.image.dtype == np.uint8
    assert [int(mixed.image[y, x, 0]) for y, x in ((5, 5), (5, 30), (40, 5), (40, 30))] == [175, 150, 25, 0]
    assert mixed.boxes_input is not None and mixed.box_scores is not None
    np.testing.assert_array_equal(mixed.boxes_input, [[1, 2, 30, 18], [0, 0, 5, 5]])
    assert mixed.labels.tolist() == [3, 1] and mixed.box_scores.tolist() == [0.75, 0.25]


@pytest.mark.parametrize(("share", "level"), [(1.0, 200), (0.0, 100)])
def test_blending_all_of_one_is_that_one(share: float, level: int) -> None:
    one = blend(sample_of(200, (8, 8), [[0, 0, 4, 4]], [0]), sample_of(100, (8, 8), [[2, 2, 4, 4]], [1]), share)
    assert one.image is not None and (one.image == level).all() and len(one.labels) == 1 and one.box_scores is None


class _Two:
    """A dataset of two images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for i in range(2):
            cv2.imwrite(str(folder / f"{i}.png"), np.full((16, 16, 3), 50, np.uint8))

    def __len__(self) -> int:
        return 2

    def image_path(self, index: int) -> str:
        return str(self.folder / f"{index}.png")

    def load(self, index: int, rng: Any) -> ImageSample:
        return sample_of(100 + index, (16, 16), [[0, 0, 8, 8]], [index], index)


@pytest.mark.parametrize(("epochs", "mixed"), [(0, True), (5, True), (2, False), (-1, False)])
def test_the_reader_mixes_in_the_first_epochs(tmp_path: Path, epochs: int, mixed: bool) -> None:
    maker = BatchMaker(_Two(tmp_path), [Mixup()], [], seed=1, mixing_epochs={"mixup_epoch": epochs, "mosaic_epoch": -1})
    batch = maker.make(3, [0, 1])
    assert batch["gt_boxes"].shape[1] == (2 if mixed else 1)
    if mixed:
        np.testing.assert_allclose(batch["gt_scores"].sum(axis=1), 1.0, rtol=1e-6)


def test_pad_box_drops_what_is_beyond() -> None:
    samples = PadBox(2).apply_samples([sample_of(0, (9, 9), [[0, 0, i, i] for i in (1, 2, 3)], [0, 1, 2])])
    assert samples[0].labels.tolist() == [0, 1] and len(samples[0].boxes_xyxy) == 2
    with pytest.raises(ConfigError, match="1 or more"):
        PadBox(0)


def targets_of(boxes: List[List[float]], labels: List[int], size: int = 64, **options: Any) -> Dict[str, np.ndarray]:
    batch = collate([sample_of(0, (size, size), boxes, labels)])
    return Gt2YoloTarget(ANCHORS, MASKS, [32, 16, 8], num_classes=4, **options).apply_batch(batch)


def test_a_box_has_one_cell_and_anchor() -> None:
    batch = targets_of([[20, 8, 34, 36]], [2])  # 14 x 28, most like anchor 1 (16 x 30), at 27, 22
    assert [batch[f"target{i}"].shape for i in range(3)] == [(1, 3, 10, n, n) for n in (2, 4, 8)]
    assert [int((batch[f"target{i}"][0, :, 5] > 0).sum()) for i in range(3)] == [0, 0, 1]
    cell = batch["target2"][0, 1, :, 2, 3]
    expected = [27 / 8 - 3, 22 / 8 - 2, np.log(14 / 16), np.log(28 / 30), 2 - 14 * 28 / 64**2, 1, 0, 0, 1, 0]
    np.testing.assert_allclose(cell, expected, rtol=1e-5)


def test_similar_anchors_learn_a_box_too_below_a_threshold() -> None:
    overlap = shape_iou(np.array([14.0, 28.0]), np.array(ANCHORS, np.float64))
    batch = targets_of([[20, 8, 34, 36]], [2], iou_thresh=0.3)
    positive = sum(int((batch[f"target{i}"][0, :, 5] > 0).sum()) for i in range(3))
    assert positive == int((overlap > 0.3).sum()) > 1


def test_a_centre_on_the_far_edge_stays_inside() -> None:
    batch = targets_of([[62, 62, 66, 66]], [0])
    assert batch["target2"][0, 0, 5, 7, 7] == 1 and batch["target2"][0, 0, 0, 7, 7] == 1.0


def test_boxes_without_extent_or_trust_have_no_target() -> None:
    batch = collate([sample_of(0, (64, 64), [[5, 5, 5, 9], [8, 8, 20, 20]], [0, 1])])
    batch["gt_scores"][:] = 0
    batch = Gt2YoloTarget(ANCHORS, MASKS, [32, 16, 8], num_classes=4).apply_batch(batch)
    assert all((batch[f"target{i}"] == 0).all() for i in range(3))


def test_levels_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="must index"):
        Gt2YoloTarget(ANCHORS, MASKS, [32, 16], num_classes=4)
    with pytest.raises(ConfigError, match="must index"):
        Gt2YoloTarget(ANCHORS[:3], MASKS, [32, 16, 8], num_classes=4)

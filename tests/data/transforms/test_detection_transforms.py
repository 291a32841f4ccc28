"""Boxes stay inside and in step with the pixels, whatever is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.core.errors import ConfigError
from ppdet.data.samples.collate import collate
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.augment_hsv import AugmentHSV
from ppdet.data.transforms.detection.batch_random_resize import BatchRandomResize
from ppdet.data.transforms.detection.box_operations import crop, mirror
from ppdet.data.transforms.detection.mosaic import Mosaic
from ppdet.data.transforms.detection.pad_gt import PadGT
from ppdet.data.transforms.detection.random_crop import RandomCrop
from ppdet.data.transforms.detection.random_distort import RandomDistort
from ppdet.data.transforms.detection.random_expand import RandomExpand
from ppdet.data.transforms.detection.random_flip import RandomFlip

QUICK = settings(max_examples=60, deadline=None)
INK = 255
seeds = st.integers(0, 2**32 - 1)


def planted(rng: np.random.Generator, width: int, height: int, count: int) -> ImageSample:
    """An image whose boxes are bright rectangles of their own green level, on black."""
    image = np.zeros((height, width, 3), np.uint8)
    boxes = []
    for number in range(count):
        x1, y1 = rng.integers(0, width - 4), rng.integers(0, height - 4)
        x2, y2 = rng.integers(x1 + 3, width + 1), rng.integers(y1 + 3, height + 1)
        image[y1:y2, x1:x2] = (INK, 40 * number, 0)
        boxes.append([x1, y1, x2, y2])
    array = np.array(boxes, np.float64).reshape(-1, 4)
    labels = np.arange(count)
    crowd = np.zeros(count, bool)
    return ImageSample("", 1, 0, image, array, labels, crowd, box_scores=labels / 10 + 0.5, boxes_input=array.copy())


def check_inside(sample: ImageSample) -> None:
    height, width = sample.image.shape[:2]
    boxes = sample.boxes_input
    assert len(boxes) == len(sample.labels) == len(sample.crowd) == len(sample.box_scores) == len(sample.boxes_xyxy)
    assert (boxes >= 0).all() and (boxes <= [width, height, width, height]).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    np.testing.assert_allclose(sample.box_scores, sample.labels / 10 + 0.5)  # scores and labels kept together


def lit(sample: ImageSample, tolerance: float) -> None:
    """One planted box covers exactly the bright pixels."""
    rows, columns = np.nonzero(sample.image[..., 0] > INK / 2)
    hull = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(sample.boxes_input[0], hull, atol=tolerance)


@QUICK
@given(seed=seeds, width=st.integers(8, 90), height=st.integers(8, 90), count=st.integers(0, 4))
def test_whatever_is_drawn_boxes_stay_inside(seed: int, width: int, height: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    sample = planted(rng, width, height, count)
    colours = (RandomDistort(), AugmentHSV(), AugmentHSV(hgain=5, sgain=30, vgain=30))
    for transform in (RandomExpand(2.0, 0.3), RandomCrop(), RandomFlip(), *colours):
        sample = transform(sample, rng)
        check_inside(sample)
    if count:
        assert len(sample.boxes_input) > 0 and set(sample.labels) <= set(range(count))
    check_inside(BatchRandomResize([32, [40, 64]], random_interp=True).apply_samples([sample], rng)[0])


@QUICK
@given(seed=seeds, width=st.integers(20, 90), height=st.integers(20, 90))
def test_boxes_follow_their_pixels(seed: int, width: int, height: int) -> None:
    rng = np.random.default_rng(seed)
    sample = planted(rng, width, height, 1)
    for transform in (RandomExpand(2.0, 0.0, 0), RandomCrop(), RandomFlip(1.0)):
        sample = transform(sample, rng)
        lit(sample, 0)
    factor = max(96 / side for side in sample.image.shape[:2])
    lit(BatchRandomResize(96).apply_samples([sample], rng)[0], 1 + factor / 2)


def test_mirroring_twice_is_no_change() -> None:
    sample = planted(np.random.default_rng(0), 31, 20, 3)
    image, boxes = sample.image.copy(), sample.boxes_input.copy()
    mirror(mirror(sample))
    np.testing.assert_array_equal(sample.image, image)
    np.testing.assert_array_equal(sample.boxes_input, boxes)


def test_a_crop_keeps_boxes_by_their_centres() -> None:
    sample = planted(np.random.default_rng(0), 40, 40, 0)
    sample.boxes_input = sample.boxes_xyxy = np.array([[0, 0, 20, 20], [8, 8, 16, 16], [30, 30, 38, 38.0]])
    sample.labels, sample.crowd, sample.box_scores = np.arange(3), np.zeros(3, bool), np.ones(3)
    crop(sample, 10, 10, 30, 30)
    np.testing.assert_array_equal(sample.boxes_input, [[0, 0, 10, 10], [0, 0, 6, 6]])
    assert sample.labels.tolist() == [0, 1] and sample.image.shape == (20, 20, 3)


@QUICK
@given(seed=seeds, mixup=st.booleans(), partners=st.integers(0, 4))
def test_mosaic(seed: int, mixup: bool, partners: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(10, 80, (partners + 1, 2))
    first, *others = (planted(rng, int(w), int(h), 3) for w, h in sizes)
    mosaic = Mosaic(1.0, [48, 64], scale=[0.5, 1.5], enable_mixup=mixup)
    found = mosaic.mix(first, others, rng)
    check_inside(found)
    assert found.image.dtype == np.uint8
    assert found.image.shape == ((48, 64, 3) if partners >= 3 else (int(sizes[0][1]), int(sizes[0][0]), 3))


def test_mosaic_boxes_follow_their_pixels() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        samples = [planted(rng, 50, 40, 1 if i == 0 else 0) for i in range(4)]
        mosaic = Mosaic(1.0, [80, 80], degrees=[0, 0], shear=[0, 0], scale=[1, 1], enable_mixup=False)
        found = mosaic.mix(samples[0], samples[1:], rng)
        if len(found.boxes_input) and found.image[..., 0].max() > 200:
            lit(found, 2.0)


def test_batches_are_padded_and_say_so() -> None:
    rng = np.random.default_rng(1)
    samples = BatchRandomResize(32).apply_samples([planted(rng, 40, 30, count) for count in (2, 0, 3)], rng)
    batch = PadGT().apply_batch(collate(samples))
    assert batch["gt_boxes"].shape == (3, 3, 4) and batch["gt_boxes"].dtype == np.float32
    np.testing.assert_array_equal(batch["gt_mask"].sum(axis=1), [2, 0, 3])
    assert not batch["gt_boxes"][1].any() and not batch["gt_boxes"][0, 2:].any()
    empty = collate(BatchRandomResize(32).apply_samples([planted(rng, 40, 30, 0)], rng))
    assert empty["gt_boxes"].shape == (1, 1, 4) and not empty["gt_mask"].any()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: BatchRandomResize([]), "target_size"),
        (lambda: BatchRandomResize([32], keep_ratio=True), "keep_ratio"),
        (lambda: RandomCrop(scaling=[0.5, 1.5]), "scaling"),
        (lambda: RandomExpand(ratio=1.0), "ratio"),
        (lambda: RandomDistort(hue=[1, 2]), "hue"),
        (lambda: Mosaic(scale=[0, 1]), "scale"),
        (lambda: PadGT(minimum_gtnum=2), "minimum_gtnum"),
    ],
)
def test_settings_that_make_no_sense(make, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        make()

"""With PaddleDetection's order of random draws, its crops, flips and sizes; colours to a rounding of two libraries."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
from support.golden_cases import golden_arrays

from ppdet.data.samples.collate import collate
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.batch_random_resize import BatchRandomResize
from ppdet.data.transforms.detection.random_crop import RandomCrop
from ppdet.data.transforms.detection.random_distort import RandomDistort
from ppdet.data.transforms.detection.random_flip import RandomFlip
from ppdet.data.transforms.pixels.normalize_image import NormalizeImage, Permute

COLOR_TOLERANCE = 3.0  # mean difference in levels: OpenCV's and PIL's colour conversions


class LegacyDraws:
    """numpy's old generator under the method names of the new one."""

    def __init__(self, seed: int) -> None:
        self.state = np.random.RandomState(seed)
        self.uniform, self.random = self.state.uniform, self.state.random_sample
        self.shuffle, self.permutation, self.integers = self.state.shuffle, self.state.permutation, self.state.randint


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    return golden_arrays("picodet_training_augment")


def sample_of(image: np.ndarray, boxes: np.ndarray) -> ImageSample:
    boxes = boxes.astype(np.float64)
    labels = np.zeros(len(boxes), np.int64)
    return ImageSample("", 1, 0, image, boxes, labels, labels > 0, box_scores=labels + 1.0, boxes_input=boxes.copy())


@pytest.mark.parametrize("seed", range(6))
def test_sample_transforms(golden: dict[str, np.ndarray], seed: int) -> None:
    draws = LegacyDraws(seed)
    sample = sample_of(golden["image"], golden["boxes"])
    for name, transform in (("crop", RandomCrop()), ("flip", RandomFlip(0.5)), ("distort", RandomDistort())):
        sample = transform(sample, draws)
        expected = golden[f"s{seed}_{name}_image"]
        assert sample.image.shape == expected.shape and sample.image.dtype == np.uint8
        np.testing.assert_allclose(sample.boxes_input, golden[f"s{seed}_{name}_boxes"], atol=1e-3)
        difference = np.abs(sample.image.astype(float) - expected)
        assert difference.max() == 0 if name != "distort" else difference.mean() < COLOR_TOLERANCE


@pytest.mark.parametrize("number", range(3))
def test_batch_transforms(golden: dict[str, np.ndarray], number: int) -> None:
    random.seed(0)
    names = [f"s{2 * number + i}_distort" for i in range(2)]
    samples = [sample_of(golden[f"{name}_image"], golden[f"{name}_boxes"]) for name in names]
    resize = BatchRandomResize([64, 80, 96], random_size=True, random_interp=True)
    size, interpolation = resize.draw(LegacyDraws(50 + number))
    assert size == (golden[f"batch{number}_target_size"],) * 2
    assert interpolation == golden[f"batch{number}_cv2_interp"]
    batch = collate(resize.apply_samples(samples, LegacyDraws(50 + number)))
    for transform in (NormalizeImage(), Permute()):
        batch = transform.apply_batch(batch)
    expected = golden[f"batch{number}_images"]
    assert batch["image"].shape == expected.shape
    inner = np.abs(batch["image"] - expected)
    if interpolation == cv2.INTER_NEAREST:
        assert inner.max() < 1e-4
    assert inner.mean() < 0.05  # they resize unrounded floats, which Lanczos overshoots
    np.testing.assert_allclose(batch["gt_boxes"], golden[f"batch{number}_boxes"], atol=1e-3)
    np.testing.assert_array_equal(batch["gt_mask"], golden[f"batch{number}_mask"][..., 0])

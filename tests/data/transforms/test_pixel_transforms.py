"""Colours, normalisation, layout, sizes."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.pixels.color_jitter import ColorJitter, ColorShift, shift_colors
from ppdet.data.transforms.pixels.decode import Decode
from ppdet.data.transforms.pixels.normalize_image import NormalizeImage, Permute
from ppdet.data.transforms.pixels.pad_batch import PadBatch
from ppdet.data.transforms.pixels.resize import Resize

RNG = np.random.default_rng(0)


def sample(height=12, width=20, index=0):
    image = np.random.default_rng(index).integers(0, 256, (height, width, 3), np.uint8)
    return ImageSample("x.jpg", 1, index, image=image)


def test_normalize_and_permute_on_batch_and_sample():
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    images = np.stack([sample(index=i).image for i in range(3)])
    expected = ((images / 255.0 - mean) / std).transpose(0, 3, 1, 2)
    batch = {"image": images}
    for transform in (NormalizeImage(), Permute()):
        batch = transform.apply_batch(batch)
    assert batch["image"].dtype == np.float32 and batch["image"].flags.c_contiguous
    np.testing.assert_allclose(batch["image"], expected, atol=1e-5)
    single = Permute()(NormalizeImage()(sample(index=1), RNG), RNG)
    np.testing.assert_array_equal(single.image, batch["image"][1])


def test_normalize_variants():
    image = sample().image
    np.testing.assert_allclose(NormalizeImage(norm_type="none").normalize(image), image / 255.0, atol=1e-6)
    plain = NormalizeImage(mean=[0, 0, 0], std=[1, 1, 1], is_scale=False).normalize(image)
    np.testing.assert_array_equal(plain, image)
    with pytest.raises(ConfigError, match="std"):
        NormalizeImage(std=[0.0, 1, 1])
    with pytest.raises(ConfigError, match="norm_type"):
        NormalizeImage(norm_type="zscore")


def test_color_shift_is_what_it_says():
    image = sample().image
    same = ColorShift(1.0, 1.0, 1.0, 0.0)
    np.testing.assert_array_equal(shift_colors(image, same), image)
    dark = shift_colors(image, ColorShift(0.5, 1.0, 1.0, 0.0))
    assert np.abs(dark.astype(int) - image * 0.5).max() <= 0.5
    flat = shift_colors(image, ColorShift(1.0, 0.0, 1.0, 0.0))
    assert flat.min() == flat.max()
    grey = shift_colors(image, ColorShift(1.0, 1.0, 0.0, 0.0))
    assert (np.ptp(grey.astype(int), axis=2) == 0).all()
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    green = shift_colors(red, ColorShift(1.0, 1.0, 1.0, 1 / 3))
    assert green[0, 0, 1] == 255 and green[0, 0, 0] < 10


def test_color_jitter_leaves_shared_pixels_alone():
    one = sample()
    one.image.flags.writeable = False
    before = one.image
    jitter = ColorJitter(prob=1.0)
    after = jitter(one, np.random.default_rng(1)).image
    assert after is not before and (after != before).any()
    again = jitter(sample(), np.random.default_rng(1)).image
    np.testing.assert_array_equal(after, again)
    untouched = ColorJitter(prob=0.0)(sample(), np.random.default_rng(1)).image
    np.testing.assert_array_equal(untouched, before)


def test_resize():
    stretched = Resize(target_size=[32, 64], keep_ratio=False, interp=2)(sample(), RNG)
    assert stretched.image.shape == (32, 64, 3)
    np.testing.assert_allclose(stretched.scale_factor, [32 / 12, 64 / 20])
    kept = Resize(target_size=[24, 30], keep_ratio=True)(sample(), RNG)
    assert kept.image.shape == (18, 30, 3)
    np.testing.assert_allclose(kept.scale_factor, 1.5)
    np.testing.assert_array_equal(kept.im_shape, [18, 30])
    with pytest.raises(ConfigError):
        Resize(target_size=[32, 64, 3])


def test_pad_batch_both_layouts():
    rows = PadBatch(pad_to_stride=32).apply_samples([sample(12, 20, 0), sample(40, 10, 1)])
    assert [s.image.shape for s in rows] == [(64, 32, 3)] * 2
    assert (rows[0].image[12:] == 0).all() and (rows[0].image[:12, :20] == sample(12, 20, 0).image).all()
    planes = PadBatch().apply_samples([Permute()(sample(12, 20, 0), RNG), Permute()(sample(40, 10, 1), RNG)])
    assert [s.image.shape for s in planes] == [(3, 40, 20)] * 2


def test_decode_reads_only_what_is_missing(tmp_path):
    import cv2

    file = tmp_path / "a.png"
    cv2.imwrite(str(file), np.full((5, 6, 3), 7, np.uint8))
    assert Decode()(ImageSample(str(file), 1, 0), RNG).image.shape == (5, 6, 3)
    ready = sample()
    assert Decode()(ready, RNG).image is ready.image

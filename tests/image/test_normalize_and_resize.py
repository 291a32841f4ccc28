"""Normalisation and resizing, which training data and inference share."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.pixels.resize import Resize
from ppdet.image.normalize import IMAGENET_MEAN, IMAGENET_STD, Normalization, gain_and_offset
from ppdet.image.resize import resize_to, resized_wh, target_height_width
from ppdet.inference.estimators.preprocess import DetectorPreprocess

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), np.uint8)


@pytest.mark.parametrize("to_bgr", [False, True])
@pytest.mark.parametrize("is_scale", [False, True])
def test_tables_and_arithmetic_are_equal(is_scale: bool, to_bgr: bool) -> None:
    norm = Normalization((0.1, 0.2, 0.3), (0.5, 0.25, 2.0), is_scale, to_bgr=to_bgr)
    expected = (IMAGES[..., ::-1] if to_bgr else IMAGES) / (255.0 if is_scale else 1.0)
    expected = ((expected - (0.1, 0.2, 0.3)) / (0.5, 0.25, 2.0)).transpose(0, 3, 1, 2)
    for planes in (norm.planes(IMAGES), norm.planes(IMAGES.astype(np.float32)), norm.channels_last(IMAGES).transpose(0, 3, 1, 2)):
        np.testing.assert_allclose(planes, expected, rtol=1e-5, atol=1e-5)
        assert planes.dtype == np.float32


def test_a_card_without_the_operation_leaves_the_pixels() -> None:
    np.testing.assert_array_equal(Normalization.from_operation(None).planes(IMAGES), IMAGES.transpose(0, 3, 1, 2))
    gain, offset = gain_and_offset(IMAGENET_MEAN, IMAGENET_STD)
    norm = Normalization.from_operation({"type": "NormalizeImage"})
    np.testing.assert_array_equal((norm.gain, norm.offset), (gain, offset))
    with pytest.raises(ConfigError, match="std above 0"):
        Normalization.from_operation({"std": [0, 1, 1]})


def test_resizing_to_a_target() -> None:
    assert resized_wh((200, 50), (40, 80), keep_ratio=True) == (80, 20)
    assert resized_wh((100, 101), (40, 80), keep_ratio=True) == (40, 40)
    assert resized_wh((100, 101), (40, 80), keep_ratio=False) == (80, 40)
    assert resized_wh((3000, 1), (40, 80), keep_ratio=True) == (80, 1)
    assert target_height_width(320) == (320, 320)
    image, scale = resize_to(np.zeros((101, 100, 3), np.uint8), (40, 80), keep_ratio=True)
    assert image.shape == (40, 40, 3) and scale == (40 / 101, 0.4)


def test_training_and_deployment_resize_alike() -> None:
    image = np.random.default_rng(1).integers(0, 256, (97, 143, 3), np.uint8)
    sample = ImageSample("a.png", 1, 0, image)
    sample = Resize([40, 80], keep_ratio=True, interp=2)(sample, np.random.default_rng(0))
    deployed = DetectorPreprocess([{"type": "Resize", "target_size": [40, 80], "keep_ratio": True, "interp": 2}])([image])
    np.testing.assert_array_equal(deployed.image[0], sample.image.transpose(2, 0, 1))
    np.testing.assert_allclose(deployed.scale_factor[0], sample.scale_factor)
    np.testing.assert_allclose(deployed.im_shape[0], sample.im_shape)

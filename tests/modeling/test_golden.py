"""Outputs equal those of PaddleDetection's own models, weights filled by rule."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from support.golden_cases import RELATIVE_ERROR, fill_by_rule, golden_arrays, golden_keys, model_keys, relative_error
from support.small_models import higher_hrnet, hrnet, lite_hrnet, picodet_legacy

from ppdet.modeling.architectures.higher_hrnet import averaged_maps

TOP_DOWN = {
    "tinypose_128x96": lite_hrnet,
    "hrnet_w32_256x192": hrnet,
    "lite_hrnet_18_256x192": lambda: lite_hrnet("lite_18"),
}


@pytest.mark.parametrize("name", TOP_DOWN)
def test_top_down(name: str) -> None:
    expected, model = golden_arrays(name), TOP_DOWN[name]()
    assert model_keys(model) == golden_keys(name)
    fill_by_rule(model)
    images = paddle.to_tensor(expected["image"])
    with paddle.no_grad():
        features = model.backbone(images)
        assert len(features) == sum(key.startswith("backbone_") for key in expected)
        for i, feature in enumerate(features):
            assert relative_error(feature, expected[f"backbone_{i}"]) <= RELATIVE_ERROR
        assert relative_error(model(images)["heatmap"], expected["heatmap"]) <= RELATIVE_ERROR


def test_higher_hrnet() -> None:
    """The golden heads are the mean of both heatmaps and the tags, as its evaluation forward gives them."""
    name = "higherhrnet_hrnet_w32_512"
    expected, model = golden_arrays(name), higher_hrnet()
    assert model_keys(model) == golden_keys(name)
    fill_by_rule(model)
    images = paddle.to_tensor(expected["image"])
    with paddle.no_grad():
        assert relative_error(model.backbone(images)[0], expected["backbone_0"]) <= RELATIVE_ERROR
        heat, tags = averaged_maps(model(images))
    assert relative_error(heat, expected["head_0"]) <= RELATIVE_ERROR
    assert relative_error(tags, expected["head_1"]) <= RELATIVE_ERROR


def test_picodet() -> None:
    name = "picodet_s_192_pedestrian"
    expected, model = golden_arrays(name), picodet_legacy()
    assert model_keys(model) == golden_keys(name)
    fill_by_rule(model)
    images = paddle.to_tensor(expected["image"])
    with paddle.no_grad():
        for i, feature in enumerate(model.backbone(images)):
            assert relative_error(feature, expected[f"backbone_{i}"]) <= RELATIVE_ERROR
        outputs = model(images)
    for i in range(4):
        assert relative_error(_as_exported(outputs["scores"][i]), expected[f"head_0_{i}"]) <= RELATIVE_ERROR
        assert relative_error(_as_exported(outputs["boxes"][i]), expected[f"head_1_{i}"]) <= RELATIVE_ERROR


def _as_exported(values: paddle.Tensor) -> np.ndarray:
    """(B, l, C) -> the golden (1, B l, C): that export reshapes (B, C, h, w) to one image, whatever B."""
    by_channel = np.asarray(values).transpose(0, 2, 1)
    return by_channel.reshape(1, by_channel.shape[1], -1).transpose(0, 2, 1)

"""Losses equal their formulas."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from ppdet.core.errors import ConfigError
from ppdet.modeling import KeyPointMSELoss, KeyPointOHKMMSELoss

B, K, H, W = 3, 5, 4, 6


def _case(weights=None):
    rng = np.random.default_rng(1)
    predicted, target = (rng.normal(size=(B, K, H, W)).astype(np.float32) for _ in range(2))
    weights = rng.choice([0.0, 0.5, 1.0, 1.5], size=(B, K)).astype(np.float32) if weights is None else weights
    outputs = {"heatmap": paddle.to_tensor(predicted, stop_gradient=False)}
    batch = {"target": paddle.to_tensor(target), "target_weight": paddle.to_tensor(weights)}
    return predicted, target, weights, outputs, batch


def _joint_by_joint(predicted, target, weights, scale: float) -> float:
    """The formula as it is published, one keypoint after another."""
    losses = []
    for j in range(K):
        w = weights[:, j, None]
        p, g = (x[:, j].reshape(B, -1) for x in (predicted, target))
        losses.append(scale * np.mean((w * p - w * g) ** 2))
    return float(np.mean(losses))


@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_mse_is_the_published_formula(scale: float) -> None:
    predicted, target, weights, outputs, batch = _case()
    loss = KeyPointMSELoss(loss_scale=scale)(outputs, batch)["loss"]
    assert float(loss) == pytest.approx(_joint_by_joint(predicted, target, weights, scale), rel=1e-5)


def test_mse_without_weights_counts_every_joint() -> None:
    predicted, target, _, outputs, batch = _case()
    loss = KeyPointMSELoss(use_target_weight=False)(outputs, batch)["loss"]
    assert float(loss) == pytest.approx(0.5 * np.mean((predicted - target) ** 2), rel=1e-5)


def test_mse_takes_weights_with_a_last_axis() -> None:
    _, _, weights, outputs, batch = _case()
    flat = float(KeyPointMSELoss()(outputs, batch)["loss"])
    batch["target_weight"] = paddle.to_tensor(weights[:, :, None])
    assert float(KeyPointMSELoss()(outputs, batch)["loss"]) == flat


def test_ohkm_takes_the_worst_keypoints_of_each_person() -> None:
    predicted, target, weights, outputs, batch = _case()
    errors = weights**2 * ((predicted - target) ** 2).mean(axis=(2, 3))
    expected = 0.5 * np.sort(errors, axis=1)[:, -2:].mean()
    assert float(KeyPointOHKMMSELoss(topk=2)(outputs, batch)["loss"]) == pytest.approx(expected, rel=1e-5)


def test_ohkm_of_all_keypoints_is_mse() -> None:
    _, _, _, outputs, batch = _case()
    everything = float(KeyPointOHKMMSELoss(topk=99)(outputs, batch)["loss"])
    assert everything == pytest.approx(float(KeyPointMSELoss()(outputs, batch)["loss"]), rel=1e-6)


def test_ohkm_sends_no_gradient_to_easy_keypoints() -> None:
    _, _, _, outputs, batch = _case(np.ones((B, K), np.float32))
    KeyPointOHKMMSELoss(topk=2)(outputs, batch)["loss"].backward()
    moved = (np.abs(outputs["heatmap"].grad.numpy()).sum(axis=(2, 3)) > 0).sum(axis=1)
    assert moved.tolist() == [2] * B


def test_unlabelled_keypoints_have_no_gradient() -> None:
    weights = np.ones((B, K), np.float32)
    weights[:, 2] = 0
    _, _, _, outputs, batch = _case(weights)
    KeyPointMSELoss()(outputs, batch)["loss"].backward()
    gradient = np.abs(outputs["heatmap"].grad.numpy()).sum(axis=(0, 2, 3))
    assert gradient[2] == 0 and (np.delete(gradient, 2) > 0).all()


def test_wrong_shapes_are_explained() -> None:
    _, _, _, outputs, batch = _case()
    batch["target"] = batch["target"][:, :, :2]
    with pytest.raises(ConfigError, match=r"\[3, 5, 4, 6\].*\[3, 5, 2, 6\].*hmsize"):
        KeyPointMSELoss()(outputs, batch)
    with pytest.raises(ConfigError, match="topk is 0"):
        KeyPointOHKMMSELoss(topk=0)

"""HigherHRNet's and SWAHR's losses are the papers' formulas, for crowds of every kind."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from support import plain_bottom_up_losses as plain

from ppdet.core.errors import ConfigError
from ppdet.modeling import AELoss, HeatMapLoss, HeatMapSWAHRLoss, HrHRNetLoss

B, M, K, H, W = 3, 5, 4, 6, 8


def _tags(people: list[list[int]], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random tags, and for each image how many keypoints each of its people shows."""
    rng = np.random.default_rng(seed)
    tag = rng.normal(0, 1, (len(people), K, H, W)).astype(np.float32)
    keypoints = np.zeros((len(people), M, K, 2), np.int64)
    for image, counts in enumerate(people):
        for person, count in enumerate(counts):
            for k in rng.permutation(K)[:count]:
                keypoints[image, person, k] = k * H * W + rng.integers(H * W), 1
    return tag, keypoints


def _maps(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:H, :W]
    target = np.stack([np.exp(-((rows - k) ** 2 + (columns - 2 * k) ** 2) / 8.0) for k in range(K)])
    target[target < 0.01] = 0
    target = np.repeat(target[None], B, 0).astype(np.float32)
    predicted = (target + rng.normal(0, 0.8, target.shape)).astype(np.float32)
    mask = (rng.random((B, H, W)) > 0.3).astype(np.float32)
    return predicted, target, mask, rng.normal(1, 0.3, target.shape).astype(np.float32)


CROWDS = {
    "several": [[4, 3, 2], [1, 4], [2, 2, 2, 2, 2]],
    "nobody": [[], [], []],
    "one person": [[3], [4], [2]],
    "a person with one joint": [[1], [1, 1], [1, 4]],
    "some images empty": [[4, 4], [], [3]],
    "rows without a joint between people": [[0, 3, 0, 2], [0, 0, 1], [4, 0, 0, 0, 4]],
}


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("group", CROWDS)
def test_pull_and_push(group: str, exact: bool) -> None:
    tag, keypoints = _tags(CROWDS[group])
    given = paddle.to_tensor(tag, stop_gradient=False)
    pull, push = AELoss(loss_factor=1.0, paddledet_exact=exact)(given, paddle.to_tensor(keypoints))
    np.testing.assert_allclose([float(pull), float(push)], plain.pull_and_push(tag, keypoints, exact), rtol=1e-5, atol=1e-7)
    (pull + push).backward()
    gradient = given.grad.numpy()
    assert np.isfinite(gradient).all()
    touched = np.zeros(gradient.size, bool)
    for image in range(len(tag)):
        there = keypoints[image, ..., 1] > 0
        touched[image * K * H * W + keypoints[image, ..., 0][there]] = True
    assert not gradient.reshape(-1)[~touched].any()


def test_equal_tags_pull_nothing_and_push_fully() -> None:
    _, keypoints = _tags([[4, 4, 4]])
    tag = paddle.full([1, K, H, W], 0.7)
    tag.stop_gradient = False
    pull, push = AELoss(loss_factor=1.0)(tag, paddle.to_tensor(keypoints))
    assert (float(pull), float(push)) == (0.0, 0.5)
    (pull + push).backward()
    assert np.isfinite(tag.grad.numpy()).all()


def test_far_people_and_tight_tags_cost_nothing() -> None:
    tag, keypoints = np.zeros((1, K, H, W), np.float32), np.zeros((1, M, K, 2), np.int64)
    for person in range(2):
        for k in range(K):
            keypoints[0, person, k] = k * H * W + person, 1
        tag[0, :, 0, person] = 10.0 * person
    pull, push = AELoss()(paddle.to_tensor(tag), paddle.to_tensor(keypoints))
    assert float(pull) == 0 and float(push) < 1e-30


def test_what_is_not_valid_is_not_looked_up() -> None:
    tag, keypoints = _tags([[2, 3]])
    moved = keypoints.copy()
    moved[keypoints[..., 1] == 0] = -(10**6), 0
    values = [[float(x) for x in AELoss()(paddle.to_tensor(tag), paddle.to_tensor(j))] for j in (keypoints, moved)]
    assert values[0] == values[1]


@pytest.mark.parametrize("exact", [False, True])
def test_heatmap_error(exact: bool) -> None:
    predicted, target, mask, _ = _maps()
    predicted[0, 0] += 3  # beyond PaddleDetection's clip
    given = HeatMapLoss(paddledet_exact=exact)(*map(paddle.to_tensor, (predicted, target, mask)))
    assert float(given) == pytest.approx(plain.heatmap_error(predicted, target, mask, 2.0 if exact else np.inf), rel=1e-5)


@pytest.mark.parametrize("exact", [False, True])
def test_swahr(exact: bool) -> None:
    predicted, target, mask, scale = _maps()
    tensors = [paddle.to_tensor(x, stop_gradient=i in (1, 2)) for i, x in enumerate((predicted, target, mask, scale))]
    error, regulariser = HeatMapSWAHRLoss(paddledet_exact=exact)(*tensors)
    expected = plain.swahr_error(predicted, target, mask, scale, exact)
    np.testing.assert_allclose([float(error), float(regulariser)], expected, rtol=1e-5)
    (error + regulariser).backward()
    assert all(np.isfinite(tensors[i].grad.numpy()).all() for i in (0, 3))


def test_a_scale_of_one_leaves_the_target() -> None:
    predicted, target, mask, _ = _maps()
    loss = HeatMapSWAHRLoss()
    perfect = loss(*map(paddle.to_tensor, (target, target, mask, np.ones_like(target))))
    assert [float(x) for x in perfect] == [0.0, 0.0]
    wider = target**0.8  # of the Gaussian of a 12 % larger sigma; the second order of scale - 1 = -.2 in the exponent
    error, _ = loss(*map(paddle.to_tensor, (wider, target, mask, np.full_like(target, 0.8))))
    other, _ = loss(*map(paddle.to_tensor, (wider, target, mask, np.ones_like(target))))
    assert float(error) < 0.1 * float(other)


@pytest.mark.parametrize("swahr", [False, True])
@pytest.mark.parametrize("exact", [False, True])
def test_the_total_is_the_sum(swahr: bool, exact: bool) -> None:
    coarse, fine = _maps(1), _maps(2)
    tag, keypoints = _tags(CROWDS["some images empty"])
    outputs = {"heatmap_1x": coarse[0], "heatmap_2x": fine[0], "scale_1x": coarse[3], "scale_2x": fine[3], "tag": tag}
    batch = {"heatmap_1x": coarse[1], "heatmap_2x": fine[1], "mask_1x": coarse[2], "mask_2x": fine[2], "tag_joints": keypoints}
    losses = HrHRNetLoss(K, swahr, exact)(*({k: paddle.to_tensor(v) for k, v in d.items()} for d in (outputs, batch)))
    values = {name: float(value) for name, value in losses.items()}
    if swahr:
        parts = [plain.swahr_error(*maps, exact) for maps in (coarse, fine)]
        expected = {"heatmap_loss": sum(p[0] for p in parts), "scale_loss": sum(p[1] for p in parts)}
    else:
        clip = 2.0 if exact else np.inf
        expected = {"heatmap_loss": sum(plain.heatmap_error(*maps[:3], clip) for maps in (coarse, fine))}
    pull, push = plain.pull_and_push(tag, keypoints, exact)
    expected.update(pull_loss=pull / 1000, push_loss=push / 1000)
    expected["loss"] = sum(expected.values())
    assert values == pytest.approx(expected, rel=1e-5)


def test_maps_that_do_not_fit_are_explained() -> None:
    maps = [paddle.zeros([1, K, H, W]), paddle.zeros([1, K, H, 2 * W]), paddle.zeros([1, H, 2 * W])]
    with pytest.raises(ConfigError, match="strides"):
        HeatMapLoss()(*maps)
    with pytest.raises(ConfigError, match="HrHRNetHead.swahr: true"):
        HrHRNetLoss(K, swahr=True)({"heatmap_1x": maps[0]}, {})

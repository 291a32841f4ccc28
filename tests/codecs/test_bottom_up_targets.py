"""Heatmaps and tag positions of a crowd against loops over people and pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ppdet.codecs import AssociativeEmbeddingCodec


def _plain_maps(xy: np.ndarray, visible: np.ndarray, stride: int, wh: tuple[int, int], sigma: float) -> np.ndarray:
    maps = np.zeros((xy.shape[1], wh[1], wh[0]), np.float32)
    for person, joint in np.ndindex(visible.shape):
        u, v = (int(c / stride) for c in xy[person, joint])
        if not visible[person, joint] or not (0 <= u < wh[0] and 0 <= v < wh[1]):
            continue
        for y, x in np.ndindex(wh[1], wh[0]):
            if max(abs(x - u), abs(y - v)) <= 3 * sigma + 1:
                value = math.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * sigma**2))
                maps[joint, y, x] = max(maps[joint, y, x], value)
    return maps


@pytest.mark.parametrize("people", [0, 1, 6])
def test_equal_to_loops(people: int) -> None:
    rng = np.random.default_rng(people)
    codec = AssociativeEmbeddingCodec(input_wh=(96, 64), max_people=4)
    xy, visible = rng.uniform(-10, 100, (people, 3, 2)), rng.random((people, 3)) > 0.2
    maps, tags = codec.encode(xy, visible)
    assert [m.shape for m in maps] == [(3, 16, 24), (3, 32, 48)]
    for values, stride in zip(maps, codec.strides):
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, _plain_maps(xy, visible, stride, (96 // stride, 64 // stride), 2.0), atol=1e-6)
    assert tags.shape == (4, 3, 2) and tags.dtype == np.int64


def test_tags_lie_where_the_keypoint_is() -> None:
    codec = AssociativeEmbeddingCodec(input_wh=(96, 64), max_people=3)
    xy = np.array([[[4.0, 8.0], [95.9, 63.9], [96.0, 0.0]], [[-0.5, 3.9], [-4.0, 0.0], [50.0, 50.0]]])
    tags = codec.encode(xy, np.array([[1, 2, 1], [1, 1, 0]]))[1]
    h, w = 16, 24
    assert tags[0].tolist() == [[2 * w + 1, 1], [h * w + 15 * w + 23, 1], [0, 0]]
    assert tags[1].tolist() == [[0, 1], [0, 0], [0, 0]]  # -.5 truncates to cell 0, as the authors; -4 is outside
    assert not tags[2].any()


def test_of_too_many_people_the_largest_are_tagged_and_all_are_on_the_maps() -> None:
    codec = AssociativeEmbeddingCodec(input_wh=(96, 64), max_people=2)
    corner = np.array([[8.0, 8.0], [40.0, 8.0], [70.0, 40.0], [8.0, 40.0]])
    extent = np.array([2.0, 20.0, 8.0, 0.0])
    xy = np.stack([corner, corner + extent[:, None]], axis=1)
    maps, tags = codec.encode(xy, np.ones((4, 2)))
    assert tags[:, 0, 0].tolist() == [2 * 24 + 10, 10 * 24 + 17]
    assert all(maps[0][0, int(y) // 4, int(x) // 4] == 1 for x, y in corner)

"""Letterboxes: published sizes and offsets, an exact way back, pixels where the numbers say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.core.errors import ConfigError
from ppdet.image.letterbox import RESIZE_RULES, Letterbox

sides = st.integers(1, 3000)


@settings(max_examples=200, deadline=None)
@given(sides, sides, st.sampled_from([(640, 640), (416, 256), (33, 65)]), st.sampled_from(RESIZE_RULES), st.integers(0, 999))
def test_the_way_back_is_exact(width: int, height: int, input_wh: tuple[int, int], rule: str, seed: int) -> None:
    fit = Letterbox.fit((width, height), input_wh, rule)
    points = np.random.default_rng(seed).uniform(-1, 2, (20, 2)) * (width, height)
    np.testing.assert_allclose(fit.to_image(fit.to_input(points)), points, rtol=0, atol=1e-8)
    corners = fit.to_input(np.array([[0, 0], [width, height]]))
    np.testing.assert_allclose(corners, [fit.offset_xy, np.add(fit.offset_xy, fit.resized_wh)], atol=1e-9)
    assert (corners >= 0).all() and (corners <= np.array(input_wh) + 1e-9).all()
    if rule != "stretch":
        assert max(a / b for a, b in zip(fit.resized_wh, input_wh)) > 1 - 1 / min(input_wh)  # one side is filled


@pytest.mark.parametrize(("rule", "image_wh", "resized", "offset"), [
    ("letterbox", (1280, 720), (640, 360), (0, 140)),
    ("letterbox", (810, 1080), (480, 640), (80, 0)),  # Ultralytics' bus.jpg
    ("letterbox", (500, 333), (640, 426), (0, 107)),
    ("letterbox", (500, 375), (640, 480), (0, 80)),
    ("letterbox", (641, 480), (640, 479), (0, 80)),  # an odd padding of 161: the smaller half is above
    ("letterbox_corner", (500, 333), (640, 426), (0, 0)),
    ("letterbox_corner", (641, 479), (640, 478), (0, 0)),  # 478.25, cut off as in YOLOX
    ("stretch", (500, 333), (640, 640), (0, 0)),
])  # fmt: skip
def test_published_sizes(rule: str, image_wh: tuple[int, int], resized: tuple[int, int], offset: tuple[int, int]) -> None:
    fit = Letterbox.fit(image_wh, (640, 640), rule)
    assert (fit.resized_wh, fit.offset_xy) == (resized, offset)


@pytest.mark.parametrize("rule", RESIZE_RULES)
def test_pixels_lie_where_the_map_says(rule: str) -> None:
    image = np.zeros((60, 120, 3), np.uint8)
    image[10:30, 40:80] = (200, 100, 50)
    fit = Letterbox.fit((120, 60), (240, 240), rule)
    framed = fit.apply(image, pad_value=7)
    (x1, y1), (x2, y2) = np.rint(fit.to_input(np.array([[40, 10], [80, 30]]))).astype(int)
    inner = framed[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2]
    np.testing.assert_array_equal(inner, np.broadcast_to((200, 100, 50), inner.shape))
    ys, xs = np.nonzero(framed[..., 0] > 100)
    assert (abs(xs.min() - x1), abs(ys.min() - y1)) <= (1, 1) and framed.shape == (240, 240, 3)
    padding = np.ones((240, 240), bool)
    (left, top), (width, height) = fit.offset_xy, fit.resized_wh
    padding[top : top + height, left : left + width] = False
    assert (framed[padding] == 7).all()


def test_a_smaller_fit_and_mistakes() -> None:
    assert Letterbox.fit((1280, 720), (640, 640), "letterbox", (636, 636)).resized_wh == (636, 358)
    with pytest.raises(ConfigError, match="give one of letterbox"):
        Letterbox.fit((10, 10), (64, 64), "fit")
    with pytest.raises(ConfigError, match="0 x 10 pixels"):
        Letterbox.fit((0, 10), (64, 64))

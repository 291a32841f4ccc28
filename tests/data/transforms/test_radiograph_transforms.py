"""Transforms of radiographs: values by hand, quarter turns to the pixel, borders that cover no keypoint."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ppdet.codecs import HeatmapCodec
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.pixels.collimation_border import CollimationBorder, cover_outside
from ppdet.data.transforms.pixels.radiograph_jitter import RadiographJitter, RadiographShift, shift_radiograph
from ppdet.data.transforms.topdown.top_down_affine import TopDownAffine
from ppdet.data.transforms.topdown.top_down_random_quarter_turn import TopDownRandomQuarterTurn, quarter_turn

GREYS = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16)[..., None], 3, axis=2)


def person(xy, image, size, center=None, visible=None, xy_input=None):
    """One object whose crop is the whole image."""
    xy = np.asarray(xy, np.float64).reshape(-1, 2)
    height, width = image.shape[:2]
    center = ((width - 1) / 2, (height - 1) / 2) if center is None else center
    return PersonSample(
        "x.png", 1, 0, np.array(center, np.float64), np.array(size, np.float64), xy.copy(),
        np.ones(len(xy)) if visible is None else np.asarray(visible, float), image=image, xy_input=xy_input,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (RadiographShift(1, 1, 1, False), lambda x: x),
        (RadiographShift(1.5, 1, 1, False), lambda x: 1.5 * x),
        (RadiographShift(1, 2, 1, False), lambda x: (x - 0.5) * 2 + 0.5),
        (RadiographShift(1, 1, 2, False), lambda x: x * x),
        (RadiographShift(1, 1, 1, True), lambda x: 1 - x),
        (RadiographShift(0.8, 1.2, 0.5, True), lambda x: 1 - ((np.sqrt(x) * 0.8 - 0.5) * 1.2 + 0.5)),
    ],
)
def test_values(shift, expected):
    wanted = np.clip(expected(GREYS / 255), 0, 1) * 255
    assert np.abs(shift_radiograph(GREYS, shift) - wanted).max() <= 0.5 + 1e-9  # rounded
    assert GREYS[0, 5, 0] == 5  # the image given may be shared


def test_jitter_stays_in_its_range_and_follows_its_probabilities():
    jitter, rng = RadiographJitter(0.5, 0.25, 1.0, prob=0.6, invert_prob=0.2), np.random.default_rng(0)
    shifts = [jitter.draw(rng) for _ in range(3000)]
    for name, most in (("exposure", 1.5), ("contrast", 1.25), ("gamma", 2.0)):
        values = np.array([getattr(each, name) for each in shifts if each.exposure != 1])
        assert 1 / most <= values.min() < 1 / most * 1.02 and most * 0.98 < values.max() <= most
        assert abs(np.log(values).mean()) < 0.05 * np.log(most)  # darker and brighter alike
    assert np.mean([each.exposure != 1 for each in shifts]) == pytest.approx(0.6, abs=0.03)
    assert np.mean([each.inverted for each in shifts]) == pytest.approx(0.2, abs=0.03)
    image = GREYS.copy()
    sample = RadiographJitter(prob=0)(person([(1, 1)], image, (16, 16)), rng)
    assert sample.image is image


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_quarter_turn_is_exact_on_a_square(quarters):
    image = np.random.default_rng(quarters).integers(0, 256, (64, 64, 3), np.uint8)
    xy = np.random.default_rng(1).uniform(0, 63, (7, 2))
    codec = HeatmapCodec(input_wh=(64, 64), alignment="udp")
    # 63 source pixels between the outermost centres become 63 input pixels: the upright crop is the image itself
    sample = TopDownAffine(codec=codec)(quarter_turn(person(xy, image, (63, 63)), quarters), np.random.default_rng(0))
    assert np.array_equal(sample.image, np.rot90(image, -quarters))
    x, y = xy.T
    turned = {1: (63 - y, x), 2: (63 - x, 63 - y), 3: (y, 63 - x)}[quarters]
    np.testing.assert_allclose(sample.xy_input, np.stack(turned, axis=1), atol=1e-9)


@pytest.mark.parametrize("alignment", ["affine", "udp"])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_pixels_and_keypoints_turn_together_in_any_aspect(quarters, alignment):
    spot = np.array([70.0, 40.0])
    image = np.zeros((160, 120, 3), np.uint8)
    cv2.circle(image, (70, 40), 4, (255, 255, 255), -1)
    sample = quarter_turn(person([spot, (0, 0), (119, 159)], image, (120, 160)), quarters)
    sample = TopDownAffine(codec=HeatmapCodec(input_wh=(96, 128), alignment=alignment))(sample, np.random.default_rng(0))
    weight = sample.image[..., 0].astype(float)
    y, x = np.mgrid[:128, :96]
    assert np.abs(np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum() - sample.xy_input[0]).max() < 0.3
    assert (sample.xy_input >= -1).all() and (sample.xy_input <= [96, 128]).all()  # nothing is cut off


def test_probability_of_turns():
    op, rng = TopDownRandomQuarterTurn(0.3), np.random.default_rng(0)
    turns = [op(person([(1, 1)], GREYS, (16, 16)), rng).rotation for _ in range(2000)]
    assert np.mean(np.array(turns) > 0) == pytest.approx(0.3, abs=0.04) and set(turns) == {0, 90, 180, 270}


def test_borders_cover_no_visible_keypoint():
    op, rng = CollimationBorder(0.4, 20, 0.05, prob=1.0), np.random.default_rng(0)
    white = np.full((96, 72, 3), 200, np.uint8)
    covered = 0
    for _ in range(200):
        xy = rng.uniform([0, 0], [71, 95], (5, 2))
        visible = np.array([1, 1, 1, 1, 0])
        sample = op(person(xy, white, (72, 96), visible=visible, xy_input=xy.copy()), rng)
        seen = np.rint(xy[:4]).astype(int)
        assert (sample.image[seen[:, 1], seen[:, 0]] == 200).all()
        assert set(np.unique(sample.image)) <= {0, 200, 255}
        np.testing.assert_array_equal(sample.xy_input, xy)
        covered += (sample.image != 200).any()
    assert covered > 60 and (white == 200).all()


def test_border_by_hand():
    image = np.full((20, 30, 3), 9, np.uint8)
    out = cover_outside(image, np.array([[3, 2], [25, 2], [25, 15], [3, 15]], float), 0)
    assert (out[2:16, 3:26] == 9).all() and out.sum() == 9 * 3 * 14 * 23
    op = CollimationBorder(0.5, 0, 0.0, prob=1.0)
    corners = [op.draw((30, 20), np.zeros((0, 2)), np.random.default_rng(seed)) for seed in range(50)]
    depth = np.array([[c[0, 0], c[0, 1], 29 - c[2, 0], 19 - c[2, 1]] for c in corners if c is not None])
    assert depth.min() >= -1e-9 and depth.max() <= 10 and (depth > 1).mean() > 0.3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RadiographJitter(gamma=-1), "gamma"),
        (lambda: RadiographJitter(invert_prob=2), "invert_prob"),
        (lambda: CollimationBorder(depth=0.7), "depth"),
        (lambda: CollimationBorder(tilt=90), "tilt"),
        (lambda: TopDownRandomQuarterTurn(1.5), "prob"),
    ],
)
def test_arguments_are_checked(make, words):
    with pytest.raises(ConfigError, match=words):
        make()

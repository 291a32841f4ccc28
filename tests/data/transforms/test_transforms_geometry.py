"""A keypoint and the pixel it lies on stay together, whatever is done to the person."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.codecs import HeatmapCodec
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.operations import flip_permutation, focus_on_keypoints, mirror_person
from ppdet.data.transforms.pixels.information_dropping import AugmentationbyInformantionDropping
from ppdet.data.transforms.topdown.encode_heatmap import ToHeatmapsTopDown, ToHeatmapsTopDown_DARK, ToHeatmapsTopDown_UDP
from ppdet.data.transforms.topdown.random_flip_half_body import RandomFlipHalfBodyTransform
from ppdet.data.transforms.topdown.random_steps import (
    TopDownGetRandomScaleRotation,
    TopDownRandomFlip,
    TopDownRandomShiftBboxCenter,
)
from ppdet.data.transforms.topdown.top_down_affine import TopDownAffine, TopDownEvalAffine
from ppdet.geometry.crop import fit_aspect
from ppdet.skeletons import get_skeleton

COCO = get_skeleton("coco17")
RNG = np.random.default_rng(0)


def person(xy, visible=None, center=(150.0, 120.0), size=(90.0, 120.0), image=None):
    xy = np.asarray(xy, np.float64)
    image = np.zeros((240, 320, 3), np.uint8) if image is None else image
    visible = np.ones(len(xy)) if visible is None else np.asarray(visible, np.float64)
    return PersonSample("x.jpg", 1, 0, np.array(center), np.array(size), xy, visible, image=image)


def codec(alignment="udp", **kwargs):
    return HeatmapCodec(input_wh=(96, 128), heatmap_wh=(24, 32), sigma=1.0, alignment=alignment, **kwargs)


def dot(xy):
    """An image with a Gaussian spot around a source position."""
    y, x = np.mgrid[:240, :320]
    spot = np.exp(-((x - xy[0]) ** 2 + (y - xy[1]) ** 2) / (2 * 3.0**2)) * 255
    return np.repeat(spot.astype(np.uint8)[..., None], 3, axis=2)


def centroid(image):
    weight = image[..., 0].astype(np.float64)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize("alignment", ["affine", "udp"])
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("rotation", [0.0, 30.0, -75.0])
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.4])
def test_a_drawn_dot_is_found_at_its_keypoint(alignment, mirror, rotation, scale):
    spot = (161.3, 131.8)
    sample = person([spot, (140, 100)], image=dot(spot))
    sample.rotation, sample.size_wh = rotation, sample.size_wh * scale
    if mirror:
        mirror_person(sample, np.array([1, 0]))
    sample = TopDownAffine(codec=codec(alignment))(sample, RNG)
    keypoint = sample.xy_input[1 if mirror else 0]
    assert np.abs(centroid(sample.image) - keypoint).max() < 0.6


@pytest.mark.parametrize("alignment", ["affine", "udp"])
def test_mirroring_in_the_warp_equals_mirroring_the_image_first(alignment):
    image = np.random.default_rng(3).integers(0, 256, (240, 320, 3), np.uint8)
    image = cv2.GaussianBlur(image, (0, 0), 2)
    xy = np.random.default_rng(4).uniform(100, 180, (17, 2))
    lazy = mirror_person(person(xy, image=image), COCO.flip_permutation)
    full_xy = xy[COCO.flip_permutation].copy()
    full_xy[:, 0] = 319 - full_xy[:, 0]
    full = person(full_xy, center=(319 - 150.0, 120.0), image=np.ascontiguousarray(image[:, ::-1]))
    lazy.rotation = full.rotation = 25.0
    affine = TopDownAffine(codec=codec(alignment))
    lazy, full = affine(lazy, RNG), affine(full, RNG)
    np.testing.assert_allclose(lazy.xy_input, full.xy_input, atol=1e-9)
    # cv2 rounds sample positions to 1/32 pixel
    assert np.abs(lazy.image.astype(int) - full.image).max() <= 3


def test_mirroring_twice_is_nothing():
    sample = person(RNG.uniform(0, 200, (17, 2)), visible=RNG.integers(0, 2, 17))
    xy, visible = sample.xy_image.copy(), sample.visible.copy()
    sample = mirror_person(mirror_person(sample, COCO.flip_permutation), COCO.flip_permutation)
    assert not sample.mirrored
    np.testing.assert_array_equal(sample.xy_image, xy)
    np.testing.assert_array_equal(sample.visible, visible)


def test_the_invisible_stay_invisible_and_trade_sides():
    visible = np.ones(17)
    visible[5] = 0  # left shoulder
    sample = mirror_person(person(np.zeros((17, 2)), visible), COCO.flip_permutation)
    assert sample.visible[6] == 0 and sample.visible.sum() == 16


def test_flip_pairs_are_checked():
    with pytest.raises(ConfigError, match=r"\[0, 17\]"):
        flip_permutation([[0, 17]], 17)
    with pytest.raises(ConfigError, match="repeats"):
        flip_permutation([[0, 1], [1, 2]], 17)
    with pytest.raises(ConfigError, match="coco17"):
        RandomFlipHalfBodyTransform(flip_pairs=[[0, 1]], skeleton=COCO)
    assert RandomFlipHalfBodyTransform(flip_pairs=[list(p) for p in COCO.flip_pairs], skeleton="coco17")


@pytest.mark.parametrize("make", [RandomFlipHalfBodyTransform, TopDownRandomFlip])
def test_a_mirror_needs_to_know_what_it_swaps(make):
    with pytest.raises(ConfigError, match=f"{make.__name__} mirrors, and nothing says which keypoints swap"):
        make()
    pairs = "flip_pairs" if make is RandomFlipHalfBodyTransform else "flip_perm"
    assert make(skeleton="hand21").mirrors and make(**{pairs: []}).mirrors
    off = make(flip=False) if make is RandomFlipHalfBodyTransform else make(flip_prob=0)
    assert not off.mirrors


def draws(transform, count=2000, **kwargs):
    rng = np.random.default_rng(5)
    return [transform.draw(person(kwargs["xy"], kwargs.get("visible")), rng) for _ in range(count)]


def test_random_flip_half_body_follows_its_probabilities():
    xy = np.random.default_rng(6).uniform(100, 200, (17, 2))
    jitters = draws(RandomFlipHalfBodyTransform(scale=0.25, rot=30, skeleton=COCO), xy=xy)
    scale = np.array([j.scale for j in jitters])
    rotation = np.array([j.rotation for j in jitters])
    assert scale.min() >= 0.75 and scale.max() <= 1.25 and scale.std() > 0.1
    assert np.abs(rotation).max() <= 60 and 0.35 < (rotation == 0).mean() < 0.45
    assert 0.46 < np.mean([j.mirror for j in jitters]) < 0.54
    focus = [j.focus for j in jitters if j.focus is not None]
    assert 0.26 < len(focus) / len(jitters) < 0.34
    upper = [f for f in focus if set(f) <= set(range(11))]
    assert 0.62 < len(upper) / len(focus) < 0.76  # P(normal < 0.5) = 0.69
    assert all(set(f) <= set(range(11, 17)) for f in focus if len(f) == 6)


def test_few_visible_keypoints_make_no_half_body():
    xy = np.random.default_rng(6).uniform(100, 200, (17, 2))
    visible = np.zeros(17)
    visible[:8] = 1
    transform = RandomFlipHalfBodyTransform(prob_half_body=1.0, skeleton=COCO)
    assert all(j.focus is None for j in draws(transform, 50, xy=xy, visible=visible))


def test_half_body_crop_holds_its_keypoints():
    xy = np.random.default_rng(7).uniform(100, 180, (17, 2))
    sample = focus_on_keypoints(person(xy, size=(300.0, 400.0)), np.arange(11))
    np.testing.assert_allclose(sample.center_xy, xy[:11].mean(axis=0))
    np.testing.assert_allclose(sample.size_wh[0] / sample.size_wh[1], 0.75)
    np.testing.assert_allclose(sample.size_wh, fit_aspect(np.ptp(xy[:11], axis=0)[None], (96, 128))[0] * 1.5)


def test_flip_probability_is_of_flipping():
    rng = np.random.default_rng(8)
    flip = TopDownRandomFlip(flip_perm=[[0, 1]], flip_prob=0.2)
    mirrored = [flip(person(np.zeros((2, 2))), rng).mirrored for _ in range(2000)]
    assert 0.16 < np.mean(mirrored) < 0.24


def test_shift_and_scale_rotation_stay_in_range():
    rng = np.random.default_rng(9)
    shift, turn = TopDownRandomShiftBboxCenter(0.16, 0.3), TopDownGetRandomScaleRotation(rot_factor=90, scale_factor=0.3)
    samples = [turn(shift(person(np.zeros((2, 2))), rng), rng) for _ in range(1000)]
    offset = np.array([s.center_xy for s in samples]) - [150, 120]
    assert (np.abs(offset) <= 0.16 * np.array([90, 120])).all() and 0.25 < (offset[:, 0] != 0).mean() < 0.35
    size = np.array([s.size_wh[0] for s in samples]) / 90
    assert size.min() >= 0.7 - 1e-9 and size.max() <= 1.3 + 1e-9
    rotation = np.array([s.rotation for s in samples])
    assert np.abs(rotation).max() <= 180 and 0.35 < (rotation == 0).mean() < 0.45


def test_eval_affine_shows_the_whole_image():
    for height, width in ((100, 400), (400, 100)):
        sample = person(np.array([[0.0, 0.0], [width - 1, height - 1]]), image=np.full((height, width, 3), 255, np.uint8))
        sample = TopDownEvalAffine(trainsize=[96, 128])(sample, RNG)
        assert sample.image.shape == (128, 96, 3)
        assert (sample.xy_input > -0.6).all() and (sample.xy_input < [96.1, 128.1]).all()


# cut-outs


def test_discs_lie_near_their_keypoint_in_the_crop_whatever_its_size():
    for size in ((30.0, 40.0), (900.0, 1200.0)):
        sample = person(np.full((17, 2), [150.0, 120.0]), image=np.full((240, 320, 3), 255, np.uint8), size=size)
        AugmentationbyInformantionDropping(prob_cutout=1.0, offset_factor=0.0)(sample, np.random.default_rng(1))
        assert (sample.image == 255).all()  # before the crop the disc waits
        radius = sample.cutouts[0, 3] * 96
        sample.image = np.full((2000, 2000, 3), 255, np.uint8)
        sample.center_xy, sample.xy_image = np.array([1000.0, 1000.0]), np.full((17, 2), 1000.0)
        sample = TopDownAffine(codec=codec())(sample, RNG)
        black = (sample.image == 0).all(axis=2)
        assert black.sum() == pytest.approx(np.pi * radius**2, rel=0.1)
        assert np.abs(np.argwhere(black).mean(axis=0) - sample.xy_input[0][::-1]).max() < 0.6


def test_discs_after_the_crop_are_cut_at_once():
    sample = person(np.full((17, 2), [150.0, 120.0]), image=np.full((240, 320, 3), 255, np.uint8))
    sample = TopDownAffine(codec=codec())(sample, RNG)
    sample = AugmentationbyInformantionDropping(prob_cutout=1.0, num_patch=3)(sample, np.random.default_rng(2))
    assert (sample.image == 0).any() and sample.cutouts is None


def test_no_visible_keypoint_no_disc():
    sample = person(np.zeros((17, 2)), visible=np.zeros(17))
    assert AugmentationbyInformantionDropping(prob_cutout=1.0)(sample, RNG).cutouts is None


# targets


@pytest.mark.parametrize("op", [ToHeatmapsTopDown, ToHeatmapsTopDown_DARK, ToHeatmapsTopDown_UDP])
def test_targets_are_the_codecs(op):
    shared_codec = codec(**op.kind)
    sample = TopDownAffine(codec=shared_codec)(person(RNG.uniform(110, 170, (17, 2))), RNG)
    expected, weight = shared_codec.encode(sample.xy_input[None], sample.visible[None])
    with_codec = op(hmsize=[24, 32], sigma=1, codec=shared_codec)(sample, RNG)
    np.testing.assert_array_equal(with_codec.target, expected[0])
    np.testing.assert_array_equal(with_codec.target_weight, weight[0])
    alone = op(hmsize=[24, 32], sigma=1)(sample, RNG)
    np.testing.assert_array_equal(alone.target, expected[0])


def test_contradictions_with_the_codec(caplog):
    shared_codec = codec()
    with pytest.raises(ConfigError, match="48, 64"):
        ToHeatmapsTopDown_DARK(hmsize=[48, 64], codec=shared_codec)
    with pytest.raises(ConfigError, match="sigma"):
        ToHeatmapsTopDown_DARK(hmsize=[24, 32], sigma=2, codec=shared_codec)
    with pytest.raises(ConfigError, match="trainsize"):
        TopDownAffine(trainsize=[192, 256], codec=shared_codec)
    for _ in range(2):
        ToHeatmapsTopDown(hmsize=[24, 32], sigma=1, codec=shared_codec)
        TopDownAffine(trainsize=[96, 128], use_udp=False, codec=shared_codec)
    messages = [r.getMessage() for r in caplog.records]
    assert sum("target: rounded" in m for m in messages) == 1
    assert sum("use_udp: False" in m for m in messages) == 1


# fuzz

coordinate = st.floats(-500, 900, allow_nan=False)
extent = st.floats(0.01, 3000, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    center=st.tuples(coordinate, coordinate),
    width=extent,
    points=st.lists(st.tuples(coordinate, coordinate), min_size=17, max_size=17),
    visible=st.lists(st.booleans(), min_size=17, max_size=17),
    seed=st.integers(0, 2**32),
)
def test_nothing_crashes_whatever_the_person(center, width, points, visible, seed):
    rng = np.random.default_rng(seed)
    image = np.full((24, 32, 3), 200, np.uint8)
    image.flags.writeable = False
    sample = person(points, visible, center, (width, width / 0.75), image)
    shared_codec = codec()
    for transform in (
        RandomFlipHalfBodyTransform(prob_half_body=0.8, num_joints_half_body=3, skeleton=COCO),
        TopDownRandomShiftBboxCenter(0.3, 1.0),
        AugmentationbyInformantionDropping(prob_cutout=0.8, num_patch=2),
        TopDownAffine(codec=shared_codec),
        ToHeatmapsTopDown_DARK(codec=shared_codec),
    ):
        sample = transform(sample, rng)
    assert sample.image.shape == (128, 96, 3) and sample.image.dtype == np.uint8
    assert np.isfinite(sample.xy_input).all() and np.isfinite(sample.target).all()
    assert sample.target.shape == (17, 32, 24)
    assert ((sample.target_weight == 0) | (sample.visible == 1)).all()

"""Image, people and mask of a bottom-up sample stay together, whatever is done to them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.codecs import HeatmapCodec
from ppdet.codecs.associative_embedding import AssociativeEmbeddingCodec
from ppdet.core.errors import ConfigError
from ppdet.data.samples.bottom_up import BottomUpSample
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.bottomup.eval_affine import EvalAffine
from ppdet.data.transforms.bottomup.key_point_flip import KeyPointFlip
from ppdet.data.transforms.bottomup.random_affine import RandomAffine
from ppdet.data.transforms.bottomup.to_heatmaps import TagGenerate, ToHeatmaps
from ppdet.data.transforms.pixels.normalize_image import NormalizeImage, NormalizePermute, Permute
from ppdet.geometry.crop import Crop
from ppdet.skeletons import get_skeleton

COCO = get_skeleton("coco17")
RNG = np.random.default_rng(0)


def codec(side=256, **kwargs):
    return AssociativeEmbeddingCodec(input_wh=(side, side), **kwargs)


def group(xy, visible=None, image=None, ignore=None):
    xy = np.asarray(xy, np.float64)
    image = np.zeros((240, 320, 3), np.uint8) if image is None else image
    visible = np.ones(xy.shape[:2]) if visible is None else np.asarray(visible, np.float64)
    people = len(xy)
    wh = (image.shape[1], image.shape[0])
    return BottomUpSample("x.jpg", 1, 0, xy, visible, np.zeros((people, 4)), np.ones(people), image, wh, ignore)


def dot(xy):
    """An image with a Gaussian spot around a source position."""
    y, x = np.mgrid[:240, :320]
    spot = np.exp(-((x - xy[0]) ** 2 + (y - xy[1]) ** 2) / (2 * 3.0**2)) * 255
    return np.repeat(np.rint(spot).astype(np.uint8)[..., None], 3, axis=2)


def centroid(image):
    weight = image[..., 0].astype(np.float64)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


def frame(turn=0.0, side=200.0, center=(160.0, 120.0), out=256):
    return Crop(np.array([center]), np.array([[side, side]]), np.array([turn]), (out, out))


@pytest.mark.parametrize("turn", [0.0, 30.0, -77.0])
@pytest.mark.parametrize("side", [120.0, 256.0, 350.0])
@pytest.mark.parametrize("mirror", [False, True])
def test_a_drawn_dot_is_found_at_its_keypoint(turn, side, mirror):
    spot = (171.3, 131.8)
    keypoints = np.tile(np.array([spot]), (1, 17, 1))
    sample = RandomAffine(codec=codec()).apply(group(keypoints, image=dot(spot)), frame(turn, side))
    if mirror:
        sample = KeyPointFlip(codec=codec(), skeleton=COCO).flip(sample)
    assert np.abs(centroid(sample.image) - sample.xy_input[0, 0]).max() < 0.51


@pytest.mark.parametrize("turn", [0.0, 25.0])
@pytest.mark.parametrize("mirror", [False, True])
def test_the_masks_follow_the_image(turn, mirror):
    """Each cell against what its middle shows, found by the inverse of the matrix."""
    ignore = np.zeros((240, 320), bool)
    ignore[60:140, 100:190] = True
    region = frame(turn, 280.0, (150.0, 100.0))
    sample = RandomAffine(codec=codec()).apply(group(np.zeros((0, 17, 2)), ignore=ignore), region)
    if mirror:
        sample = KeyPointFlip(codec=codec(), skeleton=COCO).flip(sample)
    for stride, mask in zip((4, 2), sample.masks):
        v, u = np.mgrid[: mask.shape[0], : mask.shape[1]]
        middle = np.stack([u, v], -1) * stride + (stride - 1) / 2
        if mirror:
            middle[..., 0] = 255 - middle[..., 0]
        x, y = np.rint(region.to_image(middle.reshape(1, -1, 2))[0].T).astype(int)
        inside = (x >= 0) & (y >= 0) & (x < 320) & (y < 240)
        expected = inside & ~ignore[np.clip(y, 0, 239), np.clip(x, 0, 319)]
        assert np.abs(mask.reshape(-1) - expected).mean() < 0.004
        assert set(np.unique(mask)) == {0.0, 1.0} and mask.dtype == np.float32


def test_flip_twice_is_no_change_and_swaps_names_once():
    xy = RNG.uniform(90, 200, (3, 17, 2))
    visible = (RNG.random((3, 17)) < 0.7).astype(float)
    image = RNG.integers(0, 256, (240, 320, 3), np.uint8)
    ignore = RNG.random((240, 320)) < 0.2
    sample = RandomAffine(codec=codec()).apply(group(xy, visible, image, ignore), frame(20.0))
    before = (sample.image.copy(), sample.xy_input.copy(), sample.visible.copy(), [m.copy() for m in sample.masks])
    flip = KeyPointFlip(codec=codec(), skeleton=COCO)
    once = flip.flip(sample)
    assert np.array_equal(once.image, before[0][:, ::-1])
    assert np.allclose(once.xy_input[:, 5, 0], 255 - before[1][:, 6, 0])
    assert np.array_equal(once.visible[:, 5], before[2][:, 6])
    twice = flip.flip(once)
    assert np.array_equal(twice.image, before[0]) and np.allclose(twice.xy_input, before[1])
    assert np.array_equal(twice.visible, before[2])
    assert all(np.array_equal(a, b) for a, b in zip(twice.masks, before[3]))


def test_targets_of_a_mirrored_image_are_the_mirrored_targets():
    """True for keypoints on whole pixels, since cells are found by truncation."""
    sample = group(np.zeros((2, 17, 2)))
    sample.image, sample.xy_input = np.zeros((256, 256, 3), np.uint8), RNG.integers(0, 256, (2, 17, 2)).astype(float)
    targets = ToHeatmaps(codec=codec(), skeleton=COCO)
    plain = targets(sample, RNG).heatmaps
    mirrored = targets(KeyPointFlip(codec=codec(), skeleton=COCO).flip(sample), RNG).heatmaps
    for one, other in zip(plain, mirrored):
        assert np.array_equal(one[COCO.flip_permutation][:, :, ::-1], other)


def authors_matrix(center, scale, res, rot):
    """RandomAffineTransform of the HigherHRNet authors, from its description: scale to the output, turn about its middle."""
    offset = [res * (0.5 - c / scale) for c in center]
    to_output = np.array([[res / scale, 0, offset[0]], [0, res / scale, offset[1]], [0, 0, 1]])
    cos, sin = np.cos(np.deg2rad(-rot)), np.sin(np.deg2rad(-rot))
    middle = np.array([[1, 0, res / 2], [0, 1, res / 2], [0, 0, 1]])
    return (middle @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.linalg.inv(middle) @ to_output)[:2]


def test_the_matrix_is_the_authors():
    part = frame(-17.0, 333.0, (140.5, 99.0), 512)
    assert np.allclose(part.matrix[0], authors_matrix((140.5, 99.0), 333.0, 512, 17.0))


@pytest.mark.parametrize(("scale_type", "base"), [("short", 240), ("long", 320)])
def test_what_is_drawn_lies_in_the_ranges_and_fills_them(scale_type, base):
    affine = RandomAffine(scale_type=scale_type, codec=codec())
    parts = [affine.draw((320, 240), np.random.default_rng(i)) for i in range(400)]
    factor = np.array([part.size_wh[0, 0] for part in parts]) / base
    turn = np.array([part.rotation[0] for part in parts])
    shift = np.array([(part.center_xy[0] - (160, 120)) for part in parts]) / (factor * base)[:, None]
    for values, low, high in ((factor, 0.75, 1.5), (turn, -30, 30), (shift[:, 0], -0.2, 0.2), (shift[:, 1], -0.2, 0.2)):
        margin = 0.03 * (high - low)
        assert low <= values.min() < low + margin and high - margin < values.max() <= high
        assert abs(values.mean() - (low + high) / 2) < 3 * margin


@given(
    st.integers(0, 2**32 - 1), st.floats(0, 180), st.floats(0.05, 4), st.floats(0, 2), st.integers(1, 90), st.integers(1, 90),
    st.integers(0, 40), st.booleans(),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_whatever_the_affine_targets_are_finite_and_inside(seed, degree, scale, shift, width, height, people, exact):
    rng = np.random.default_rng(seed)
    shared = codec(64, paddledet_exact=exact)
    xy = rng.uniform(-0.3, 1.3, (people, 17, 2)) * (width, height)
    visible = (rng.random((people, 17)) < 0.6).astype(float)
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    ignore = rng.random((height, width)) < 0.3 if seed % 2 else None
    sample = group(xy, visible, image, ignore)
    ops = [
        RandomAffine(degree, (scale, 1.5 * scale), shift, codec=shared), KeyPointFlip(codec=shared, skeleton=COCO),
        ToHeatmaps(codec=shared), TagGenerate(codec=shared), NormalizePermute(),
    ]  # fmt: skip
    for op in ops:
        sample = op(sample, rng)
    assert sample.image.shape == (3, 64, 64) and np.isfinite(sample.image).all()
    for maps, mask, side in zip(sample.heatmaps, sample.masks, (16, 32)):
        assert maps.shape == (17, side, side) and mask.shape == (side, side)
        assert np.isfinite(maps).all() and maps.min() >= 0 and maps.max() <= 1
    index, there = sample.tag_joints[..., 0], sample.tag_joints[..., 1]
    assert sample.tag_joints.shape == (30, 17, 2) and set(np.unique(there)) <= {0, 1}
    assert index.min() >= 0 and index.max() < 17 * 16 * 16
    planes = np.broadcast_to(np.arange(17), index.shape)
    assert (index[there > 0] // 256 == planes[there > 0]).all()
    assert (sample.heatmaps[0].reshape(-1)[index[there > 0]] == 1).all()
    assert (sample.visible > 0).any(axis=1).all() and len(sample.visible) <= people
    if not exact:
        inside = sample.xy_input[sample.visible > 0]
        assert (inside >= 0).all() and (inside <= 63).all()


def test_who_leaves_the_image_leaves_the_sample():
    xy = np.full((3, 17, 2), 160.0)
    xy[0, 3] = (400, 120)
    xy[1] = (700, 700)
    sample = group(xy)
    sample.area = np.array([3.0, 2.0, 1.0])
    sample = RandomAffine(codec=codec()).apply(sample, frame())
    assert sample.area.tolist() == [3.0, 1.0] and sample.visible[0].sum() == 16 and sample.visible[0, 3] == 0


def test_outside_the_image_nothing_is_learnt_and_all_is_black():
    bright = np.full((240, 320, 3), 200, np.uint8)
    sample = RandomAffine(codec=codec()).apply(group(np.zeros((0, 17, 2)), image=bright), frame(side=512.0))
    assert sample.masks[0][0].sum() == 0 and sample.masks[0].sum() == pytest.approx(64 * 64 * 320 * 240 / 512**2, rel=0.02)
    assert (sample.image[0] == 0).all() and (sample.image[128, 128] == 200).all()


def test_paddledetections_flip_and_border():
    exact = codec(paddledet_exact=True)
    affine, flip = RandomAffine(codec=exact), KeyPointFlip(codec=exact, skeleton=COCO)
    sample = affine.apply(group(np.full((1, 17, 2), 130.0)), frame(side=512.0))
    before = sample.xy_input.copy()
    assert (sample.image[0] == 114).all()
    assert np.allclose(flip.flip(sample).xy_input[..., 0], 256 - before[..., 0])
    assert RandomAffine(boldervalue=[1, 2, 3], codec=exact).border == (1, 2, 3)


def test_the_source_image_is_not_written_to():
    image = RNG.integers(0, 256, (240, 320, 3), np.uint8)
    image.flags.writeable = False
    sample = group(np.full((1, 17, 2), 100.0), image=image)
    for op in (RandomAffine(codec=codec()), KeyPointFlip(codec=codec(), flip_prob=1.0, skeleton=COCO), NormalizePermute()):
        sample = op(sample, RNG)
    assert sample.xy_image is not None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomAffine(trainsize=640, codec=codec(512)), "trainsize is .640, 640.*512"),
        (lambda: RandomAffine(hmsize=[128, 128], codec=codec(512)), "hmsize is"),
        (lambda: RandomAffine(hmsize=[[128, 128], [256, 256]], trainsize=[512, 512], codec=HeatmapCodec((96, 128))), "bottom-up"),
        (lambda: RandomAffine(scale_type="wide"), "short or long"),
        (lambda: RandomAffine(scale=[0, 1]), "smallest, largest"),
        (lambda: RandomAffine(max_shift=-1), "0 or more"),
        (lambda: RandomAffine(boldervalue=[1, 2]), "grey level or three"),
        (lambda: KeyPointFlip(hmsize=[64], codec=codec(512)), "hmsize"),
        (lambda: KeyPointFlip([1, 2, 0]), "becomes in a mirror"),
        (lambda: KeyPointFlip([0, 2, 1], skeleton=COCO), "not those of skeleton coco17"),
        (lambda: ToHeatmaps(sigma=3, codec=codec()), "sigma is 3.0, but the codec has 2.0"),
        (lambda: ToHeatmaps(num_joints=14, skeleton=COCO), "num_joints is 14"),
        (lambda: TagGenerate(max_people=20, codec=codec()), "max_people is 20"),
        (lambda: EvalAffine(size=640, codec=codec(512)), "size is 640"),
        (lambda: EvalAffine(stride=32, codec=codec(512)), "size_divisor is 32"),
        (lambda: NormalizePermute(std=[0, 1, 1]), "std above 0"),
    ],
)
def test_contradictions_are_told(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_permutation_or_pairs_are_one():
    pairs = [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12], [13, 14], [15, 16]]
    order = COCO.flip_permutation.tolist()
    assert np.array_equal(KeyPointFlip(order).source.permutation(17), order)
    assert np.array_equal(KeyPointFlip(pairs, skeleton=COCO).source.permutation(17), order)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("is_scale", [True, False])
def test_normalize_permute_is_both_in_one(dtype, is_scale):
    images = RNG.integers(0, 256, (2, 32, 48, 3)).astype(dtype)
    options = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4], "is_scale": is_scale}
    batch = NormalizePermute(**options).apply_batch({"image": images.copy()})["image"]
    expected = Permute().apply_batch(NormalizeImage(**options).apply_batch({"image": images.copy()}))["image"]
    assert batch.dtype == np.float32 and batch.shape == (2, 3, 32, 48) and batch.flags.c_contiguous
    assert np.allclose(batch, expected, atol=1e-5, rtol=1e-6)
    single = NormalizePermute(**options)(ImageSample("x", 1, 0, images[1].copy()), RNG).image
    assert np.array_equal(single, batch[1])


def test_eval_affine_shows_the_frame_of_the_codec():
    spot = (171.3, 131.8)
    shared = codec(512)
    sample = EvalAffine(512, 64, codec=shared)(group(np.full((1, 17, 2), spot), image=dot(spot)), RNG)
    assert sample.image.shape == (512, 704, 3) and sample.frame.input_wh == (704, 512)
    assert np.abs(centroid(sample.image) - sample.xy_input[0, 0]).max() < 0.51
    plain = EvalAffine(codec=shared)(ImageSample("x", 1, 0, dot(spot)), RNG)
    assert np.array_equal(plain.image, sample.image) and plain.im_shape.tolist() == [512, 704]
    assert plain.scale_factor == pytest.approx([512 / 240] * 2)


def test_cv2_keeps_the_conventions_this_relies_on():
    """A pixel's centre is a whole number in warpAffine."""
    image = np.zeros((9, 9), np.uint8)
    image[4, 3] = 255
    moved = cv2.warpAffine(image, np.array([[1.0, 0, 2], [0, 1, 1]]), (9, 9))
    assert moved[5, 5] == 255 and moved.sum() == 255

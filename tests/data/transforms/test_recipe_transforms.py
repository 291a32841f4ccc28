"""Perspective, ragged boxes, uniform scale and rotation, keypoint weights: what single recipes ask for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.codecs import HeatmapCodec
from ppdet.core.config.builder import Builder
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.topdown.encode_heatmap import EncodeHeatmap, ToHeatmapsTopDown_DARK
from ppdet.data.transforms.topdown.random_steps import TopDownGetRandomScaleRotation
from ppdet.data.transforms.topdown.top_down_affine import TopDownAffine
from ppdet.data.transforms.topdown.top_down_random_box_crop import TopDownRandomBoxCrop
from ppdet.data.transforms.topdown.top_down_random_perspective import TopDownRandomPerspective, project, warp_perspective
from ppdet.skeletons import get_skeleton

WIDTH, HEIGHT = 96, 128


def cropped(xy, visible=None, image=None):
    """A sample after TopDownAffine: the crop and its keypoints."""
    xy = np.asarray(xy, np.float64)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8) if image is None else image
    visible = np.ones(len(xy)) if visible is None else np.asarray(visible, np.float64)
    return PersonSample("x.jpg", 1, 0, np.zeros(2), np.ones(2), xy.copy(), visible, image=image, xy_input=xy.copy())


def spot(xy):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.repeat((np.exp(-((x - xy[0]) ** 2 + (y - xy[1]) ** 2) / 18) * 255).astype(np.uint8)[..., None], 3, axis=2)


def centroid(image):
    weight = image[..., 0].astype(np.float64)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize("seed", range(12))
def test_perspective_moves_pixel_and_keypoint_together(seed):
    rng = np.random.default_rng(seed)
    xy = rng.uniform([35, 45], [60, 80])
    sample = TopDownRandomPerspective(0.12, prob=1.0)(cropped([xy], image=spot(xy)), rng)
    assert np.abs(centroid(sample.image) - sample.xy_input[0]).max() < 0.5
    assert np.abs(sample.xy_input[0] - xy).max() > 1e-3 and sample.visible[0] == 1


def test_perspective_there_and_back():
    op, rng = TopDownRandomPerspective(0.2, prob=1.0), np.random.default_rng(0)
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 4)
    for _ in range(20):
        matrix = op.draw((WIDTH, HEIGHT), rng)
        xy = rng.uniform([20, 30], [75, 100], (17, 2))
        sample = warp_perspective(cropped(xy, image=smooth), matrix)
        sample = warp_perspective(sample, np.linalg.inv(matrix))
        np.testing.assert_allclose(sample.xy_input, xy, atol=1e-6)
        middle = (slice(45, 85), slice(32, 64))
        assert np.abs(sample.image[middle].astype(int) - smooth[middle]).mean() < 2


def test_perspective_is_the_identity_without_distortion_and_spares_the_rest():
    xy = np.array([[0.0, 0.0], [95.0, 127.0], [40.0, 60.0]])
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    sample = TopDownRandomPerspective(0.0, prob=1.0)(cropped(xy, [1, 1, 0], image), np.random.default_rng(1))
    np.testing.assert_array_equal(sample.image, image)
    np.testing.assert_allclose(sample.xy_input, xy, atol=1e-9)
    assert sample.visible.tolist() == [1, 1, 0]
    untouched = TopDownRandomPerspective(0.2, prob=0.0)(cropped(xy, image=image), np.random.default_rng(1))
    assert untouched.image is image


def test_keypoints_that_leave_the_crop_become_invisible():
    shift = np.array([[1.0, 0, 60], [0, 1, 0], [0, 0, 1]])
    sample = warp_perspective(cropped([[10, 10], [50, 10], [-70, 10], [35, 10]], [1, 1, 1, 0]), shift)
    assert sample.visible.tolist() == [1, 0, 0, 0]
    horizon = np.array([[1.0, 0, 0], [0, 1, 0], [0.02, 0, 1]])  # points left of x = -50 are behind the camera
    sample = warp_perspective(cropped([[10, 10], [-60, 10]]), horizon)
    assert sample.visible.tolist() == [1, 0]
    np.testing.assert_allclose(sample.xy_input[1], [-60, 10])


@settings(max_examples=60, deadline=None)
@given(
    distortion=st.floats(0, 0.2499),
    seed=st.integers(0, 2**31),
    xy=st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), min_size=1, max_size=17),
)
def test_perspective_fuzz(distortion, seed, xy):
    op, rng = TopDownRandomPerspective(distortion, prob=1.0), np.random.default_rng(seed)
    matrix = op.draw((WIDTH, HEIGHT), rng)
    corners = np.array([[0, 0], [WIDTH - 1, 0], [WIDTH - 1, HEIGHT - 1], [0, HEIGHT - 1]], np.float64)
    moved, in_front = project(matrix, corners)
    assert in_front.all() and cv2.isContourConvex(moved.astype(np.float32))
    assert np.abs(moved - corners).max() <= distortion * max(WIDTH, HEIGHT) + 1e-3
    sample = warp_perspective(cropped(xy), matrix)
    assert np.isfinite(sample.xy_input).all() and sample.image.shape == (HEIGHT, WIDTH, 3)
    inside = (sample.xy_input > -0.5).all(1) & (sample.xy_input < [WIDTH - 0.5, HEIGHT - 0.5]).all(1)
    assert not (sample.visible.astype(bool) & ~inside).any()


@pytest.mark.parametrize("arguments", [{"distortion": 0.25}, {"distortion": -0.1}, {"prob": 1.5}])
def test_perspective_names_its_limits(arguments):
    with pytest.raises(ConfigError, match="TopDownRandomPerspective"):
        TopDownRandomPerspective(**arguments)


def person_in(box, size=(200, 150)):
    box = np.asarray(box, np.float64)
    extent = box[2:] - box[:2]
    wide = np.array([max(extent[0], extent[1] * 0.75), max(extent[1], extent[0] / 0.75)]) * 1.25
    return PersonSample("x.jpg", 1, 0, (box[:2] + box[2:]) / 2, wide, np.zeros((17, 2)), np.ones(17), box_xyxy=box,
                        image=np.zeros((size[1], size[0], 3), np.uint8))  # fmt: skip


def test_ragged_boxes_have_the_published_spread():
    rng, op = np.random.default_rng(0), TopDownRandomBoxCrop(part_prob=0.0)
    boxes = np.stack([op.draw(np.array([0.0, 0, 100, 200]), rng) for _ in range(20000)])
    shift = (boxes - [0, 0, 100, 200]) / [100, 200, 100, 200]
    np.testing.assert_allclose(shift.mean(0), [-0.0142, 0.0043, 0.0154, -0.0013], atol=0.004)
    np.testing.assert_allclose(shift.std(0), [0.1158, 0.068, 0.1337, 0.0711], atol=0.003)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), part=st.booleans(), corner=st.tuples(st.floats(-50, 180), st.floats(-50, 140)),
       extent=st.tuples(st.floats(0.1, 150), st.floats(0.1, 150)))  # fmt: skip
def test_box_crop_fuzz(seed, part, corner, extent):
    sample = person_in([*corner, corner[0] + extent[0], corner[1] + extent[1]])
    sample = TopDownRandomBoxCrop(part_prob=0.999 if part else 0.0)(sample, np.random.default_rng(seed))
    assert np.isfinite(sample.center_xy).all() and (sample.size_wh > 0).all()
    assert sample.size_wh[0] / sample.size_wh[1] == pytest.approx(0.75)


def test_part_of_a_box_lies_in_the_box():
    rng, op = np.random.default_rng(0), TopDownRandomBoxCrop(part_prob=0.999)
    for _ in range(200):
        box = op.draw(np.array([10.0, 20, 50, 100]), rng)
        assert (box[:2] >= [10, 20]).all() and (box[2:] <= [50 + 1e-9, 100 + 1e-9]).all()
        assert (box[3] - box[1]) / (box[2] - box[0]) == pytest.approx(2)


def test_uniform_scale_and_rotation():
    op, rng = TopDownGetRandomScaleRotation(40, 0.3, 1.0, distribution="uniform"), np.random.default_rng(0)
    drawn = np.array([op.draw(rng) for _ in range(4000)])
    np.testing.assert_allclose([drawn.min(0), drawn.max(0)], [[0.7, -40], [1.3, 40]], atol=0.2)
    np.testing.assert_allclose(drawn.std(0), [0.6 / 12**0.5, 80 / 12**0.5], rtol=0.03)
    with pytest.raises(ConfigError, match="beta"):
        TopDownGetRandomScaleRotation(distribution="beta")


CODEC = HeatmapCodec(input_wh=(96, 128), heatmap_wh=(24, 32), sigma=1.0)


def test_joint_weights_of_simple_baselines():
    op = EncodeHeatmap(codec=CODEC, joint_weights="limbs", skeleton="coco17")
    visible = np.ones(17)
    visible[9] = 0  # left wrist
    sample = op(cropped(np.full((17, 2), 40.0), visible), np.random.default_rng(0))
    expected = [1, 1, 1, 1, 1, 1, 1, 1.2, 1.2, 0, 1.5, 1, 1, 1.2, 1.2, 1.5, 1.5]
    np.testing.assert_allclose(sample.target_weight, expected, rtol=1e-6)
    both = {"image": np.zeros((2, 128, 96, 3)), "xy_input": np.full((2, 17, 2), 40.0), "visible": visible[None].repeat(2, 0)}
    batch = op.apply_batch(both)
    np.testing.assert_allclose(batch["target_weight"], [expected] * 2, rtol=1e-6)
    assert batch["target_weight"].dtype == np.float32
    plain = EncodeHeatmap(codec=CODEC)(cropped(np.full((17, 2), 40.0), visible), np.random.default_rng(0))
    np.testing.assert_array_equal(plain.target, sample.target)


def test_joint_weights_by_name_by_number_and_from_yaml():
    by_name = ToHeatmapsTopDown_DARK(codec=CODEC, joint_weights={"head_top": 2}, skeleton="mpii16").joint_weights
    assert by_name.tolist() == [1] * 9 + [2] + [1] * 6
    assert EncodeHeatmap(codec=CODEC, joint_weights=list(range(17)), skeleton="coco17").joint_weights[16] == 16
    config = {"TopDown": {}}
    builder = Builder(config, shared={"codec": CODEC, "skeleton": get_skeleton("coco17")})
    (op,) = builder.build_list([{"EncodeHeatmap": {"joint_weights": "limbs"}}])
    assert op.joint_weights[10] == np.float32(1.5)


@pytest.mark.parametrize("given_weights", ["hands", {"tail": 2}, [1, 2], [-1] * 17, [float("nan")] * 17])
def test_wrong_joint_weights_are_named(given_weights):
    with pytest.raises(ConfigError, match="joint_weights"):
        EncodeHeatmap(codec=CODEC, joint_weights=given_weights, skeleton="coco17")


def test_a_whole_chain_keeps_targets_on_the_pixels():
    """Crop, perspective, targets: the peak of the target lies where the drawn spot went."""
    xy = np.array([[61.0, 58.0]])
    y, x = np.mgrid[:160, :120]
    image = np.repeat((np.exp(-((x - 61) ** 2 + (y - 58) ** 2) / 18) * 255).astype(np.uint8)[..., None], 3, axis=2)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        sample = PersonSample("x.jpg", 1, 0, np.array([60.0, 70.0]), np.array([90.0, 120.0]), xy.copy(), np.ones(1), image=image)
        for op in (TopDownGetRandomScaleRotation(30, 0.25, 1.0), TopDownAffine(codec=CODEC), TopDownRandomPerspective(0.15, 1.0)):
            sample = op(sample, rng)
        sample = EncodeHeatmap(codec=CODEC)(sample, rng)
        located, _ = CODEC.locate(sample.target[None])
        np.testing.assert_allclose(located[0, 0] * 4, sample.xy_input[0], atol=0.1)
        assert np.abs(centroid(sample.image) - sample.xy_input[0]).max() < 0.6

"""Transforms of trackers: PaddleDetection's golden targets and letterbox, exact geometry, images without people."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.golden_cases import golden_arrays

from ppdet.core.errors import ConfigError
from ppdet.data.samples.collate import collate
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.augment_hsv import scale_sv
from ppdet.data.transforms.tracking import Gt2FairMOTTarget, LetterBoxResize, MOTRandomAffine, RGBReverse
from ppdet.data.transforms.tracking.gt2fairmot_target import gaussian_radius


def sample(boxes: list[list[float]], wh: tuple[int, int] = (160, 120)) -> ImageSample:
    image = np.random.default_rng(0).integers(0, 256, (wh[1], wh[0], 3)).astype(np.uint8)
    table = np.array(boxes, float).reshape(-1, 4)
    return ImageSample("a.png", 0, 0, image, table.copy(), np.zeros(len(table), np.int64), np.zeros(len(table), bool),
                       identities=np.arange(len(table)), boxes_input=table)


def test_targets_are_paddledetections() -> None:
    golden = golden_arrays("fairmot_dla34_192x320")
    cx, cy, w, h = (golden["gt_bbox"] * np.array([320, 192, 320, 192])).T
    batch = {
        "image": golden["image"], "gt_boxes": np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1)[None],
        "gt_labels": golden["gt_class"].T, "gt_mask": np.ones((1, 10)), "gt_identities": golden["gt_ide"].T,
    }  # fmt: skip
    made = Gt2FairMOTTarget().apply_batch(batch)
    np.testing.assert_allclose(made["center_heatmap"][0], golden["target/heatmap"], atol=1e-6)
    for name, key in (("index", "index"), ("mask", "index_mask"), ("size", "size"), ("offset", "offset"), ("identity", "reid")):
        np.testing.assert_allclose(made[f"center_{name}"][0, :10], golden[f"target/{key}"], atol=2e-5, err_msg=name)
        assert (made[f"center_{name}"][0, 10:] == (-1 if name == "identity" else 0)).all()


def test_radii_are_paddledetections() -> None:
    golden = golden_arrays("detect_ops")
    for (height, width), radius in zip(golden["gauss/hw"], golden["gauss/radius_0.7"]):
        assert gaussian_radius(float(height), float(width)) == max(0, int(radius))


def test_letterbox_is_paddledetections_but_for_its_rounding() -> None:
    """Sizes and pixels are equal. Boxes there take the padding and ratio before rounding, here what was done to the pixels."""
    golden = golden_arrays("detect_ops")
    for row in golden["letterbox/table"]:
        made = sample(golden["letterbox/boxes_in"][:2].tolist(), (int(row[1]), int(row[0])))
        made = LetterBoxResize([96, 160])(made, np.random.default_rng(0))
        np.testing.assert_array_equal(made.im_shape, row[2:4])
        np.testing.assert_allclose(made.scale_factor, row[4:6], rtol=0.51 / row[2:4].min())
    for number in (0, 1):
        image = golden[f"letterbox/in_{number}"]
        made = LetterBoxResize([96, 160])(ImageSample("a.png", 0, 0, image), np.random.default_rng(0))
        assert np.abs(made.image.astype(int) - golden[f"letterbox/out_{number}"]).max() <= 1


def test_letterbox_puts_boxes_where_the_pixels_went() -> None:
    image = np.zeros((101, 77, 3), np.uint8)
    image[20:80, 30:50] = 255
    made = ImageSample("a.png", 0, 0, image, boxes_input=np.array([[30.0, 20, 50, 80]]))
    made = LetterBoxResize([64, 128])(made, np.random.default_rng(0))
    assert made.image.shape == (64, 128, 3)
    inside = (made.image[..., 0].astype(float) - 0) * (made.image[..., 0] != 128)
    ys, xs = np.nonzero(inside > 127)
    np.testing.assert_allclose(made.boxes_input[0], [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], atol=0.6)


def test_affine_moves_boxes_with_pixels() -> None:
    for seed in range(20):
        image = np.zeros((120, 160, 3), np.uint8)
        image[40:90, 60:100] = 255
        box = np.array([[60.0, 40, 100, 90]])
        made = ImageSample("a.png", 0, 0, image, np.zeros((1, 4)), np.zeros(1, int), np.zeros(1, bool), boxes_input=box)
        affine = MOTRandomAffine(degrees=(0, 0), shear=(0, 0), borderValue=(0, 0, 0), reject_outside=True)
        made = affine(made, np.random.default_rng(seed))
        ys, xs = np.nonzero(made.image[..., 0] > 127)
        np.testing.assert_allclose(made.boxes_input[0], [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], atol=1.01)


def test_images_without_people_are_warped_like_any_and_lost_people_leave_the_image_as_it_is() -> None:
    nobody = sample([])
    before = nobody.image.copy()
    made = MOTRandomAffine(reject_outside=False)(nobody, np.random.default_rng(1))
    assert made is not None and not np.array_equal(made.image, before) and made.boxes_input.shape == (0, 4)
    tiny = sample([[10, 10, 13, 13]])
    before = tiny.image.copy()
    made = MOTRandomAffine()(tiny, np.random.default_rng(1))
    assert np.array_equal(made.image, before) and len(made.boxes_input) == 1
    with pytest.raises(ConfigError, match="lowest, highest"):
        MOTRandomAffine(degrees=(5, -5))


def test_identities_stay_with_their_people() -> None:
    people = sample([[10, 10, 13, 13], [40, 30, 80, 110], [90, 30, 120, 100]])
    made = MOTRandomAffine()(people, np.random.default_rng(3))
    assert made.identities.tolist() == [1, 2]
    made.im_shape = made.scale_factor = np.ones(2, np.float32)
    other = sample([[1, 1, 90, 90]])
    other.im_shape = other.scale_factor = np.ones(2, np.float32)
    assert collate([made, other])["gt_identities"].tolist() == [[1, 2], [0, -1]]


def test_colours() -> None:
    image = sample([]).image
    reverse = RGBReverse()
    turned = reverse.apply_batch({"image": image[None]})["image"][0]
    np.testing.assert_array_equal(turned, image[..., ::-1])
    np.testing.assert_array_equal(reverse(ImageSample("a", 0, 0, image), None).image, turned)
    # the order of the channels does not matter to saturation and value
    factors = np.array([0.7, 1.4])
    np.testing.assert_allclose(scale_sv(turned, factors)[..., ::-1].astype(int), scale_sv(image, factors), atol=6)
    value = cv2.cvtColor(scale_sv(image, np.array([1.0, 0.5])), cv2.COLOR_RGB2HSV)[..., 2]
    np.testing.assert_allclose(value, cv2.cvtColor(image, cv2.COLOR_RGB2HSV)[..., 2] // 2, atol=1)

"""The crop's two directions are inverses; its conventions are pinned by literals."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppdet.core.errors import ConfigError
from ppdet.geometry.crop import Crop, crop_for_boxes

finite = st.floats(-2000, 2000, allow_nan=False)
sizes = st.floats(1, 3000, allow_nan=False)


@given(finite, finite, sizes, st.floats(-180, 180), st.sampled_from(["affine", "udp"]), st.booleans(), finite, finite)
def test_round_trip(
    cx: float, cy: float, w: float, rot: float, alignment: str, mirrored: bool, x: float, y: float
) -> None:
    crop = Crop([[cx, cy]], [[w, w * 4 / 3]], [rot], (192, 256), alignment, [mirrored])
    point = np.array([[[x, y]]])
    assert crop.to_image(crop.to_input(point)) == pytest.approx(point, abs=1e-6)


def test_convention_affine_maps_edges() -> None:
    """Size 100 onto 200 pixels: factor 2, centre to 100 (half of 200)."""
    crop = Crop([[50, 80]], [[100, 100]], [0], (200, 200), "affine")
    assert crop.matrix[0] == pytest.approx(np.array([[2, 0, 0], [0, 2, -60]]))


def test_convention_udp_maps_pixel_centres() -> None:
    """Size 100 onto 200 pixels: factor 1.99, centre to 99.5 (half of 199)."""
    crop = Crop([[50, 80]], [[100, 100]], [0], (200, 200), "udp")
    assert crop.matrix[0] == pytest.approx(np.array([[1.99, 0, 0], [0, 1.99, 99.5 - 1.99 * 80]]))


def test_convention_positive_rotation_turns_x_towards_y() -> None:
    crop = Crop([[0, 0]], [[10, 10]], [90], (10, 10), "affine")
    assert crop.to_input(np.array([[[3.0, 0.0]]]))[0, 0] == pytest.approx([5, 8])


def test_mirrored_equals_crop_of_the_mirrored_image() -> None:
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 255, (60, 81), np.uint8), (0, 0), 2)
    center, size = np.array([[30.0, 28.0]]), np.array([[40.0, 40.0]])
    a = Crop(center, size, [20], (32, 32), "udp", [True])
    mirrored_center = np.array([[81 - 1 - 30.0, 28.0]])
    b = Crop(mirrored_center, size, [20], (32, 32), "udp")
    from_image = cv2.warpAffine(image, a.matrix[0], (32, 32))
    from_mirror = cv2.warpAffine(np.ascontiguousarray(image[:, ::-1]), b.matrix[0], (32, 32))
    assert np.abs(from_image.astype(int) - from_mirror).max() <= 2


def test_boxes_get_context_and_the_inputs_aspect() -> None:
    crop = crop_for_boxes(np.array([[10, 20, 40, 100], [0, 0, 100, 10]]), (96, 128))
    assert crop.size_wh == pytest.approx(np.array([[75, 100], [125, 166.6667]]), abs=1e-3)
    assert crop.center_xy == pytest.approx(np.array([[25, 60], [50, 5]]))


@given(st.lists(st.tuples(finite, finite, st.floats(-5, 50), st.floats(-5, 50)), min_size=0, max_size=4))
def test_any_box_gives_an_invertible_crop(boxes: list) -> None:
    xyxy = np.array([[x, y, x + w, y + h] for x, y, w, h in boxes]).reshape(-1, 4)
    crop = crop_for_boxes(xyxy, (192, 256))
    assert np.isfinite(crop.inverse_matrix).all()
    assert len(crop) == len(boxes)


def test_selection_keeps_everything() -> None:
    crop = Crop(np.zeros((3, 2)), np.ones((3, 2)), [0, 10, 20], (4, 4), "udp", [False, True, False])
    assert crop[1].rotation.tolist() == [10]
    assert crop[[1, 2]].mirrored.tolist() == [True, False]
    assert crop[np.array([True, False, True])].matrix == pytest.approx(crop.matrix[[0, 2]])


def test_unknown_alignment_is_refused() -> None:
    with pytest.raises(ConfigError, match="affine, udp"):
        Crop([[0, 0]], [[1, 1]], [0], (4, 4), "centre")

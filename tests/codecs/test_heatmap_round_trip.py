"""Image -> crop -> encode -> decode -> image, for every grid, crop and size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.codecs import HeatmapCodec
from ppdet.core.errors import ConfigError, DataError
from ppdet.skeletons import get_skeleton

COCO = get_skeleton("coco17")
SIZES = [((96, 128), 1.0), ((192, 256), 2.0), ((288, 384), 3.0), ((256, 256), 2.0)]


def _points(codec: HeatmapCodec, seed: int, count: int, edge: float = 0.0) -> np.ndarray:
    """(count, 17, 2) input pixels whose cells lie within the map, ``edge`` cells from its border."""
    rng = np.random.default_rng(seed)
    low, high = np.full(2, edge), np.array(codec.heatmap_wh) - 1 - edge
    return rng.uniform(low, high, (count, 17, 2)) / codec.cells_per_pixel


def _round_trip_error(codec: HeatmapCodec, xy_input: np.ndarray) -> float:
    """Largest error in input pixels after a trip through the image (crop factor 1, so that pixels are comparable)."""
    n = len(xy_input)
    crop = codec.crop_at(np.tile([300.0, 200.0], (n, 1)), np.tile(codec.input_wh, (n, 1)), np.zeros(n))
    maps, weight = codec.encode(crop.to_input(crop.to_image(xy_input)), np.ones((n, 17)))
    assert (weight == 1).all()
    xy, scores = codec.decode(maps, crop)
    assert (scores > 0.7).all()
    return float(np.abs(crop.to_input(xy) - xy_input).max())


@pytest.mark.parametrize(("input_wh", "sigma"), SIZES)
@pytest.mark.parametrize("grid", ["stride", "unit"])
@pytest.mark.parametrize("crop", ["affine", "udp"])
@pytest.mark.parametrize("blur_kernel", [1, 3])
def test_subpixel_targets_come_back_to_a_hundredth(input_wh, sigma, grid, crop, blur_kernel) -> None:
    codec = HeatmapCodec(input_wh, sigma=sigma, grid=grid, alignment=crop, blur_kernel=blur_kernel)
    assert _round_trip_error(codec, _points(codec, 0, 40)) < 0.01


@pytest.mark.parametrize("blur_kernel", [11, 17])
def test_wide_blurs_come_back_too(blur_kernel: int) -> None:
    codec = HeatmapCodec((192, 256), sigma=2, blur_kernel=blur_kernel)
    assert _round_trip_error(codec, _points(codec, 1, 40)) < 0.01


@pytest.mark.parametrize("blur_kernel", [5, 7, 9, 11])
def test_a_blur_that_reaches_beyond_the_border_moves_nothing(blur_kernel: int) -> None:
    """Peaks whose blurred neighbourhood lacks values are decoded without the blur; sigma 4 shows it, since it is wide."""
    codec = HeatmapCodec((96, 128), sigma=4, blur_kernel=blur_kernel)
    along = np.linspace(0, 7, 60)
    cells = np.stack([along, along + 11], axis=1)  # from the left border inwards, and as far from the others
    for uv in (cells, cells[:, ::-1], np.array(codec.heatmap_wh) - 1 - cells):
        xy = np.repeat(uv[:, None], 17, axis=1) / codec.cells_per_pixel
        assert _round_trip_error(codec, xy) < 0.01


@pytest.mark.parametrize(("input_wh", "sigma"), SIZES)
@pytest.mark.parametrize("decoder", ["argmax", "quarter", "dark"])
def test_rounded_targets_miss_by_half_a_stride_at_most(input_wh, sigma, decoder) -> None:
    codec = HeatmapCodec(input_wh, sigma=sigma, target="rounded", decoder=decoder)
    error = _round_trip_error(codec, _points(codec, 2, 40, edge=4))
    assert 1.5 < error <= 2 + 1e-3


@pytest.mark.parametrize(("sigma", "beta", "bound"), [(2, 20, 0.05), (3, 40, 0.05), (2, 160, 1.4)])
def test_soft_argmax_comes_back(sigma: float, beta: float, bound: float) -> None:
    """A soft decoder sees between the cells while its bell, sigma / sqrt(beta), is half a cell wide; 160 all but picks a cell."""
    codec = HeatmapCodec((192, 256), sigma=sigma, decoder="soft_argmax", beta=beta)
    assert _round_trip_error(codec, _points(codec, 8, 40, edge=8)) < 4 * bound


def test_soft_argmax_is_the_mean_cell() -> None:
    maps = np.zeros((1, 1, 32, 24), np.float32)
    maps[0, 0, 5, 7], maps[0, 0, 5, 9] = 1.0, 1.0 + np.log(0.6) / 160  # weights 5/8 and 3/8
    plain = HeatmapCodec((96, 128), decoder="soft_argmax", beta=160)
    uv, scores = plain.locate(maps)
    np.testing.assert_allclose(uv[0, 0], [7.75, 5], atol=1e-4)
    assert scores[0, 0] == 0  # the height of the cell it rounds to, (8, 5), as published: far peaks betray themselves
    uv, _ = HeatmapCodec((96, 128), decoder="soft_argmax_quarter", beta=160).locate(maps)
    np.testing.assert_allclose(uv[0, 0], [7.5, 5], atol=1e-4)
    uv, _ = HeatmapCodec((96, 128), decoder="soft_argmax", beta=1e4).locate(maps)
    np.testing.assert_allclose(uv[0, 0], [7, 5], atol=1e-6)


def test_soft_argmax_of_a_sharp_softmax_is_argmax() -> None:
    """beta 160 differs from the highest cell only near the middle between two; the quarter step is then the usual one."""
    maps = np.random.default_rng(9).random((4, 17, 32, 24)).astype(np.float32) ** 8
    maps[:, :, 10, 12] = 2.0
    for soft, hard in (("soft_argmax", "argmax"), ("soft_argmax_quarter", "quarter")):
        given, score = HeatmapCodec((96, 128), decoder=soft, beta=160).locate(maps)
        expected, value = HeatmapCodec((96, 128), decoder=hard).locate(maps)
        np.testing.assert_allclose(given, expected, atol=1e-6)
        np.testing.assert_array_equal(score, value)


def test_quarter_offset_halves_the_bound_of_subpixel_targets() -> None:
    """The sign of the slope is known, so the miss is at most a quarter of a cell: one pixel."""
    codec = HeatmapCodec((192, 256), decoder="quarter")
    assert _round_trip_error(codec, _points(codec, 3, 40, edge=3)) <= 1 + 1e-3


@settings(max_examples=60, deadline=None)
@given(
    st.integers(16, 90),
    st.integers(16, 90),
    st.integers(1, 5),
    st.floats(1.0, 3.0),
    st.sampled_from(["stride", "unit"]),
    st.sampled_from(["affine", "udp"]),
    st.integers(0, 10_000),
)
def test_any_size_and_stride(w, h, stride, sigma, grid, crop, seed) -> None:
    codec = HeatmapCodec((w * stride, h * stride), (w, h), sigma=sigma, grid=grid, alignment=crop)
    assert _round_trip_error(codec, _points(codec, seed, 2)) < 0.01


@pytest.mark.parametrize("crop", ["affine", "udp"])
def test_real_boxes_rotated_and_mirrored(crop: str) -> None:
    """In image pixels the bound scales with the crop: size / input."""
    rng = np.random.default_rng(4)
    codec = HeatmapCodec((192, 256), alignment=crop)
    center, size = rng.uniform(0, 600, (30, 2)), rng.uniform(40, 500, (30, 2))
    crops = codec.crop_at(center, size, rng.uniform(-80, 80, 30), rng.random(30) < 0.5)
    xy_image = crops.to_image(_points(codec, 5, 30))
    maps, _ = codec.encode(crops.to_input(xy_image), np.ones((30, 17)))
    got, _ = codec.decode(maps, crops)
    assert (np.abs(got - xy_image).max((1, 2)) < 0.015 * crops.size_wh[:, 0] / 192).all()


def test_invisible_and_far_points_weigh_nothing() -> None:
    codec = HeatmapCodec((96, 128), sigma=1)
    xy = np.array([[[52, 60], [52, 60], [-13, 60], [-20, 60], [96 + 11, 60], [96 + 13, 60]]], float)
    maps, weight = codec.encode(xy, np.array([[2, 0, 1, 1, 1, 1]]))
    assert weight.tolist() == [[1, 0, 1, 0, 1, 0]]
    assert maps[0, 0].max() > 0.9
    assert maps[0, 1].max() == maps[0, 3].max() == 0


@pytest.mark.parametrize("grid", ["stride", "unit"])
def test_maps_of_the_mirrored_crop_fall_onto_the_plain_ones(grid: str) -> None:
    codec = HeatmapCodec((192, 256), grid=grid)
    xy = _points(codec, 6, 20, edge=4)
    ones = np.ones(xy.shape[:2])
    mirrored = xy.copy()
    mirrored[..., 0] = 192 - 1 - mirrored[..., 0]
    maps, _ = codec.encode(xy, ones)
    maps_of_mirrored, _ = codec.encode(mirrored[:, COCO.flip_permutation], ones)
    merged = codec.merge_flipped(maps, maps_of_mirrored, COCO)
    uv, _ = codec.locate(merged)
    error = np.abs(uv / codec.cells_per_pixel - xy).max()
    assert error < (0.01 if grid == "unit" else 0.05)  # a fraction of a cell is shifted by linear interpolation
    off = HeatmapCodec((192, 256), grid=grid, flip_shift=0.0 if grid == "stride" else 1.0)
    uv, _ = off.locate(off.merge_flipped(maps, maps_of_mirrored, COCO))
    assert np.abs(uv / off.cells_per_pixel - xy).max() > 1


@pytest.mark.parametrize(("grid", "shift"), [("stride", 0.75), ("unit", 0.0)])
def test_convention_flip_shift(grid: str, shift: float) -> None:
    assert HeatmapCodec((96, 128), grid=grid).shift_after_flip == pytest.approx(shift)
    assert HeatmapCodec((96, 128), grid=grid, paddledet_exact=True).shift_after_flip == 1.0


def test_card_round_trip_and_unknown_keys() -> None:
    codec = HeatmapCodec((96, 128), sigma=1, grid="unit", flip_shift=0.5, decoder="soft_argmax", beta=160)
    assert HeatmapCodec.from_dict(codec.to_dict()).to_dict() == codec.to_dict()
    with pytest.raises(ConfigError, match="unknown key sigam"):
        HeatmapCodec.from_dict({"input_wh": [96, 128], "sigam": 2})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"input_wh": [96]}, "width, height"),
        ({"input_wh": [96, 128], "sigma": 0}, "sigma"),
        ({"input_wh": [96, 128], "blur_kernel": 4}, "odd"),
        ({"input_wh": [96, 128], "decoder": "soft_argmax", "beta": 0}, "beta"),
        ({"input_wh": [96, 128], "grid": "cell"}, "stride, unit"),
        ({"input_wh": [96, 128], "flip_shift": 2}, "fraction"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        HeatmapCodec(**arguments)


def test_wrong_maps_are_refused() -> None:
    codec = HeatmapCodec((96, 128))
    crop = codec.crop_for_boxes([[0, 0, 10, 10]])
    with pytest.raises(DataError, match="network's output size"):
        codec.decode(np.zeros((1, 17, 24, 32)), crop)
    with pytest.raises(DataError, match="NaN"):
        codec.decode(np.full((1, 17, 32, 24), np.nan), crop)


def test_flat_and_negative_maps_have_a_finite_answer() -> None:
    codec = HeatmapCodec((96, 128), sigma=1)
    crop = codec.crop_for_boxes(np.tile([[0, 0, 10, 10]], (3, 1)))
    maps = np.stack([np.zeros((17, 32, 24)), -np.ones((17, 32, 24)), np.random.default_rng(7).normal(0, 1, (17, 32, 24))])
    xy, scores = codec.decode(maps, crop)
    assert np.isfinite(xy).all()
    assert (scores[0] == 0).all()
    assert (scores[1] == -1).all()

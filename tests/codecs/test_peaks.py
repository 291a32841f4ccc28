"""The neighbourhood of a peak at the border: values outside the map count as zero, on each side."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ppdet.codecs import HeatmapCodec
from ppdet.codecs.peaks import blur_bias, dark_offset, dark_step, unbias

W, H = 20, 24


@pytest.mark.parametrize("cell", [(2, 10), (W - 3, 10), (10, 2), (10, H - 3), (2, 2), (W - 3, H - 3), (10, 10)])
@pytest.mark.parametrize("blur_kernel", [1, 3, 7])
def test_outside_the_map_there_is_nothing(cell: tuple[int, int], blur_kernel: int) -> None:
    """The same as in a map with a margin of zeros."""
    heat = np.random.default_rng(3).uniform(0.1, 0.2, (1, H, W)).astype(np.float32)
    heat[0, cell[1], cell[0]] = 1.0
    margin = 12
    wide = np.pad(heat, ((0, 0), (margin, margin), (margin, margin)))
    cells = np.array([cell])
    offset, defined = dark_offset(heat, cells, blur_kernel)
    expected, _ = dark_offset(wide, cells + margin, blur_kernel)
    assert defined.all()
    np.testing.assert_allclose(offset, expected, atol=1e-9)


@pytest.mark.parametrize("blur_kernel", [3, 5, 11])
def test_the_blur_is_opencvs(blur_kernel: int) -> None:
    heat = np.random.default_rng(4).uniform(0.1, 1.0, (1, H, W))
    blurred = cv2.GaussianBlur(heat[0], (blur_kernel, blur_kernel), 0, borderType=cv2.BORDER_CONSTANT)[None]
    cells = np.array([[9, 12]])
    np.testing.assert_allclose(dark_offset(heat, cells, blur_kernel)[0], dark_offset(blurred, cells, 1)[0], atol=1e-6)


@pytest.mark.parametrize("cell", [(1, 10), (W - 2, 10), (10, 1), (10, H - 2)])
def test_a_step_needs_two_cells_on_every_side(cell: tuple[int, int]) -> None:
    heat = np.random.default_rng(5).uniform(0.1, 1.0, (1, H, W))
    assert not dark_offset(heat, np.array([cell]), 3)[1].any()


def test_the_table_of_the_bias_is_odd_and_beyond_it_nothing_is_corrected() -> None:
    reported, true = blur_bias(1.0, 3)
    np.testing.assert_allclose(reported, -reported[::-1], atol=1e-12)
    assert (np.diff(reported) > 0).all() and 0.005 < np.abs(reported - true).max() < 0.02
    np.testing.assert_allclose(unbias(reported[1:-1], 1.0, 3), true[1:-1], atol=1e-12)
    assert unbias(np.array([-3.0, 2.0]), 1.0, 3).tolist() == [-3.0, 2.0]


def test_a_peak_is_concave_along_both_axes_over_two_cells() -> None:
    heat = np.random.default_rng(6).uniform(0.1, 1.0, (400, H, W))
    u, v = 9, 12
    _, _, found = dark_step(heat, np.tile([u, v], (400, 1)), 1)
    centre = heat[:, v, u]
    along_x = heat[:, v, u + 2] + heat[:, v, u - 2] < 2 * centre
    along_y = heat[:, v + 2, u] + heat[:, v - 2, u] < 2 * centre
    assert found.tolist() == (along_x & along_y).tolist() and 50 < found.sum() < 350
    assert (along_x != along_y).sum() > 50


@pytest.mark.parametrize(("exact", "moved"), [(False, [1.25, 0.75]), (True, [1, 1])])
def test_the_quarter_step_one_cell_from_the_corner(exact: bool, moved: list[float]) -> None:
    """PaddleDetection takes it from the second cell on (`1 < p`)."""
    maps = np.zeros((1, 1, 32, 24), np.float32)
    maps[0, 0, 1, 1], maps[0, 0, 1, 2], maps[0, 0, 0, 1] = 1.0, 0.5, 0.5
    uv, _ = HeatmapCodec((96, 128), decoder="quarter", paddledet_exact=exact).locate(maps)
    assert uv[0, 0].tolist() == moved

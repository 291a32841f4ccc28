"""The neighbourhood of a peak at the border: values outside the map count as zero, on each side."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ppdet.codecs.peaks import blur_bias, dark_offset, unbias

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

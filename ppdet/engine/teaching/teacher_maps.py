"""Resamples a teacher's heatmaps to the student's grid, and mixes them with the targets of the labels.

Legend: B batch, K keypoints, H W input pixels, h w heatmap cells. Student and teacher see the same rectangle of the image;
    their inputs and grids may differ in size, aspect and alignment.
"""

from __future__ import annotations

from typing import Tuple

import cv2
import numpy as np

from ppdet.codecs import HeatmapCodec


def input_to_input(student: HeatmapCodec, teacher: HeatmapCodec) -> np.ndarray:
    """(2, 3) affine map from the student's input pixels to the teacher's.

    Both are crops around the same rectangle; a teacher with another aspect sees more of the image, as its own codec would crop.
    """
    center, size, upright = np.zeros((1, 2)), np.array([student.input_wh], np.float64), np.zeros(1)
    from_image = student.crop_at(center, size, upright)
    to_teacher = teacher.crop_at(center, from_image.size_wh, upright).matrix[0]
    return compose(to_teacher, from_image.inverse_matrix[0])


def cell_to_cell(student: HeatmapCodec, teacher: HeatmapCodec) -> np.ndarray:
    """(2, 3) affine map from the student's heatmap cells to the teacher's."""
    to_input = np.diag([*(1.0 / student.cells_per_pixel), 1.0])[:2]
    to_cells = np.diag([*teacher.cells_per_pixel, 1.0])[:2]
    return compose(to_cells, compose(input_to_input(student, teacher), to_input))


def compose(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The (2, 3) affine map that does `first`, then `second`."""
    return second @ np.vstack([first, [0.0, 0.0, 1.0]])


class MapResampler:
    """Resamples a batch's pixels to a teacher's input, and the heatmaps back to the student's grid.

    Args:
        student, teacher: the two codecs.
    """

    def __init__(self, student: HeatmapCodec, teacher: HeatmapCodec) -> None:
        self.teacher = teacher
        self._to_teacher = input_to_input(student, teacher)
        cells = cell_to_cell(student, teacher)
        self._same_input = student.input_wh == teacher.input_wh and np.allclose(self._to_teacher, np.eye(2, 3), atol=1e-9)
        self._same_grid = student.heatmap_wh == teacher.heatmap_wh and np.allclose(cells, np.eye(2, 3), atol=1e-9)
        self._columns, self._rows = (
            cubic_weights(cells[axis, axis] * np.arange(student.heatmap_wh[axis]) + cells[axis, 2], teacher.heatmap_wh[axis])
            for axis in (0, 1)
        )

    def crops(self, pixels: np.ndarray) -> np.ndarray:
        """(B, H, W, 3) uint8 crops of the student as (B, H', W', 3) crops of the teacher; black outside of the student's crop."""
        if self._same_input:
            return pixels
        size = self.teacher.input_wh
        return np.stack([cv2.warpAffine(crop, self._to_teacher, size, flags=cv2.INTER_LINEAR) for crop in pixels])

    def maps(self, heatmaps: np.ndarray) -> np.ndarray:
        """(B, K, h', w') maps of the teacher as (B, K, h, w) float32 on the student's grid, clipped at 0."""
        if not self._same_grid:
            heatmaps = np.matmul(np.matmul(self._rows, heatmaps), self._columns.T)
        return np.maximum(heatmaps, 0.0).astype(np.float32, copy=False)


def cubic_weights(places: np.ndarray, count: int) -> np.ndarray:
    """(N, count) float32 matrix that interpolates `count` samples at N positions; samples beyond the ends are 0.

    Source: cubic convolution with a = -1/2 (Keys, IEEE TASSP 1981), which is exact for parabolas such as the top of a peak.
    """
    distance = np.abs(places[:, None] - np.arange(count)[None])
    near = (1.5 * distance - 2.5) * distance**2 + 1.0
    far = ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0
    weights = np.where(distance <= 1.0, near, np.where(distance < 2.0, far, 0.0))
    return weights.astype(np.float32)


def mixed_target(
    target: np.ndarray, target_weight: np.ndarray, taught: np.ndarray, mix: float, weight: float, unlabelled_weight: float
) -> Tuple[np.ndarray, np.ndarray]:
    """The student's target and its weights.

    Args:
        target: (B, K, h, w) target of the labels.
        target_weight: (B, K), above 0 for labelled keypoints. The losses square it.
        taught: (B, K, h, w) maps of the teacher.
        mix: weight of the teacher's maps in the target of labelled keypoints, 0 to 1.
        weight: factor on the loss of labelled keypoints.
        unlabelled_weight: loss weight of keypoints without a label.

    Returns:
        target and target_weight of the same shapes.
    """
    given = np.asarray(target_weight, np.float32).reshape(target.shape[:2])
    labelled = given > 0
    part = np.where(labelled, np.float32(mix), np.float32(1.0))[..., None, None]
    mixed = (1 - part) * target + part * taught
    new = np.where(labelled, given * np.float32(weight**0.5), np.float32(unlabelled_weight**0.5))
    return mixed.astype(np.float32, copy=False), new.reshape(np.shape(target_weight))

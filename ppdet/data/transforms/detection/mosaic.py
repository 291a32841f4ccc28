"""Four images in one, turned and scaled, and a fifth shining through (Ge et al., arXiv:2107.08430, sec. 2.1).

Legend: N boxes, H W pixels of the result.
"""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import boxes_of, image_size, join_boxes, mirror, pixels_of, resize, set_boxes

GREY = 114
Range = Sequence[float]


@register
class Mosaic:
    """Joins the sample with three others around a random point, warps the result, and blends in a fourth.

    It belongs right after Decode. The reader gives it the other samples, in the first `mosaic_epoch` epochs.

    Args:
        prob: probability that a sample is joined.
        input_dim: [height, width] of the result.
        degrees, shear: ranges of rotation and shear in degrees.
        translate: range of the shift, in sides of the result.
        scale: range of the factor.
        enable_mixup: blend another image in, half and half, with probability `mixup_prob`, at a factor from `mixup_scale`.
        remove_outside_box: drop boxes that lie outside before the warp; those outside after it are dropped anyway.

    Raises:
        ConfigError: a range that is none.
    """

    partners = 4
    epochs_key = "mosaic_epoch"

    def __init__(
        self,
        prob: float = 1.0,
        input_dim: Sequence[int] = (640, 640),
        degrees: Range = (-10, 10),
        translate: Range = (-0.1, 0.1),
        scale: Range = (0.1, 2),
        shear: Range = (-2, 2),
        enable_mixup: bool = True,
        mixup_prob: float = 1.0,
        mixup_scale: Range = (0.5, 1.5),
        remove_outside_box: bool = False,
    ) -> None:
        ranges = {"degrees": degrees, "translate": translate, "scale": scale, "shear": shear, "mixup_scale": mixup_scale}
        for name, values in ranges.items():
            if len(values) != 2 or values[0] > values[1]:
                raise ConfigError(f"Mosaic: {name} is [lowest, highest]; given {list(values)}")
        if scale[0] <= 0 or mixup_scale[0] <= 0 or len(input_dim) != 2 or min(input_dim) < 1:
            raise ConfigError("Mosaic: scale and mixup_scale are above 0 and input_dim is [height, width]")
        self.prob, self.wh = prob, (int(input_dim[1]), int(input_dim[0]))
        self.degrees, self.translate, self.scale, self.shear = degrees, translate, scale, shear
        self.enable_mixup, self.mixup_prob, self.mixup_scale = enable_mixup, mixup_prob, mixup_scale

    def mix(self, sample: ImageSample, others: List[ImageSample], rng: Any) -> ImageSample:
        """The joined sample; itself if chance, or too few readable others, will have it so."""
        if rng.random() >= self.prob or len(others) < 3:
            return sample
        width, height = self.wh
        centre = (int(rng.uniform(0.5, 1.5) * width), int(rng.uniform(0.5, 1.5) * height))
        joined = join_four([sample, *others[:3]], self.wh, centre)
        warped = warp(joined, self._matrix(rng), self.wh)
        if self.enable_mixup and len(others) > 3 and len(boxes_of(warped)) and rng.random() < self.mixup_prob:
            return self._blend(warped, others[3], rng)
        return warped

    def _matrix(self, rng: Any) -> np.ndarray:
        """(2, 3) pixels of the joined image to pixels of the result."""
        turn = cv2.getRotationMatrix2D((0, 0), float(rng.uniform(*self.degrees)), float(rng.uniform(*self.scale)))[:, :2]
        shear_x, shear_y = np.tan(np.deg2rad(rng.uniform(*self.shear, 2)))
        shift = rng.uniform(*self.translate, 2) * self.wh
        return np.column_stack([np.array([[1, shear_y], [shear_x, 1]]) @ turn, shift])

    def _blend(self, sample: ImageSample, other: ImageSample, rng: Any) -> ImageSample:
        factor = float(rng.uniform(*self.mixup_scale))
        if rng.uniform() > 0.5:
            mirror(other)
        _fit(other, (int(self.wh[0] * factor), int(self.wh[1] * factor)))
        sheet = np.full((self.wh[1], self.wh[0], 3), GREY, np.uint8)
        corner = [_offset(size, limit, rng) for size, limit in zip(image_size(other), self.wh)]
        _paste(sheet, pixels_of(other), corner)
        other.image = sheet
        set_boxes(other, boxes_of(other) + np.array([*corner, *corner], np.float64))
        sample.image = cv2.addWeighted(pixels_of(sample), 0.5, sheet, 0.5, 0)
        return join_boxes(sample, [sample, other])


def join_four(samples: Sequence[ImageSample], wh: Tuple[int, int], centre: Tuple[int, int]) -> ImageSample:
    """Four images around `centre` on a sheet of twice `wh`, each fitted into `wh`; the first one's sample, changed."""
    sheet = np.full((wh[1] * 2, wh[0] * 2, 3), GREY, np.uint8)
    corners = []
    for place, sample in enumerate(samples):
        _fit(sample, wh)
        width, height = image_size(sample)
        corner = (centre[0] - (place % 2 == 0) * width, centre[1] - (place < 2) * height)
        _paste(sheet, pixels_of(sample), corner)
        corners.append(corner)
    for sample, (x, y) in zip(samples, corners):
        sample.image = sheet
        set_boxes(sample, boxes_of(sample) + np.array([x, y, x, y], np.float64))
    return join_boxes(samples[0], samples)


def warp(sample: ImageSample, matrix: np.ndarray, wh: Tuple[int, int]) -> ImageSample:
    """Image by an affine (2, 3) matrix onto a sheet of `wh`; a box becomes the upright hull of its warped corners."""
    boxes = boxes_of(sample)
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) @ matrix[:, :2].T + matrix[:, 2]
    # Boxes lie between pixel edges, warpAffine counts from the centre of the first pixel.
    of_centres = matrix.copy()
    of_centres[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    border = (GREY, GREY, GREY)
    sample.image = cv2.warpAffine(pixels_of(sample), of_centres, wh, flags=cv2.INTER_LINEAR, borderValue=border)
    return set_boxes(sample, np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1))


def _fit(sample: ImageSample, wh: Tuple[int, int]) -> None:
    width, height = image_size(sample)
    factor = min(wh[0] / width, wh[1] / height)
    resize(sample, (max(1, int(width * factor)), max(1, int(height * factor))), cv2.INTER_LINEAR)


def _paste(sheet: np.ndarray, image: np.ndarray, corner: Sequence[int]) -> None:
    """Copy an image with its top-left corner there; what lies outside the sheet is cut."""
    x, y = corner
    left, top = max(-x, 0), max(-y, 0)
    part = image[top : max(sheet.shape[0] - y, 0), left : max(sheet.shape[1] - x, 0)]
    sheet[y + top : y + top + part.shape[0], x + left : x + left + part.shape[1]] = part


def _offset(size: int, limit: int, rng: Any) -> int:
    """Where a side of `size` begins in one of `limit`: cut at random if it is longer, else at 0."""
    return -int(rng.integers(0, size - limit)) if size > limit else 0

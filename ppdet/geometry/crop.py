"""A person's crop as an invertible map between image pixels and network input pixels.

Legend: N crops, K keypoints.

Two alignments are in common use:

``affine``
    the crop's *edges* are mapped: ``size`` source pixels become ``input`` pixels and the centre goes to ``input / 2``
    (Xiao et al., ECCV 2018 and everything derived from it).
``udp``
    the crop's outermost *pixel centres* are mapped: ``size`` becomes ``input - 1`` and the centre goes to
    ``(input - 1) / 2`` (Huang et al., CVPR 2020, "unbiased data processing").

Either is exact if its own inverse maps the keypoints back, which is why one object holds both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Optional

import numpy as np

from ppdet.core.errors import ConfigError

#: Context around a box: the crop covers 1.25 times the box (Xiao et al., ECCV 2018).
BOX_PADDING = 1.25

ALIGNMENTS = ("affine", "udp")


@dataclass(frozen=True)
class Crop:
    """N crops of one alignment and input size.

    Attributes:
        center_xy: (N, 2) centre in image pixels.
        size_wh: (N, 2) extent in image pixels that the network input covers.
        rotation: (N,) degrees; positive turns the content clockwise on the screen (x towards y).
        input_wh: network input size.
        alignment: ``affine`` or ``udp``, see the module text.
        mirrored: (N,) bool; the content is mirrored left to right about the centre before it is rotated.
    """

    center_xy: np.ndarray
    size_wh: np.ndarray
    rotation: np.ndarray
    input_wh: tuple[int, int]
    alignment: str = "affine"
    mirrored: Optional[np.ndarray] = None

    def __post_init__(self) -> None:
        if self.alignment not in ALIGNMENTS:
            raise ConfigError(f"crop alignment must be one of {', '.join(ALIGNMENTS)}; given {self.alignment!r}")
        set_ = object.__setattr__
        set_(self, "center_xy", np.asarray(self.center_xy, np.float64).reshape(-1, 2))
        set_(self, "size_wh", np.asarray(self.size_wh, np.float64).reshape(-1, 2))
        n = len(self.center_xy)
        set_(self, "rotation", np.broadcast_to(np.asarray(self.rotation, np.float64).reshape(-1), (n,)))
        mirrored = False if self.mirrored is None else self.mirrored
        set_(self, "mirrored", np.broadcast_to(np.asarray(mirrored, bool).reshape(-1), (n,)))

    def __len__(self) -> int:
        return len(self.center_xy)

    def __getitem__(self, rows: Any) -> Crop:
        """The crops selected by a slice, an index array or a mask."""
        index = np.atleast_1d(np.arange(len(self))[rows])
        assert self.mirrored is not None
        return Crop(
            self.center_xy[index],
            self.size_wh[index],
            self.rotation[index],
            self.input_wh,
            self.alignment,
            self.mirrored[index],
        )

    @cached_property
    def matrix(self) -> np.ndarray:
        """(N, 2, 3) float64: image xy to input xy."""
        wh = np.asarray(self.input_wh, np.float64) - (1.0 if self.alignment == "udp" else 0.0)
        scale = wh / self.size_wh  # (N, 2)
        angle = np.deg2rad(self.rotation)
        cos, sin = np.cos(angle), np.sin(angle)
        assert self.mirrored is not None
        side = np.where(self.mirrored, -1.0, 1.0)
        linear = np.empty((len(self), 2, 2))
        linear[:, 0, 0] = scale[:, 0] * cos * side
        linear[:, 0, 1] = scale[:, 0] * -sin
        linear[:, 1, 0] = scale[:, 1] * sin * side
        linear[:, 1, 1] = scale[:, 1] * cos
        offset = wh / 2 - np.einsum("nij,nj->ni", linear, self.center_xy)
        return np.concatenate([linear, offset[:, :, None]], axis=2)

    @cached_property
    def inverse_matrix(self) -> np.ndarray:
        """(N, 2, 3) float64: input xy to image xy, the exact inverse of :attr:`matrix`."""
        linear = np.linalg.inv(self.matrix[:, :, :2])
        offset = -np.einsum("nij,nj->ni", linear, self.matrix[:, :, 2])
        return np.concatenate([linear, offset[:, :, None]], axis=2)

    def to_input(self, xy_image: np.ndarray) -> np.ndarray:
        """(N, K, 2) image pixels to (N, K, 2) input pixels."""
        return apply_affine(self.matrix, xy_image)

    def to_image(self, xy_input: np.ndarray) -> np.ndarray:
        """(N, K, 2) input pixels to (N, K, 2) image pixels."""
        return apply_affine(self.inverse_matrix, xy_input)


def apply_affine(matrix: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Apply (N, 2, 3) affine matrices to (N, K, 2) points; float64 result."""
    points = np.asarray(xy, np.float64)
    return np.matmul(points, np.swapaxes(matrix[:, :, :2], 1, 2)) + matrix[:, None, :, 2]


def box_to_center_size(
    boxes_xyxy: np.ndarray, input_wh: tuple[int, int], padding: float = BOX_PADDING
) -> tuple[np.ndarray, np.ndarray]:
    """Centres and padded sizes of boxes, enlarged to the aspect of the network input.

    Args:
        boxes_xyxy: (N, 4) image pixels. A box without extent counts as one pixel.
        input_wh: network input size; only its aspect matters.
        padding: factor on the box.

    Returns:
        centre (N, 2) and size (N, 2) in image pixels, not clipped to the image.
    """
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    return center, fit_aspect(boxes[:, 2:] - boxes[:, :2], input_wh) * padding


def fit_aspect(size_wh: np.ndarray, input_wh: tuple[int, int]) -> np.ndarray:
    """Enlarge one side of (N, 2) sizes to the aspect of ``input_wh``."""
    size = np.maximum(np.asarray(size_wh, np.float64).reshape(-1, 2), 1.0)
    aspect = input_wh[0] / input_wh[1]
    width = np.maximum(size[:, 0], size[:, 1] * aspect)
    return np.stack([width, width / aspect], axis=1)


def crop_for_boxes(
    boxes_xyxy: np.ndarray, input_wh: tuple[int, int], alignment: str = "affine", padding: float = BOX_PADDING
) -> Crop:
    """Upright crops around (N, 4) boxes: box x ``padding`` at the input's aspect, not clipped to the image."""
    center, size = box_to_center_size(boxes_xyxy, input_wh, padding)
    return Crop(center, size, np.zeros(len(center)), input_wh, alignment)

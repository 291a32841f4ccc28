"""Views of an image in which a model that has learnt its task finds the same poses: a little smaller, shifted, turned, mirrored.

Legend: N people, K keypoints, H W pixels. Matrices take pixels of the image to pixels of the view; pixel centres are integers.
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ppdet.skeletons import Skeleton

MIRROR = "mirrored"
_SETTINGS = {"smaller": (0.86, 0.0, (0.0, 0.0)), "shifted": (0.93, 0.0, (0.04, -0.04)), "turned": (0.9, 8.0, (-0.02, 0.02))}
"""Scale, degrees, and shift as part of the sides. Views are smaller than the image, so that nothing in it leaves them."""


@dataclass(frozen=True)
class View:
    """One way to look at an image.

    Attributes:
        name: of the kind.
        matrix: (2, 3) from the image to the view.
    """

    name: str
    matrix: np.ndarray

    def image(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8: what is seen, black outside the image."""
        size = image.shape[1], image.shape[0]
        return np.ascontiguousarray(cv2.warpAffine(image, self.matrix, size, flags=cv2.INTER_LINEAR))

    def back(self, keypoints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
        """(N, K, 2) keypoints that were found in the view, in pixels of the image; those of a mirror image change sides."""
        inverse = cv2.invertAffineTransform(self.matrix)
        found = keypoints.astype(np.float64) @ inverse[:, :2].T + inverse[:, 2]
        return found[:, skeleton.flip_permutation] if self.name == MIRROR else found


def views_of(image_wh: tuple[int, int]) -> list[View]:
    """The views of an image of this size, without the image itself.

    Args:
        image_wh: width and height in pixels.
    """
    size = np.array(image_wh, np.float64)
    middle = (size - 1) / 2
    views = []
    for name, (scale, degrees, shift) in _SETTINGS.items():
        angle = np.deg2rad(degrees)
        linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        views.append(View(name, np.column_stack([linear, middle - linear @ middle + np.array(shift) * size])))
    views.append(View(MIRROR, np.array([[-1.0, 0.0, size[0] - 1], [0.0, 1.0, 0.0]])))
    return views

"""Perspective distortion of the crop. Legend: K keypoints, H W crop pixels."""

from __future__ import annotations

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample

MOST_DISTORTION = 0.25
"""From here on four moved corners may form a shape with a dent, which no camera sees."""


@register
class TopDownRandomPerspective:
    """Moves each corner of the crop by up to `distortion` of its sides, image and keypoints by one 3x3 matrix.

    Belongs after TopDownAffine and before the targets. Pixels that come from outside the crop are black; keypoints that
    leave it become invisible. Only for training: the crop's own geometry no longer leads back to the source image.

    Args:
        distortion: largest shift of a corner, as part of the crop's width and height, below .25.
        prob: probability that a sample is touched.

    Raises:
        ConfigError: `distortion` or `prob` is out of range.
    """

    def __init__(self, distortion: float = 0.1, prob: float = 0.5) -> None:
        if not 0 <= distortion < MOST_DISTORTION:
            raise ConfigError(
                f"TopDownRandomPerspective: distortion is part of a side, from 0 to below {MOST_DISTORTION}; given {distortion}"
            )
        if not 0 <= prob <= 1:
            raise ConfigError(f"TopDownRandomPerspective: prob is a probability from 0 to 1; given {prob}")
        self.distortion, self.prob = float(distortion), float(prob)

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        assert sample.image is not None and sample.xy_input is not None, "TopDownRandomPerspective belongs after TopDownAffine"
        if rng.random() >= self.prob:
            return sample
        height, width = sample.image.shape[:2]
        return warp_perspective(sample, self.draw((width, height), rng))

    def draw(self, input_wh: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
        """Sample the warp: (3, 3) float64 from crop pixels to crop pixels."""
        extent = np.array(input_wh, np.float64) - 1
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64) * extent
        moved = corners + rng.uniform(-self.distortion, self.distortion, (4, 2)) * extent
        return cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))


def warp_perspective(sample: PersonSample, matrix: np.ndarray) -> PersonSample:
    """Apply a (3, 3) homography to the crop and its keypoints. In place.

    A keypoint behind the camera or outside the crop becomes invisible; the former keeps its place, having no other.
    """
    assert sample.image is not None and sample.xy_input is not None
    height, width = sample.image.shape[:2]
    xy, in_front = project(matrix, sample.xy_input)
    inside = in_front & (xy > -0.5).all(axis=1) & (xy < np.array([width, height]) - 0.5).all(axis=1)
    sample.image = cv2.warpPerspective(sample.image, matrix, (width, height), flags=cv2.INTER_LINEAR)
    sample.xy_input = np.where(in_front[:, None], xy, sample.xy_input)
    sample.visible = np.where(inside, sample.visible, 0.0)
    return sample


def project(matrix: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K, 2) points through a (3, 3) homography: their places, and (K,) whether they lie in front of the camera."""
    points = np.concatenate([np.asarray(xy, np.float64), np.ones((len(xy), 1))], axis=1) @ matrix.T
    in_front = points[:, 2] > 1e-6
    return points[:, :2] / np.where(in_front, points[:, 2], 1.0)[:, None], in_front

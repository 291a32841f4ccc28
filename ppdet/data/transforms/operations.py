"""The deterministic half of the transforms: functions on samples and crops, given the sampled parameters, and the keypoints
that swap sides in a mirror.

Legend: K keypoints, P discs, H W crop pixels.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Optional, Sequence

import cv2
import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample
from ppdet.geometry.crop import fit_aspect
from ppdet.skeletons import get_skeleton

HALF_BODY_PADDING = 1.5
SMALLEST_HALF_BODY = 0.2
"""Part of the whole person's crop below which a half body is not shrunk: two keypoints may coincide."""


def flip_permutation(pairs: Sequence[Sequence[int]], num_keypoints: int) -> np.ndarray:
    """(K,) int: which keypoint each one becomes in a mirror.

    Raises:
        ConfigError: a pair names a keypoint that is not there, or a keypoint is in two pairs.
    """
    order = np.arange(num_keypoints)
    for pair in pairs:
        a, b = int(pair[0]), int(pair[1])
        if not (0 <= a < num_keypoints and 0 <= b < num_keypoints) or order[a] != a or order[b] != b:
            raise ConfigError(f"flip pair [{a}, {b}] does not fit {num_keypoints} keypoints, or repeats one of another pair")
        order[a], order[b] = b, a
    return order


def mirror_person(sample: PersonSample, permutation: np.ndarray) -> PersonSample:
    """Mirror the crop and swap left and right keypoints; twice is no change. In place."""
    sample.mirrored = not sample.mirrored
    sample.xy_image = sample.xy_image[permutation]
    sample.visible = sample.visible[permutation]
    return sample


def focus_on_keypoints(sample: PersonSample, keypoints: np.ndarray) -> PersonSample:
    """Move the crop to some keypoints: centre at their mean, 1.5 times their extent at the crop's aspect. In place."""
    points = sample.xy_image[keypoints]
    extent = np.maximum(np.ptp(points, axis=0), 1.0)
    aspect = (float(sample.size_wh[0]), float(sample.size_wh[1]))
    size = fit_aspect(extent[None], aspect)[0] * HALF_BODY_PADDING  # type: ignore[arg-type]
    sample.center_xy = points.mean(axis=0)
    sample.size_wh = np.maximum(size, SMALLEST_HALF_BODY * sample.size_wh)
    return sample


def cut_discs(image: np.ndarray, centers_xy: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Blacken discs with (P, 2) centres and (P,) radii in pixels of a crop (H, W, 3). In place."""
    fraction = 16  # cv2 takes sub-pixel positions as fixed point
    for (x, y), radius in zip(np.clip(centers_xy, -1e4, 1e4), radii):
        center = (int(round(x * fraction)), int(round(y * fraction)))
        cv2.circle(image, center, int(round(radius * fraction)), (0, 0, 0), thickness=-1, lineType=cv2.LINE_8, shift=4)
    return image


def apply_cutouts(sample: PersonSample) -> PersonSample:
    """Cut out the discs that were sampled before the crop existed. In place."""
    if sample.cutouts is None or sample.xy_input is None or sample.image is None:
        return sample
    width = sample.image.shape[1]
    keypoints = sample.cutouts[:, 0].astype(int)
    cut_discs(sample.image, sample.xy_input[keypoints] + sample.cutouts[:, 1:3] * width, sample.cutouts[:, 3] * width)
    sample.cutouts = None
    return sample


class FlipSource:
    """Gives the mirror permutation for K keypoints: by a config's pairs, checked against the skeleton, or by the skeleton's own.

    Args:
        owner: name of the transform, for messages.
        flip_pairs: from the config, or None. An empty list says that no keypoints swap.
        skeleton: shared, or None.
        needed: whether the transform mirrors at all.

    Raises:
        ConfigError: the pairs are not the skeleton's, or the transform mirrors and there are neither pairs nor a skeleton.
    """

    def __init__(
        self, owner: str, flip_pairs: Optional[Sequence[Sequence[int]]], skeleton: Any, needed: bool = True
    ) -> None:
        self.skeleton = None if skeleton is None else get_skeleton(skeleton)
        if flip_pairs is None:
            if self.skeleton is None and needed:
                raise ConfigError(
                    f"{owner} mirrors, and nothing says which keypoints swap left and right: name a skeleton in the config, give "
                    "their pairs ([] if there are none), or do not mirror (flip: false, or flip_prob: 0)"
                )
            flip_pairs = self.skeleton.flip_pairs if self.skeleton is not None else ()
        elif self.skeleton is not None:
            given = sorted(sorted(int(i) for i in pair) for pair in flip_pairs)
            expected = sorted(sorted(pair) for pair in self.skeleton.flip_pairs)
            if given != expected:
                raise ConfigError(
                    f"{owner}: flip pairs {given} are not those of skeleton {self.skeleton.name}, {expected}; "
                    "leave them out, or name the right skeleton"
                )
        self.pairs = tuple(tuple(int(i) for i in pair) for pair in flip_pairs)

    def permutation(self, num_keypoints: int) -> np.ndarray:
        """(K,) int. Raises ConfigError if the pairs do not fit K keypoints."""
        return _permutation(self.pairs, num_keypoints)


@lru_cache(maxsize=32)
def _permutation(pairs: Any, num_keypoints: int) -> np.ndarray:
    return flip_permutation(pairs, num_keypoints)

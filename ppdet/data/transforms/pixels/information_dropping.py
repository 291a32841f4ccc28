"""Augmentation by information dropping.

Huang et al., "AID: Pushing the Performance Boundary of Human Pose Estimation with Information Dropping
Augmentation", 2020.
"""

from __future__ import annotations

from typing import Optional, Sequence

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.operations import apply_cutouts


@register
class AugmentationbyInformantionDropping:
    """Cuts discs out of the crop near visible keypoints, so that the network learns to infer what it cannot see.

    Distances are parts of the *crop's* width: a person far away loses as much of himself as a near one.
    (PaddleDetection measures in source pixels, which removes small persons altogether and leaves a dot on large
    ones.) If this comes before the crop in the list, the discs are cut out after it.

    Args:
        prob_cutout: probability that a sample is touched.
        offset_factor: standard deviation of the distance to the keypoint, in crop widths.
        num_patch: number of discs; their radius is uniform in 0.1..0.2 crop widths.
        trainsize: accepted; the crop knows its size.
    """

    radius_range = (0.1, 0.2)

    def __init__(
        self,
        trainsize: Optional[Sequence[int]] = None,
        prob_cutout: float = 0.0,
        offset_factor: float = 0.2,
        num_patch: int = 1,
    ) -> None:
        self.prob_cutout, self.offset_factor, self.num_patch = prob_cutout, offset_factor, num_patch

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        discs = self.draw(sample.visible, rng)
        if discs is not None:
            sample.cutouts = discs
            apply_cutouts(sample)
        return sample

    def draw(self, visible: np.ndarray, rng: np.random.Generator) -> Optional[np.ndarray]:
        """(P, 4) keypoint, dx, dy, radius; None if the sample is left alone, as it is when no keypoint is visible."""
        candidates = np.flatnonzero(visible > 0)
        if rng.random() >= self.prob_cutout or not len(candidates) or self.num_patch < 1:
            return None
        keypoints = rng.choice(candidates, self.num_patch)
        offsets = rng.standard_normal((self.num_patch, 2)) * self.offset_factor
        radii = rng.uniform(*self.radius_range, self.num_patch)
        return np.concatenate([keypoints[:, None], offsets, radii[:, None]], axis=1)

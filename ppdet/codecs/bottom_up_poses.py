"""Poses after grouping.

Legend: P people, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GroupedPoses:
    """The people of one image, best first.

    Attributes:
        xy_image: (P, K, 2) float32 image pixels; (0, 0) if the score is 0, i.e. the keypoint was not found.
        scores: (P, K) float32 heatmap value at each keypoint.
        person_scores: (P,) float32 mean of a person's K scores before the search for missing keypoints, so that a person with few
            keypoints ranks low (Cheng et al., CVPR 2020, the authors' code).
    """

    xy_image: np.ndarray
    scores: np.ndarray
    person_scores: np.ndarray

    def __len__(self) -> int:
        return len(self.person_scores)

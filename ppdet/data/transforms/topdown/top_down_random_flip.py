"""Mirrors a person."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.flip_source import FlipSource
from ppdet.data.transforms.operations import mirror_person


@register
class TopDownRandomFlip:
    """Mirrors with probability `flip_prob` (in PaddleDetection it is the probability of *not* mirroring).

    Args:
        flip_perm: pairs of keypoints that trade places; default the skeleton's.
    """

    __shared__ = ["skeleton"]

    def __init__(self, flip_perm: Optional[Sequence[Sequence[int]]] = None, flip_prob: float = 0.5, skeleton: Any = None) -> None:
        self.source = FlipSource(type(self).__name__, flip_perm, skeleton)
        self.flip_prob = flip_prob

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        if rng.random() >= self.flip_prob:
            return sample
        return mirror_person(sample, self.source.permutation(len(sample.visible)))

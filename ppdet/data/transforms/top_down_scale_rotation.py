"""Scales and turns the crop."""

from __future__ import annotations

import numpy as np

from ppdet.core.registry import register
from ppdet.data.sample import PersonSample


@register
class TopDownGetRandomScaleRotation:
    """Size times clip(1 + scale_factor * normal, 1 -+ scale_factor); with probability `rot_prob` a turn of
    clip(rot_factor * normal, -2 rot_factor, 2 rot_factor) degrees."""

    def __init__(self, rot_factor: float = 40, scale_factor: float = 0.5, rot_prob: float = 0.6) -> None:
        self.rot_factor, self.scale_factor, self.rot_prob = rot_factor, scale_factor, rot_prob

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        factor = np.clip(1 + self.scale_factor * rng.standard_normal(), 1 - self.scale_factor, 1 + self.scale_factor)
        turn = np.clip(self.rot_factor * rng.standard_normal(), -2 * self.rot_factor, 2 * self.rot_factor)
        sample.size_wh = sample.size_wh * max(float(factor), 0.05)
        if rng.random() < self.rot_prob:
            sample.rotation += float(turn)
        return sample

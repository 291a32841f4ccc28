"""Scales and turns the crop."""

from __future__ import annotations

import numpy as np

from ppdet.core.registry import register
from ppdet.data.sample import PersonSample


@register
class TopDownGetRandomScaleRotation:
    """Size times clip(1 + scale_factor * normal, 1 -+ scale_factor); with probability `rot_prob` a turn of
    clip(rot * normal, -2 rot, 2 rot) degrees."""

    def __init__(self, rot: float = 40, scale: float = 0.5, rot_prob: float = 0.6) -> None:
        self.rot, self.scale, self.rot_prob = rot, scale, rot_prob

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        factor = np.clip(1 + self.scale * rng.standard_normal(), 1 - self.scale, 1 + self.scale)
        turn = np.clip(self.rot * rng.standard_normal(), -2 * self.rot, 2 * self.rot)
        sample.size_wh = sample.size_wh * max(float(factor), 0.05)
        if rng.random() < self.rot_prob:
            sample.rotation += float(turn)
        return sample

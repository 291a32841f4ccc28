"""Moves the crop."""

from __future__ import annotations

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.person import PersonSample


@register
class TopDownRandomShiftBboxCenter:
    """With probability `shift_prob`, moves the crop's centre by up to `shift_factor` of its size along each axis."""

    def __init__(self, shift_factor: float = 0.16, shift_prob: float = 0.3) -> None:
        self.shift_factor, self.shift_prob = shift_factor, shift_prob

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        if rng.random() < self.shift_prob:
            sample.center_xy = sample.center_xy + rng.uniform(-1, 1, 2) * self.shift_factor * sample.size_wh
        return sample

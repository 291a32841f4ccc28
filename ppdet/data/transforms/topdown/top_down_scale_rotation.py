"""Scales and turns the crop."""

from __future__ import annotations

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample

DISTRIBUTIONS = ("normal", "uniform")


@register
class TopDownGetRandomScaleRotation:
    """Scales the crop, and turns it with probability `rot_prob`.

    "normal" (HRNet's recipe): size times clip(1 + s * normal, 1 - s, 1 + s), clip(r * normal, -2 r, 2 r) degrees, with s
    the `scale_factor` and r the `rot_factor`. "uniform" (SimplePose's): size times a number in [1 - s, 1 + s], degrees in
    [-r, r].

    Raises:
        ConfigError: another distribution.
    """

    def __init__(
        self, rot_factor: float = 40, scale_factor: float = 0.5, rot_prob: float = 0.6, distribution: str = "normal"
    ) -> None:
        if distribution not in DISTRIBUTIONS:
            raise ConfigError(
                f"TopDownGetRandomScaleRotation: distribution is one of {', '.join(DISTRIBUTIONS)}; given {distribution!r}"
            )
        self.rot_factor, self.scale_factor, self.rot_prob, self.distribution = rot_factor, scale_factor, rot_prob, distribution

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        factor, turn = self.draw(rng)
        sample.size_wh = sample.size_wh * max(factor, 0.05)
        if rng.random() < self.rot_prob:
            sample.rotation += turn
        return sample

    def draw(self, rng: np.random.Generator) -> tuple[float, float]:
        """Cast the dice: factor on the size, degrees."""
        scale, turn = self.scale_factor, self.rot_factor
        if self.distribution == "uniform":
            return float(rng.uniform(1 - scale, 1 + scale)), float(rng.uniform(-turn, turn))
        factor = np.clip(1 + scale * rng.standard_normal(), 1 - scale, 1 + scale)
        return float(factor), float(np.clip(turn * rng.standard_normal(), -2 * turn, 2 * turn))

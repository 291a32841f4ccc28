"""Mirrors, moves, scales and turns a person's crop: the single steps of TinyPose's and SimplePose's recipes."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.operations import FlipSource, mirror_person

DISTRIBUTIONS = ("normal", "uniform")


@register
class TopDownRandomFlip:
    """Mirrors with probability `flip_prob` (in PaddleDetection it is the probability of *not* mirroring).

    Args:
        flip_perm: pairs of keypoints that swap; default the skeleton's.
    """

    __shared__ = ["skeleton"]

    def __init__(self, flip_perm: Optional[Sequence[Sequence[int]]] = None, flip_prob: float = 0.5, skeleton: Any = None) -> None:
        self.source = FlipSource(type(self).__name__, flip_perm, skeleton, needed=flip_prob > 0)
        self.flip_prob = flip_prob

    @property
    def mirrors(self) -> bool:
        """Whether any sample is mirrored."""
        return self.flip_prob > 0

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        if rng.random() >= self.flip_prob:
            return sample
        return mirror_person(sample, self.source.permutation(len(sample.visible)))


@register
class TopDownRandomShiftBboxCenter:
    """With probability `shift_prob`, moves the crop's centre by up to `shift_factor` of its size along each axis."""

    def __init__(self, shift_factor: float = 0.16, shift_prob: float = 0.3) -> None:
        self.shift_factor, self.shift_prob = shift_factor, shift_prob

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        if rng.random() < self.shift_prob:
            sample.center_xy = sample.center_xy + rng.uniform(-1, 1, 2) * self.shift_factor * sample.size_wh
        return sample


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
        """Sample the parameters: factor on the size, degrees."""
        scale, turn = self.scale_factor, self.rot_factor
        if self.distribution == "uniform":
            return float(rng.uniform(1 - scale, 1 + scale)), float(rng.uniform(-turn, turn))
        factor = np.clip(1 + scale * rng.standard_normal(), 1 - scale, 1 + scale)
        return float(factor), float(np.clip(turn * rng.standard_normal(), -2 * turn, 2 * turn))

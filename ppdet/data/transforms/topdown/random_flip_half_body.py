"""The geometric augmentation of HRNet's recipe (Sun et al., CVPR 2019). Legend: K keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Sequence

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.content_schema import list_of, summary, whole
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.operations import FlipSource, focus_on_keypoints, mirror_person


@dataclass(frozen=True)
class PersonJitter:
    """Sampled parameters for one person: keypoints to focus on (or None), factor on the size, degrees, mirrored."""

    focus: Optional[np.ndarray]
    scale: float
    rotation: float
    mirror: bool


@register
class RandomFlipHalfBodyTransform:
    """Half body, scale, rotation and flip, drawn in this order.

    Args:
        upper_body_ids: keypoints of the upper body; the others are the lower. Default: the skeleton's.
        flip_pairs: keypoints that swap in a mirror. Default: the skeleton's.
        scale: s in size * clip(1 + s * normal, 1 - s, 1 + s).
        rot: r in clip(r * normal, -2r, 2r) degrees.
        num_joints_half_body: persons with more visible keypoints than this may become half bodies.
        prob_half_body, rot_prob: probabilities.
        flip: mirror every second sample.
        trainsize, pixel_std: accepted; the sample's own size already has the input's aspect.

    Raises:
        ConfigError: `flip_pairs` do not fit the skeleton, or there are neither and `flip` is true; `scale` or `rot` is negative,
            or `upper_body_ids` are not the numbers of keypoints.
    """

    __shared__ = ["skeleton"]

    def __init__(
        self,
        trainsize: Optional[Sequence[int]] = None,
        upper_body_ids: Optional[Sequence[int]] = None,
        flip_pairs: Optional[Sequence[Sequence[int]]] = None,
        pixel_std: float = 200,
        scale: float = 0.35,
        rot: float = 40,
        num_joints_half_body: int = 8,
        prob_half_body: float = 0.3,
        flip: bool = True,
        rot_prob: float = 0.6,
        skeleton: Any = None,
    ) -> None:
        for name, value in (("scale", scale), ("rot", rot)):
            if not value >= 0:
                raise ConfigError(f"RandomFlipHalfBodyTransform: {name} is {value}; expected a number from 0 on, 0 for none")
        self.source = FlipSource(type(self).__name__, flip_pairs, skeleton, needed=bool(flip))
        if upper_body_ids is not None:
            last = None if self.source.skeleton is None else self.source.skeleton.num_keypoints - 1
            wrong = summary(list_of(whole(0, last))(upper_body_ids, "RandomFlipHalfBodyTransform.upper_body_ids"))
            if wrong:
                raise ConfigError(wrong)
        else:
            upper_body_ids = self.source.skeleton.upper_body_ids if self.source.skeleton is not None else ()
        self.upper_body_ids = np.asarray(list(upper_body_ids), np.int64)
        self.scale, self.rot, self.rot_prob, self.flip = scale, rot, rot_prob, flip
        self.num_joints_half_body, self.prob_half_body = num_joints_half_body, prob_half_body

    @property
    def mirrors(self) -> bool:
        """Whether any sample is mirrored."""
        return bool(self.flip)

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        return self.apply(sample, self.draw(sample, rng))

    def draw(self, sample: PersonSample, rng: np.random.Generator) -> PersonJitter:
        """Sample the parameters for one person."""
        focus = None
        if sample.visible.sum() > self.num_joints_half_body and rng.random() < self.prob_half_body:
            focus = self._half(sample.visible, prefer_upper=rng.standard_normal() < 0.5)
        factor = float(np.clip(1 + self.scale * rng.standard_normal(), 1 - self.scale, 1 + self.scale))
        turn = float(np.clip(self.rot * rng.standard_normal(), -2 * self.rot, 2 * self.rot))
        rotation = turn if rng.random() <= self.rot_prob else 0.0
        return PersonJitter(focus, max(factor, 0.05), rotation, bool(self.flip and rng.random() < 0.5))

    def apply(self, sample: PersonSample, jitter: PersonJitter) -> PersonSample:
        """Apply sampled parameters."""
        if jitter.focus is not None:
            focus_on_keypoints(sample, jitter.focus)
        sample.size_wh = sample.size_wh * jitter.scale
        sample.rotation += jitter.rotation
        return mirror_person(sample, self.source.permutation(len(sample.visible))) if jitter.mirror else sample

    def _half(self, visible: np.ndarray, prefer_upper: bool) -> Optional[np.ndarray]:
        """Visible keypoints of the chosen half, or of the other if it has too few; None below two keypoints."""
        is_upper = np.zeros(len(visible), bool)
        is_upper[self.upper_body_ids[self.upper_body_ids < len(visible)]] = True
        upper, lower = np.flatnonzero(is_upper & (visible > 0)), np.flatnonzero(~is_upper & (visible > 0))
        take_upper = (prefer_upper and len(upper) > 2) or len(lower) <= 2
        chosen = upper if take_upper else lower
        return chosen if len(chosen) >= 2 else None

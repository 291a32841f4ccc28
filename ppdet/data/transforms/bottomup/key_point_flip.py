"""Mirrors a whole image with all its people. Legend: P people, K keypoints."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.bottom_up import BottomUpSample
from ppdet.data.transforms.bottomup.codec_check import bottom_up_codec
from ppdet.data.transforms.operations import FlipSource


@register
class KeyPointFlip:
    """Mirrors image, masks and people with probability `flip_prob`; belongs after RandomAffine.

    A keypoint moves with its pixel, x to W - 1 - x. With the codec's `paddledet_exact` it goes to W - x, one pixel off, as in
    PaddleDetection.

    Args:
        flip_permutation: keypoint that each one becomes, K numbers, or pairs that swap; default the skeleton's.
        hmsize: sizes of the heatmaps, checked against the codec.
        flip_prob: probability.

    Raises:
        ConfigError: the permutation is not the skeleton's, or no mirror's; there is neither permutation nor
            skeleton; sizes are not the codec's.
    """

    __shared__ = ["codec", "skeleton"]

    def __init__(
        self,
        flip_permutation: Optional[Sequence[Any]] = None,
        hmsize: Any = None,
        flip_prob: float = 0.5,
        codec: Any = None,
        skeleton: Any = None,
    ) -> None:
        self.flip_prob = float(flip_prob)
        self.codec = bottom_up_codec("KeyPointFlip", codec, None, hmsize)
        self.source = FlipSource("KeyPointFlip", _pairs(flip_permutation), skeleton, needed=self.flip_prob > 0)

    @property
    def mirrors(self) -> bool:
        """Whether any image is mirrored."""
        return self.flip_prob > 0

    def __call__(self, sample: BottomUpSample, rng: np.random.Generator) -> BottomUpSample:
        return self.flip(sample) if rng.random() < self.flip_prob else sample

    def flip(self, sample: BottomUpSample) -> BottomUpSample:
        """Mirror; twice is no change. In place."""
        assert sample.image is not None and sample.xy_input is not None, "KeyPointFlip belongs after RandomAffine"
        width = sample.image.shape[1]
        order = self.source.permutation(sample.visible.shape[1])
        sample.image = cv2.flip(sample.image, 1)
        sample.masks = [np.ascontiguousarray(mask[:, ::-1]) for mask in sample.masks]
        sample.xy_image = sample.xy_image[:, order]
        sample.visible = sample.visible[:, order]
        sample.xy_input = sample.xy_input[:, order]
        sample.xy_input[..., 0] = width - sample.xy_input[..., 0] - (0 if self.codec.paddledet_exact else 1)
        return sample


def _pairs(permutation: Optional[Sequence[Any]]) -> Optional[List[List[int]]]:
    """Pairs of keypoints from K numbers, or pairs as they are.

    Raises:
        ConfigError: no permutation that undoes itself.
    """
    if permutation is None or not all(isinstance(entry, int) for entry in permutation):
        return None if permutation is None else [list(pair) for pair in permutation]
    order = [int(entry) for entry in permutation]
    if sorted(order) != list(range(len(order))) or any(order[other] != i for i, other in enumerate(order)):
        raise ConfigError(
            f"KeyPointFlip: flip_permutation must name for each keypoint the one it becomes in a mirror, and back; given {order}"
        )
    return [[i, other] for i, other in enumerate(order) if i < other]

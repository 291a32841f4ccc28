"""Turns by 90, 180 or 270 degrees, as plates and films come out of a scanner."""

from __future__ import annotations

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample
from ppdet.geometry.crop import fit_aspect


@register
class TopDownRandomQuarterTurn:
    """Turns the content clockwise by one, two or three quarters; belongs before TopDownAffine.

    The turn is part of the one warp of the crop, so keypoints and pixels move by the same matrix, and pixels are sampled once. A
    crop that is not square is enlarged so that its turned content fits.

    Args:
        prob: probability that a sample is turned.

    Raises:
        ConfigError: `prob` is no probability.
    """

    def __init__(self, prob: float = 0.1) -> None:
        if not 0 <= prob <= 1:
            raise ConfigError(f"TopDownRandomQuarterTurn: prob is a probability from 0 to 1; given {prob}")
        self.prob = float(prob)

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        return quarter_turn(sample, int(rng.integers(1, 4))) if rng.random() < self.prob else sample


def quarter_turn(sample: PersonSample, quarters: int) -> PersonSample:
    """Turn the crop's content clockwise by quarters. In place."""
    sample.rotation += 90.0 * quarters
    if quarters % 2:
        width, height = (float(side) for side in sample.size_wh)
        sample.size_wh = fit_aspect(np.array([[height, width]]), (width, height))[0]  # type: ignore[arg-type]
    return sample

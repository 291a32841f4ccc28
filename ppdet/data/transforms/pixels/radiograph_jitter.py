"""Photometric augmentation of radiographs: exposure, contrast, gamma, inversion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample


@dataclass(frozen=True)
class RadiographShift:
    """Sampled parameters: factor on all values, factor around the middle grey, exponent, whether black and white swap."""

    exposure: float
    contrast: float
    gamma: float
    inverted: bool


@register
class RadiographJitter:
    """What differs between devices and their processing: exposure, contrast, gamma, and whether bones are white or black.

    Each factor is log-uniform, so that darker and brighter are equally likely. Put it after TopDownAffine: it then works on the
    small crop instead of the whole image.

    Args:
        exposure, contrast, gamma: x gives a factor, or an exponent, in [1 / (1 + x), 1 + x].
        prob: probability that a sample is touched.
        invert_prob: probability that black and white swap. DICOM files say which is which and are read with white bones.

    Raises:
        ConfigError: a negative range, or a probability outside 0 to 1.
    """

    def __init__(
        self, exposure: float = 0.3, contrast: float = 0.3, gamma: float = 0.3, prob: float = 0.8, invert_prob: float = 0.0
    ) -> None:
        for name, value in (("exposure", exposure), ("contrast", contrast), ("gamma", gamma)):
            if not value >= 0:
                raise ConfigError(f"RadiographJitter: {name} is 0 or more, such as 0.3; given {value}")
        for name, value in (("prob", prob), ("invert_prob", invert_prob)):
            if not 0 <= value <= 1:
                raise ConfigError(f"RadiographJitter: {name} is a probability from 0 to 1; given {value}")
        self.exposure, self.contrast, self.gamma = float(exposure), float(contrast), float(gamma)
        self.prob, self.invert_prob = float(prob), float(invert_prob)

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        shift = self.draw(rng)
        if shift != RadiographShift(1.0, 1.0, 1.0, False):
            assert sample.image is not None, "RadiographJitter needs the image: put Decode or TopDownAffine before it"
            sample.image = shift_radiograph(sample.image, shift)
        return sample

    def draw(self, rng: np.random.Generator) -> RadiographShift:
        """Sample the parameters."""
        factors = [float((1 + x) ** rng.uniform(-1, 1)) for x in (self.exposure, self.contrast, self.gamma)]
        exposure, contrast, gamma = factors if rng.random() < self.prob else (1.0, 1.0, 1.0)
        return RadiographShift(exposure, contrast, gamma, bool(rng.random() < self.invert_prob))


def shift_radiograph(image: np.ndarray, shift: RadiographShift) -> np.ndarray:
    """A new (H, W, C) uint8 image: x / 255 to the power gamma, times exposure, stretched around 1/2, inverted, clipped."""
    levels = (np.arange(256) / 255) ** shift.gamma * shift.exposure
    levels = np.clip((levels - 0.5) * shift.contrast + 0.5, 0, 1)
    table = np.rint(255 * (1 - levels if shift.inverted else levels)).astype(np.uint8)
    return table[image]

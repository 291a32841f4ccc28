"""How much speed is worth how much accuracy, in one word."""
from __future__ import annotations

from dataclasses import dataclass

from ppdet.core.errors import ConfigError
from ppdet.inference.redetection.schedule import ADAPTIVE, Interval


@dataclass(frozen=True)
class Preset:
    """Settings that a preset stands for.

    Attributes:
        flip_test: average with the mirrored crop, where the model can.
        det_interval: of videos, where there is a detector.
        interpolates: of video files with such an interval: estimate poses in every second frame, see `EveryOtherFrame`.
        help: what it means for a user.
    """

    flip_test: bool
    det_interval: Interval
    interpolates: bool
    help: str


BALANCED = "balanced"
PRESETS = {
    "accurate": Preset(True, 1, False, "with the mirrored crop as well, about one AP better and half as fast"),
    BALANCED: Preset(False, 1, False, "every frame in full"),
    "fast": Preset(False, ADAPTIVE, True, "videos: the detector looks only when it must, and poses in every second frame of a "
                                          "file are interpolated unless people move fast"),
}


def preset_of(name: str) -> Preset:
    """The settings of a preset.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in PRESETS:
        raise ConfigError(f"preset {name!r} is unknown: give one of {', '.join(PRESETS)}")
    return PRESETS[name]

"""Tells radiographs from other images, and chooses their augmentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Optional, Sequence

import cv2
import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.data.coco.persons import IMAGE
from ppdet.data.planning.choice import Choice
from ppdet.image.io import max_image_pixels, read_image_header

PRESETS = ("auto", "xray", "photo")
SAMPLED = 12
QUARTER_TURNED = 45.0
"""Objects turned by at least this many degrees count as turned by a quarter or more."""
RARE_TURNS, FREQUENT_TURNS = 0.1, 0.5
INVERTED = 0.1
DEEP_FORMATS = ("PNG", "TIFF", "PNM", "JPEG 2000")
"""Formats of `ImageHeader` that may hold 16 bits."""


def check_preset(preset: str) -> None:
    """Raise ConfigError for an unknown preset."""
    if preset not in PRESETS:
        raise ConfigError(f"--preset {preset}: give one of {', '.join(PRESETS)}")


def plan_radiographs(preset: str, folder: Path, names: Sequence[str]) -> Choice[bool]:
    """Whether the images are treated as radiographs.

    Args:
        preset: "xray", "photo", or "auto" to look at some of the files: DICOM, or one channel of 16 bits.
        folder: of the images.
        names: files in it.

    Raises:
        ConfigError: another preset, or DICOM files and pydicom is not installed.
    """
    check_preset(preset)
    if preset != "auto":
        return Choice(preset == "xray", f"--preset {preset}")
    chosen = np.linspace(0, len(names) - 1, min(SAMPLED, len(names))).astype(int)
    kinds = [kind for kind in (_kind(folder / names[row]) for row in chosen.tolist()) if kind is not None]
    deep = [kind for kind in kinds if kind]
    if deep and 2 * len(deep) > len(kinds):
        what = " or ".join(sorted(set(deep)))
        return Choice(True, f"{len(deep)} of {len(kinds)} sampled images are {what}, so they are treated as radiographs "
                            "(--preset photo if they are not)")  # fmt: skip
    return Choice(False, "neither DICOM nor 16-bit grey, so not treated as radiographs (--preset xray if they are)")


def radiograph_box(box: Choice[str], counts: np.ndarray) -> Choice[str]:
    """Whole images, if each has one object: a radiograph shows one hand or foot.

    Args:
        box: what was chosen without knowing that.
        counts: objects per image.
    """
    if box.value == IMAGE or (counts != 1).any():
        return box
    return Choice(IMAGE, "each radiograph shows one object: the whole image serves as its box, and no detector is needed")


def plan_quarter_turns(turns: np.ndarray) -> Choice[float]:
    """How often a training image is turned by a quarter, half or three quarters.

    Args:
        turns: degrees between the orientation of each object and the mean.
    """
    share = float((np.abs(turns) >= QUARTER_TURNED).mean()) if len(turns) else 0.0
    if share >= 0.05:
        return Choice(FREQUENT_TURNS, f"{share:.0%} of the objects are turned by {QUARTER_TURNED:.0f} degrees or more")
    return Choice(RARE_TURNS, "rare, since all objects have about the same orientation; 0.5 for films scanned in any orientation")


def radiograph_steps(quarter_turns: float) -> List[Any]:
    """Transforms of the crop's place and pixels, around `TopDownAffine`, as entries of `sample_transforms`."""
    return [
        {"TopDownRandomQuarterTurn": {"prob": quarter_turns}},
        {"TopDownAffine": {}},
        {"CollimationBorder": {"depth": 0.2, "tilt": 5.0, "prob": 0.3}},
        {"RadiographJitter": {"exposure": 0.3, "contrast": 0.3, "gamma": 0.4, "prob": 0.8, "invert_prob": INVERTED}},
    ]


def _kind(path: Path) -> Optional[str]:
    """The sign of a radiograph, empty if there is none; None if the file cannot be read."""
    try:
        header = read_image_header(path)
    except OSError:
        return None
    if header is None:
        return None
    if header.format == "DICOM":
        return "DICOM"
    if header.format not in DEEP_FORMATS or header.wh[0] * header.wh[1] > max_image_pixels():
        return ""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return "16-bit grey" if pixels is not None and pixels.ndim == 2 and pixels.dtype == np.uint16 else ""

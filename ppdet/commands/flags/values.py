"""Values of flags: truth values in any spelling, numbers of cameras, scores and counts.

Nothing heavy is imported here, so that `--help` is quick.
"""

from __future__ import annotations

import argparse

from ppdet.core.errors import ConfigError
from ppdet.inference.files.source_names import NO_CAMERA
from ppdet.inference.files.source_names import camera_number as camera_of_text
from ppdet.inference.redetection.schedule import ADAPTIVE

TRUE_WORDS = ("true", "1", "yes", "on", "y", "t")
FALSE_WORDS = ("false", "0", "no", "off", "n", "f")
SCORES = ("threshold", "det_threshold", "keypoint_threshold", "save_threshold", "person_threshold", "draw_threshold",
          "mot_threshold", "bbox_threshold")
SMOOTHING_FILTERS = ("OneEuro", "EMA", "savgol", "butterworth")
"""Filters of keypoints over time: frame by frame, and of a whole recorded video."""
COUNTS = ("batch_size", "keypoint_batch_size", "cpu_threads")


def truth_value(text: str) -> bool:
    """True or false in any common spelling, in upper or lower case.

    Raises:
        argparse.ArgumentTypeError: none of them.
    """
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false: give one of {', '.join(TRUE_WORDS + FALSE_WORDS)}")


def smoothing_value(text: str) -> bool | str:
    """The value of `--smooth`: true, false, or the filter itself.

    Raises:
        argparse.ArgumentTypeError: none of them.
    """
    for name in SMOOTHING_FILTERS:
        if text.strip().lower() == name.lower():
            return name
    try:
        return truth_value(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a filter: give one of {', '.join(SMOOTHING_FILTERS)}, or true or "
                                         "false for --filter_type") from error


def interval_value(text: str) -> int | str:
    """The value of `--det_interval`: a number of frames from 1 on, or "adaptive".

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    word = text.strip().lower()
    if word == ADAPTIVE:
        return ADAPTIVE
    if word.isdecimal() and int(word) >= 1:
        return int(word)
    raise argparse.ArgumentTypeError(f"{text!r} is not an interval: give 1 for the detector on every frame, a number of frames, "
                                     f"or {ADAPTIVE}")


def camera_number(text: str) -> int:
    """The number of a camera: "0", or "/dev/video0".

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    number = camera_of_text(text.strip())
    if number is not None:
        return number
    if text.strip() == str(NO_CAMERA):
        return NO_CAMERA
    raise argparse.ArgumentTypeError(f"{text!r} is not a camera: give its number, 0 for the first, or /dev/video0; the URL of a "
                                     "stream is a --video_file")


def add_switch(
    group: argparse._ActionsContainer, name: str, text: str, default: bool | None = False, short: str | None = None
) -> None:
    """Add a flag that may stand alone (`--flag`) or carry a value (`--flag True`, `--flag=0`)."""
    names = [name] if short is None else [short, name]
    group.add_argument(*names, type=truth_value, nargs="?", const=True, default=default, metavar="BOOL", help=text)


def check_numbers(args: argparse.Namespace) -> None:
    """Check that thresholds are scores and counts at least 1.

    Raises:
        ConfigError: names the flag, its value, and the allowed range.
    """
    for name in COUNTS:
        if getattr(args, name, 1) < 1:
            raise ConfigError(f"--{name} is {getattr(args, name)}: give 1 or more")
    for name in SCORES:
        if not 0 <= getattr(args, name, 0.5) <= 1:
            raise ConfigError(f"--{name} is {getattr(args, name)}: scores lie between 0 and 1, so give a number from 0 to 1")

"""Cameras by number or device file. Imports nothing heavy: command lines use it while they read their flags."""
from __future__ import annotations

import os
import re
from typing import Union

NO_CAMERA = -1


def camera_number(source: object) -> Union[int, None]:
    """The number of the camera that a text names, or None if it names none.

    Args:
        source: "0", "/dev/video0", or a link to such a device file, as those in /dev/v4l/by-id.
    """
    text = str(source)
    if re.fullmatch(r"\d{1,3}", text) and not os.path.exists(text):
        return int(text)
    device = re.fullmatch(r"/dev/video(\d{1,3})", os.path.realpath(text) if text.startswith("/dev/") else "")
    return int(device.group(1)) if device else None


def camera_flag(text: str) -> int:
    """The value of `--camera_id`: a number, -1 for none, or a device file.

    Raises:
        ValueError: it is neither; argparse turns this into a message that names the flag.
    """
    number = camera_number(text)
    return int(text) if number is None else number


camera_flag.__name__ = "camera number or /dev/video file"  # what argparse calls it in its message

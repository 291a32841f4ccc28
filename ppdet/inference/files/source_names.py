"""Recognises sources by their names: suffixes of videos, cameras. Imports nothing heavy, since command lines use it while parsing
their flags.
"""

from __future__ import annotations

import os
import re
from typing import Union

NO_CAMERA = -1


def camera_number(source: object) -> Union[int, None]:
    """The number of the camera that a text refers to, or None.

    Args:
        source: "0", "/dev/video0", or a link to such a device file, as those in /dev/v4l/by-id.
    """
    text = str(source)
    if re.fullmatch(r"\d{1,3}", text) and not os.path.exists(text):
        return int(text)
    device = re.fullmatch(r"/dev/video(\d{1,3})", os.path.realpath(text) if text.startswith("/dev/") else "")
    return int(device.group(1)) if device else None


VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".flv", ".wmv", ".ts", ".mts", ".3gp", ".ogv")
# Text files that refer to videos.
PLAYLIST_SUFFIXES = (".m3u8", ".m3u", ".mpd", ".sdp")

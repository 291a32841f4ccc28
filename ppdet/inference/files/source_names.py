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


VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".mpe", ".m2v", ".flv", ".f4v", ".wmv",
                  ".asf", ".ts", ".mts", ".m2ts", ".vob", ".3gp", ".3g2", ".ogv", ".ogm", ".mxf", ".divx", ".rm", ".rmvb", ".dv",
                  ".y4m", ".h264", ".h265", ".hevc", ".mjpeg", ".mjpg", ".insv", ".braw", ".r3d")  # fmt: skip
"""What is meant as a video; whether this OpenCV reads it shows when it is opened (.braw it does not)."""
# Text files that refer to videos.
PLAYLIST_SUFFIXES = (".m3u8", ".m3u", ".mpd", ".sdp")

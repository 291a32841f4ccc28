"""File suffixes of videos."""
from __future__ import annotations

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".mpe", ".m2v", ".flv", ".f4v", ".wmv",
                  ".asf", ".ts", ".mts", ".m2ts", ".vob", ".3gp", ".3g2", ".ogv", ".ogm", ".mxf", ".divx", ".rm", ".rmvb", ".dv",
                  ".y4m", ".h264", ".h265", ".hevc", ".insv", ".braw", ".r3d")  # fmt: skip
"""What is meant as a video; whether this OpenCV reads it shows when it is opened (.braw it does not)."""
# Text files that refer to videos.
PLAYLIST_SUFFIXES = (".m3u8", ".m3u", ".mpd", ".sdp")

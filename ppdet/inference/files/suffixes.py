"""File suffixes of videos."""
from __future__ import annotations

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".flv", ".wmv", ".ts", ".mts", ".3gp", ".ogv")
# Text files that refer to videos.
PLAYLIST_SUFFIXES = (".m3u8", ".m3u", ".mpd", ".sdp")

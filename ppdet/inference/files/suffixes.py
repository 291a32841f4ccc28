"""File names that tell what is no image of ours."""
from __future__ import annotations

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".flv", ".wmv", ".ts", ".mts", ".3gp", ".ogv")
# Text files that do lead to videos.
PLAYLIST_SUFFIXES = (".m3u8", ".m3u", ".mpd", ".sdp")
# Images that are not read here; whoever has them in a folder expects a result for them.
OTHER_IMAGE_SUFFIXES = (
    ".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".gif", ".apng", ".dcm", ".dicom", ".nii", ".mha", ".psd", ".svg", ".ico",
    ".tga", ".exr", ".hdr", ".ppm", ".pgm", ".pbm", ".pnm", ".mpo", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2",
    ".raf", ".jfif", ".jpe", ".dib", ".jls", ".eps", ".pdf",
)  # fmt: skip
# (offset, first bytes) of images in files whose name does not tell: DICOM, JPEG, PNG, HEIF and its kin.
MAGIC = ((128, b"DICM"), (0, b"\xff\xd8\xff"), (0, b"\x89PNG"), (4, b"ftyphei"), (4, b"ftypavif"), (4, b"ftypmif1"))

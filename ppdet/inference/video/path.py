"""Rejects paths that cannot be videos, before opening them."""
from __future__ import annotations

from pathlib import Path

from ppdet.core.errors import MediaError
from ppdet.image.io import IMAGE_SUFFIXES, is_image_file
from ppdet.inference.files.source_names import PLAYLIST_SUFFIXES
from ppdet.inference.files.urls import is_url, without_secrets

SNIFFED_BYTES = 2048


def check_video_path(source: str | Path) -> None:
    """Reject paths that cannot be videos. FFmpeg would render a text file as a video of its characters, and an image as one
    frame.

    Args:
        source: path; a URL is not checked.

    Raises:
        MediaError: the file is missing, empty, an image, or text.
    """
    if is_url(source):
        return
    path = Path(source)
    if path.is_dir():
        raise MediaError(f"{path} is a folder, not a video: give it as --image_dir")
    if not path.is_file():
        raise MediaError(f"there is no video {without_secrets(path)}: check the path (--video_file)")
    if is_image_file(path):
        raise MediaError(f"{path} is an image, not a video: give it as --image_file")
    if path.stat().st_size == 0:
        raise MediaError(f"{path} is empty (0 bytes): copy the video again")
    if path.suffix.lower() not in PLAYLIST_SUFFIXES and _is_text(path):
        raise MediaError(f"{path} is text, neither an image ({', '.join(IMAGE_SUFFIXES)}) nor a video: give one of these")


def _is_text(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(SNIFFED_BYTES)
    try:
        text = start[: -3 or None].decode("utf-8") if len(start) == SNIFFED_BYTES else start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(start) - 8  # only an incomplete character at the end
    return all(character.isprintable() or character in "\t\r\n\f" for character in text)

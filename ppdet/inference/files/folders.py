"""Folders of images: what is read, and what is left out, by name and number."""
from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from ppdet.core.errors import MediaError
from ppdet.core.logger import get_logger
from ppdet.image.io import IMAGE_SUFFIXES
from ppdet.inference.files.suffixes import MAGIC, OTHER_IMAGE_SUFFIXES, VIDEO_SUFFIXES

MOST_NAMES = 5


@dataclass(frozen=True)
class ImageFolder:
    """The files of a folder, sorted by name; hidden files and sub-folders do not count.

    Attributes:
        path: the folder.
        images: files that are read, by their suffix.
        unread: images and videos that are not read here (HEIC, GIF, DICOM, ...).
        others: files that are no images.
    """

    path: Path
    images: list[Path]
    unread: list[Path]
    others: list[Path]

    def log_left_out(self) -> None:
        """Log what is left out: names and numbers."""
        log = get_logger(__name__)
        if self.unread:
            kinds = Counter(file.suffix.lower() or "without suffix" for file in self.unread)
            log.error("%s: %d files are of kinds that are not read here and were left out (%s): %s; convert images to JPEG or PNG, "
                      "and give a video as a video", self.path, len(self.unread),
                      ", ".join(f"{count} {kind}" for kind, count in kinds.items()), names_of(self.unread))
        if self.others:
            log.warning("%s: %d files that are no images were left out: %s", self.path, len(self.others), names_of(self.others))


def image_folder(path: Union[str, os.PathLike[str]]) -> ImageFolder:
    """Look over a folder, not over its sub-folders.

    Raises:
        MediaError: no such folder, or no image in it; the message names what is there instead.
    """
    root = Path(path)
    if not root.is_dir():
        raise MediaError(f"{root} is not a folder; give a folder that holds images")
    try:
        entries = sorted(entry for entry in root.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise MediaError(f"cannot list the folder {root}: {error.strerror or error}") from error
    files = [entry for entry in entries if not entry.is_dir()]
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    unread = [file for file in files if file.suffix.lower() not in IMAGE_SUFFIXES and _is_picture(file)]
    others = [file for file in files if file not in set(images) | set(unread)]
    if images:
        return ImageFolder(root, images, unread, others)
    below = [entry for entry in entries if entry.is_dir()]
    if unread:
        found = f"it holds {len(unread)} files of kinds that are not read here ({names_of(unread)}): convert them to JPEG or PNG"
    elif below:
        found = f"it has sub-folders ({names_of(below)}), which are not searched: give one of these"
    else:
        found = f"it holds {names_of(others)}" if others else "it is empty"
    raise MediaError(f"no image in {root} (looked for {', '.join(IMAGE_SUFFIXES)}); {found}")


def _is_picture(file: Path) -> bool:
    """Whether a file is an image or video by its suffix, or an image by its first bytes."""
    if file.suffix.lower() in OTHER_IMAGE_SUFFIXES + VIDEO_SUFFIXES:
        return True
    try:
        if not file.is_file():  # a pipe or a device would wait for ever
            return False
        with file.open("rb") as stream:
            start = stream.read(136)
    except OSError:
        return False
    return any(start[offset : offset + len(magic)] == magic for offset, magic in MAGIC)


def names_of(paths: list[Path], most: int = MOST_NAMES) -> str:
    """Names of files in a message; a long list ends in dots."""
    return ", ".join([path.name for path in paths[:most]] + (["..."] if len(paths) > most else []))

"""Finds the image that a labelling tool means among the files of a folder.

Tools write names with folders of another machine, Windows separators, URL encoding, or a prefix of their own.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple
from urllib.parse import unquote

from ppdet.annotations.annotated_object import SIZE_TOLERANCE
from ppdet.annotations.values import is_number
from ppdet.core.errors import DataError
from ppdet.image.header import ImageHeader
from ppdet.image.io import is_image_file, read_image_header

_UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")  # Label Studio's


class ImageIndex:
    """The images below a folder.

    Args:
        root: the folder.

    Raises:
        DataError: there is no such folder.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise DataError(f"--images {root} is no folder; give the folder that holds the annotated images")
        self.root = root
        self.names: List[str] = []
        for folder, folders, files in os.walk(root, followlinks=True):
            folders.sort()
            inside = Path(folder).relative_to(root)
            self.names += [(inside / name).as_posix() for name in sorted(files) if is_image_file(Path(folder, name))]
        self._exact = set(self.names)
        self._by_base: Dict[str, List[str]] = defaultdict(list)
        for name in self.names:
            self._by_base[name.rsplit("/", 1)[-1].lower()].append(name)

    def find(self, name: str) -> Optional[str]:
        """The file below the folder, relative to it, that a tool calls `name`; None if there is none, or several fit.

        An exact name comes first, then the file that shares most of the path's end.
        """
        for candidate in _spellings(name):
            if candidate in self._exact:
                return candidate
        for candidate in _spellings(name):
            parts = candidate.lower().split("/")
            found = self._by_base.get(parts[-1], [])
            if len(found) == 1:
                return found[0]
            if found:
                ranked = sorted(((_shared_end(parts, other), other) for other in found), reverse=True)
                return ranked[0][1] if ranked[0][0] > ranked[1][0] else None
        return None

    def header(self, name: str) -> Optional[ImageHeader]:
        """Size and orientation of a file, by its header; None if it cannot be read."""
        try:
            return read_image_header(self.root / name)
        except OSError:
            return None

    def size(self, name: str, turned: bool = False) -> Optional[Tuple[int, int]]:
        """(width, height) as stored, or as its EXIF orientation turns it; None if the header cannot be read."""
        header = self.header(name)
        return None if header is None else header.turned_wh if turned else header.wh


    def other_size(self, name: str, stated: Sequence[Any]) -> Optional[str]:
        """The stated and the true size as text if labels made for an image of the stated (width, height) do not fit the file,
        stored or turned; None if they do, or if no size is stated."""
        header = self.header(name)
        if header is None or not all(is_number(side) and side > 0 for side in stated):
            return None
        if any(max(abs(a - b) for a, b in zip(stated, wh)) <= SIZE_TOLERANCE for wh in (header.wh, header.turned_wh)):
            return None
        return f"{stated[0]:g}x{stated[1]:g} stated, {header.wh[0]}x{header.wh[1]} found"


def _spellings(name: str) -> List[str]:
    plain = re.sub(r"^(\./)+", "", name.replace("\\", "/"))
    if "://" in plain and "?d=" not in plain:
        plain = re.split(r"[?#]", plain, maxsplit=1)[0]  # signed addresses of cloud storage
    decoded = unquote(plain.split("?d=", 1)[-1])
    names = [plain, decoded]
    folder, _, base = decoded.rpartition("/")
    if _UPLOAD_PREFIX.match(base):
        names.append(f"{folder}/{base[9:]}" if folder else base[9:])
    return list(dict.fromkeys(names))


def _shared_end(parts: List[str], other: str) -> int:
    count = 0
    for one, two in zip(reversed(parts), reversed(other.lower().split("/"))):
        if one != two:
            break
        count += 1
    return count

"""Which files a batch works on, and how their results are called."""
from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ppdet.core.errors import ConfigError, MediaError
from ppdet.image.foreign import FOREIGN_SUFFIXES
from ppdet.image.io import IMAGE_SUFFIXES, is_image_file
from ppdet.inference.files.source_names import VIDEO_SUFFIXES
from ppdet.inference.files.urls import is_url

LIST_SUFFIXES = (".txt", ".lst", ".list")
_VIDEOS, _IMAGES = (*VIDEO_SUFFIXES, ".gif"), (*IMAGE_SUFFIXES, *FOREIGN_SUFFIXES)
MEDIA = {"videos": _VIDEOS, "images": _IMAGES, "all": (*_VIDEOS, *_IMAGES)}
"""Which files of a folder count, by the value of `--media`. Formats that cannot be read (HEIC, raw photos) are among them, so
that such a file is a failure with a reason and is not passed over; a GIF is both, and is played as a video."""
NO_SUFFIX = "without suffix"


@dataclass(frozen=True)
class BatchInput:
    """A file to work on.

    Attributes:
        source: its path.
        name: relative path of its result, without the suffix of the format.
    """

    source: str
    name: str


@dataclass
class BatchInputs:
    """The files of a batch.

    Attributes:
        files: in the order of their names.
        skipped: number of files that are none of these, by suffix.
    """

    files: list[BatchInput] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def find_inputs(sources: Sequence[str], media: str = "videos", exclude: str | Path | None = None) -> BatchInputs:
    """The files that folders, lists and patterns name.

    Of folders, with all folders below, and of patterns those with a suffix of `media` count, readable or not, and hidden files
    do not; the lines of a list (.txt) and single files count whatever their suffix. A result is called like its input: below a
    folder or the fixed part of a pattern by the path from there, from a list by the path from its folder.

    Args:
        sources: folders, text files with one path per line (relative to the file; lines that start with # are comments), patterns
            such as "videos/**/*.mp4", or single files.
        media: "videos", "images" or "all".
        exclude: a folder to leave out: that of the results.

    Raises:
        MediaError: a source that does not exist, or a list that cannot be read.
        ConfigError: no file at all, or two files whose results would have the same name.
    """
    found: dict[str, BatchInput] = {}
    skipped: Counter[str] = Counter()
    for source in sources:
        for path, name in _of_source(source, MEDIA[media], skipped, None if exclude is None else os.path.abspath(exclude)):
            found.setdefault(os.path.abspath(path), BatchInput(path, name))
    if not found:
        others = ", ".join(f"{count} {suffix}" for suffix, count in skipped.most_common(5))
        raise ConfigError(f"there are no {'files' if media == 'all' else media} in {', '.join(sources)}" +
                          (f", only other files ({others})" if others else "") + "; --media says which files count")
    files = sorted(found.values(), key=lambda each: each.name)
    for first, second in zip(files, files[1:]):
        if first.name == second.name:
            raise ConfigError(f"{first.source} and {second.source} would have the same result {first.name}: run them into two "
                              "folders")
    return BatchInputs(files, skipped)


def _of_source(
    source: str, suffixes: Sequence[str], skipped: Counter[str], exclude: str | None
) -> Iterator[tuple[str, str]]:
    if os.path.isdir(source):
        yield from _chosen(_walk(source, exclude), source, suffixes, skipped)
    elif os.path.isfile(source):
        is_list = source.lower().endswith(LIST_SUFFIXES)
        yield from _of_list(source) if is_list else [(source, os.path.basename(source))]
    elif glob.has_magic(source):
        paths = (path for path in glob.iglob(source, recursive=True) if os.path.isfile(path))
        yield from _chosen(paths, _fixed_part(source), suffixes, skipped)
    else:
        raise MediaError(f"there is no file or folder {source}: give a folder, a list (.txt) of paths, or a pattern in quotes "
                         "such as 'videos/**/*.mp4'")


def _walk(folder: str, exclude: str | None) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders
                      if not each.startswith(".") and os.path.abspath(os.path.join(place, each)) != exclude]  # fmt: skip
        yield from (os.path.join(place, name) for name in names)


def _chosen(
    paths: Iterator[str], base: str, suffixes: Sequence[str], skipped: Counter[str]
) -> Iterator[tuple[str, str]]:
    for path in paths:
        suffix = os.path.splitext(path)[1].lower()
        is_wanted = suffix in suffixes or (IMAGE_SUFFIXES[0] in suffixes and is_image_file(path))
        if is_wanted and not os.path.basename(path).startswith("."):
            yield path, os.path.relpath(path, base)
        else:
            skipped[suffix or NO_SUFFIX] += 1


def _fixed_part(pattern: str) -> str:
    """The folder that all matches of a pattern are in."""
    parts = Path(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    return str(Path(*parts[:fixed])) if fixed else "."


def _of_list(source: str) -> Iterator[tuple[str, str]]:
    folder = os.path.dirname(source)
    try:
        lines = Path(source).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MediaError(f"cannot read the list {source}: {getattr(error, 'strerror', None) or error}") from error
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith("#"):
            continue
        if is_url(line):
            raise MediaError(f"{source}, line {number} is a URL, and a batch works on files, which a later run finds unchanged: "
                             "download it, or run it by `ppdet pose`")
        path = os.path.join(folder or os.curdir, line)
        name = os.path.relpath(path, folder or ".")
        if name.startswith(os.pardir):
            name = os.path.abspath(path).lstrip(os.sep).replace(":", "")
        yield path, name

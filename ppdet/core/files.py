"""Read only regular files, and write a file as a whole or not at all: a killed process never leaves half a checkpoint."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Optional, Union

from ppdet.core.errors import ConfigError

PathLike = Union[str, "os.PathLike[str]"]
DIGEST_BLOCK = 1 << 20
TEMPORARY_NAME = re.compile(r"\..*\.(?P<process>\d+)-[0-9a-f]{8}\.tmp(\..*)?")
"""Names of `temporary_beside`."""
FILE_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device file"),
    (stat.S_ISBLK, "a device file"),
    (stat.S_ISSOCK, "a socket"),
)


def read_regular_file(path: PathLike, max_bytes: int) -> bytes:
    """The content of a regular file. Never waits on a named pipe and never reads a device without end.

    Args:
        path: the file.
        max_bytes: the largest size that is read.

    Raises:
        OSError: the file is missing or unreadable, is not a regular file, or is larger than `max_bytes`; `strerror` says which.
            A path that no file can have (a NUL byte, a lone surrogate) counts as missing.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
    try:
        kind = _kind_of_special_file(os.stat(path).st_mode)  # before opening: to open a device may already have an effect
        if kind:
            raise OSError(0, f"it is {kind}, not a regular file", os.fspath(path))
        descriptor = os.open(path, flags)
    except ValueError as error:
        raise OSError(0, f"no file can have this name ({error})") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        kind = _kind_of_special_file(status.st_mode)
        if kind:
            raise OSError(0, f"it is {kind}, not a regular file", os.fspath(path))
        if status.st_size > max_bytes:
            raise OSError(0, f"it has {status.st_size} bytes, more than the {max_bytes} that are read", os.fspath(path))
        return file.read(max(status.st_size, 0) + 1)[: status.st_size]  # files of /proc have size 0 and may never end


def _kind_of_special_file(mode: int) -> str:
    """What a path is if it is not a regular file, else an empty string."""
    return next((name for fits, name in FILE_KINDS if fits(mode)), "")


def require_folder(path: PathLike, what: str) -> Path:
    """Check that a folder exists or can be created, before long work whose results go there. Creates nothing.

    Args:
        path: the folder.
        what: the option or key that names it, for the message.

    Raises:
        ConfigError: the path or one of its parents is a file, or the folder is not writable.
    """
    folder = Path(path)
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise ConfigError(f"{what}: {folder} cannot be a folder, because {there} is a file; choose another folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"{what}: {there} is not writable; choose another folder")
    return folder


@contextmanager
def atomic_path(path: PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path` (same suffix); rename it to `path` on success, remove it on failure.

    Missing parent folders are created. The block must create the temporary file.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(final)
    try:
        yield temporary
        os.replace(temporary, final)
    finally:
        if temporary.exists():
            temporary.unlink()


@contextmanager
def atomic_folder(path: PathLike) -> Iterator[Path]:
    """Yield a new folder beside `path`; on success it takes the place of `path`, on failure it is removed.

    A folder that was there is replaced as a whole, with everything in it. Missing parent folders are created.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(final)
    temporary.mkdir()
    try:
        yield temporary
        if final.exists():
            old = temporary_beside(final)
            os.replace(final, old)
            os.replace(temporary, final)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(temporary, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def temporary_beside(path: Path) -> Path:
    """A new hidden name in the same folder, with the same suffix and the number of this process."""
    return path.with_name(f".{path.stem}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp{path.suffix}")


def remove_temporaries(folder: PathLike, process: Optional[int] = None, deep: bool = True) -> list[Path]:
    """Remove what killed processes left of files and folders that were to be written in a folder; returns the paths.

    Args:
        folder: where to look.
        process: number of the killed process; None for all, when no other process may be writing there.
        deep: also look in the folders below.
    """
    names = Path(folder).rglob(".*.tmp*") if deep else Path(folder).glob(".*.tmp*")
    matches = [(path, TEMPORARY_NAME.fullmatch(path.name)) for path in names]
    found = [path for path, match in matches if match and process in (None, int(match["process"]))]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return found


@contextmanager
def atomic_write(path: PathLike, mode: str = "w", encoding: str = "utf-8") -> Iterator[IO[Any]]:
    """Open a temporary file for writing; it becomes `path` when the block ends without an error.

    Args:
        path: the file to write; missing parent folders are created.
        mode: "w" for text (in `encoding`, newlines as given) or "wb" for bytes.

    Raises:
        ValueError: any other mode; appending cannot be atomic.
    """
    if mode not in ("w", "wb"):
        raise ValueError(f"atomic_write writes whole files: mode is 'w' or 'wb', not {mode!r}")
    text = {"encoding": encoding, "newline": "\n"} if mode == "w" else {}
    with atomic_path(path) as temporary, open(temporary, mode, **text) as file:  # type: ignore[call-overload]
        yield file


def sha256_of(path: PathLike) -> str:
    """Hexadecimal digest of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(DIGEST_BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()

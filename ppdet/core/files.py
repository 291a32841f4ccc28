"""Write a file as a whole or not at all: a killed process never leaves half a checkpoint or half a JSON."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Union

from ppdet.core.errors import ConfigError

PathLike = Union[str, "os.PathLike[str]"]
DIGEST_BLOCK = 1 << 20


def require_folder(path: PathLike, what: str) -> Path:
    """Make sure that a folder is there or can be made, before long work that ends in it. Makes nothing itself.

    Args:
        path: the folder.
        what: the option or key it came from, for the message.

    Raises:
        ConfigError: it, or a folder above it, is a file or must not be written to.
    """
    folder = Path(path)
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise ConfigError(f"{what}: {folder} cannot be a folder, since {there} is a file; name another one")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"{what}: {there} must not be written to; name a folder elsewhere")
    return folder


@contextmanager
def atomic_path(path: PathLike) -> Iterator[Path]:
    """Give a temporary path beside `path` (same suffix); move it to `path` on success, remove it on failure.

    Missing parent folders are made. The writer must have created the temporary file by the end of the block.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".{final.stem}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp{final.suffix}")
    try:
        yield temporary
        os.replace(temporary, final)
    finally:
        if temporary.exists():
            temporary.unlink()


@contextmanager
def atomic_write(path: PathLike, mode: str = "w", encoding: str = "utf-8") -> Iterator[IO[Any]]:
    """Open a temporary file for writing that becomes `path` when the block ends without an error.

    Args:
        path: the file to write; missing parent folders are made.
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

"""Cache of downloaded weights in ~/.cache/ppdet/weights (or $PPDET_CACHE/weights)."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Optional
from urllib.parse import urlsplit

from ppdet.core.errors import CheckpointError
from ppdet.core.files import sha256_of
from ppdet.core.logger import get_logger
from ppdet.core.shipped import cache_root
from ppdet.engine.weights.download import DownloadError, download, length_note

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_log = get_logger(__name__)


def is_url(path: str) -> bool:
    """Whether `path` is a URL."""
    return urlsplit(path).scheme in ("http", "https")


def cache_folder() -> Path:
    """Folder of downloaded weights."""
    return cache_root() / "weights"


def cached_weights(url: str, folder: Optional[Path] = None, sha256: Optional[str] = None) -> Path:
    """Path of the cached file of `url`, which is downloaded first if necessary.

    An interrupted download leaves a ``.part`` file, which the next call continues. If several processes need the same file,
    such as those of a distributed run, one downloads it and the others wait.

    Args:
        url: http or https.
        folder: the cache; `cache_folder()` if None.
        sha256: expected hexadecimal digest, if known.

    Raises:
        CheckpointError: the server does not answer, or does not send the file; the message says what to do without a network.
    """
    folder = cache_folder() if folder is None else Path(folder)
    name = Path(urlsplit(url).path).name or "weights.pdparams"
    place = folder / hashlib.sha256(url.encode()).hexdigest()[:8]
    final, part = place / name, place / (name + ".part")
    if final.exists():
        _verify(final, url, sha256)
        return final
    shown = _without_password(url)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _alone(place / ".lock", shown):
            if not final.exists():  # another process may have downloaded it meanwhile
                _log.info("Download %s", shown)
                download(url, part)
                _verify(part, url, sha256)
                os.replace(part, final)
                length_note(part).unlink(missing_ok=True)
                _log.info("Saved %s", final)
    except (OSError, DownloadError) as error:
        if isinstance(error, DownloadError) and "run again" not in str(error):
            with suppress(OSError):
                for file in (part, length_note(part)):  # the part is not the beginning of this file
                    file.unlink(missing_ok=True)
        raise CheckpointError(
            f"cannot download {shown}: {error}. Without a network: download it elsewhere and give its path instead of the "
            f"URL, or place it at {final}"
        ) from error
    _verify(final, url, sha256)
    return final


def _verify(path: Path, url: str, sha256: Optional[str]) -> None:
    """Check the digest, and remove a wrong file.

    Raises:
        CheckpointError: the digest differs.
    """
    if sha256 is None:
        return
    digest = sha256_of(path)
    if digest != sha256:
        for file in (path, length_note(path)):
            file.unlink(missing_ok=True)
        raise CheckpointError(
            f"{_without_password(url)} is not the file it should be: sha256 {digest}, expected {sha256}. It was removed; try "
            "again, and if it happens again, do not use the file"
        )


def _without_password(url: str) -> str:
    """The URL without user and password, for messages."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl()


@contextmanager
def _alone(lock: Path, url: str) -> Iterator[None]:
    """Lock that lets one process or thread at a time download a file."""
    if fcntl is None:
        yield
        return
    with open(lock, "a", encoding="utf-8") as file:
        waited = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not waited:
                    _log.info("Another process is downloading %s: waiting for it", url)
                waited = True
                time.sleep(0.2)
            except OSError:  # a file system without locks
                break
        yield

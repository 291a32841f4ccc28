"""Weights from the web, kept in ~/.cache/ppdet/weights (or $PPDET_CACHE/weights)."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO, Optional
from urllib.parse import urlsplit

from ppdet.core.errors import CheckpointError
from ppdet.core.logger import get_logger
from ppdet.core.shipped import cache_root

_log = get_logger(__name__)
CHUNK = 1 << 18
TIMEOUT_SECONDS = 30


def is_url(path: str) -> bool:
    """Whether `path` is to be downloaded."""
    return urlsplit(path).scheme in ("http", "https")


def cache_folder() -> Path:
    """Where downloaded weights lie."""
    return cache_root() / "weights"


def cached_weights(url: str, folder: Optional[Path] = None) -> Path:
    """Path of the file behind `url`, downloaded if it is not there yet.

    A broken download leaves a ``.part`` file, and the next call continues it.

    Raises:
        CheckpointError: the server does not answer, or not with the file; the message says what to do without a network.
    """
    folder = cache_folder() if folder is None else Path(folder)
    name = Path(urlsplit(url).path).name or "weights.pdparams"
    place = folder / hashlib.sha256(url.encode()).hexdigest()[:8]
    final, part = place / name, place / (name + ".part")
    if final.exists():
        return final
    place.mkdir(parents=True, exist_ok=True)
    _log.info("Download %s", url)
    try:
        _download(url, part)
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", None) or error
        raise CheckpointError(
            f"cannot download {url}: {reason}. Without a network: download it elsewhere and give its path instead of the "
            f"URL, or place it at {final}"
        ) from error
    os.replace(part, final)
    _log.info("Saved %s", final)
    return final


def _download(url: str, part: Path) -> None:
    """Fetch into `part`, after the bytes it has already."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "ppdet-keypoint", **({"Range": f"bytes={have}-"} if have else {})}
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # 416: nothing left to send, or another file than the one we began
            raise
        part.unlink()
        return _download(url, part)
    with response:
        have = have if response.status == 206 else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with open(part, "ab" if have else "wb") as file:
            _copy(response, file, have, total)
    if total is not None and part.stat().st_size != total:
        raise OSError(f"the connection broke after {part.stat().st_size} of {total} bytes; run again to continue")
    return None


def _copy(source: BinaryIO, target: BinaryIO, have: int, total: Optional[int]) -> None:
    """Copy with a progress line, where a person is watching."""
    if not sys.stderr.isatty():
        shutil.copyfileobj(source, target, CHUNK)
        return
    while True:
        chunk = source.read(CHUNK)
        if not chunk:
            break
        target.write(chunk)
        have += len(chunk)
        share = f" of {total / 1e6:.1f} MB ({100 * have // total} %)" if total else " MB"
        print(f"\r  {have / 1e6:.1f}{share}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)

"""Downloads one file completely or not at all."""

from __future__ import annotations

import re
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Optional, Tuple

from ppdet.core.errors import CheckpointError
from ppdet.inference.progress import Progress

CHUNK = 1 << 18
TIMEOUT_SECONDS = 30
LARGEST, LARGEST_UNSTATED = 4 << 30, 512 << 20
"""Largest file in bytes if the server states the length, and if it does not."""
SLOWEST_BYTES, SLOWEST_SECONDS = 1 << 14, 60
"""A download is stopped if it receives fewer bytes in this time."""
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)$")


class DownloadError(Exception):
    """The cause in one line; the caller adds the URL and advice."""


def download(url: str, part: Path) -> None:
    """Download a file to `part`, continuing after the bytes that are already there if the server supports it.

    Args:
        url: http or https.
        part: file that may hold the beginning from an interrupted download.

    Raises:
        DownloadError: no answer, no file, too large, too slow, or interrupted (`part` then holds what was received).
        CheckpointError: the package `requests` is not installed.
    """
    try:
        import requests
        from urllib3.exceptions import HTTPError
    except ImportError as error:
        raise CheckpointError(f"downloads need the package requests ({error}): pip install requests") from error
    try:
        with requests.Session() as session:
            _fetch(session, url, part)
    except (requests.RequestException, HTTPError) as error:
        raise DownloadError(_reason(error)) from error


def _fetch(session: Any, url: str, part: Path) -> None:
    have = part.stat().st_size if part.exists() else 0
    response = _ask(session, url, have)
    if have and not _continues(response, have, stated_length(part)):
        if response.status_code in (206, 416):  # another range than requested, or another file than the one we started with
            response.close()
            response = _ask(session, url, 0)
        have = 0
    with response:
        if response.status_code not in (200, 206) or (response.status_code == 206 and not have):
            raise DownloadError(f"the server answers with status {response.status_code} {response.reason or ''}".strip())
        total = _length(response, have)
        _check_length(total, part)
        if total is not None:
            length_note(part).write_text(str(total), encoding="ascii")
        with open(part, "ab" if have else "wb") as file:
            got = _copy(response, file, have, total)
    if total is not None and got != total:
        raise DownloadError(f"the connection broke after {got} of {total} bytes; run again to continue")


def _ask(session: Any, url: str, have: int) -> Any:
    # Uncompressed, so that lengths and ranges refer to the bytes of the file.
    headers = {"User-Agent": "ppdet-keypoint", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    return session.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS)


def _continues(response: Any, have: int, total: Optional[int]) -> bool:
    """Whether the answer continues where our bytes end. If the server does not state it, the length must be that of the rest."""
    given, length = (response.headers.get(name, "").strip() for name in ("Content-Range", "Content-Length"))
    if response.status_code != 206:
        return False
    if not given:
        return total is not None and length == str(total - have)
    found = _RANGE.match(given)
    if found is None or int(found.group(1)) != have or found.group(3) not in ("*", str(total or found.group(3))):
        return False
    end = int(found.group(2)) + 1
    return found.group(3) in ("*", str(end)) and length in ("", str(end - have))


def length_note(part: Path) -> Path:
    """File beside `part` with the length that the server stated."""
    return part.with_name(part.name + ".length")


def stated_length(part: Path) -> Optional[int]:
    """Length of the file as stated by the server when its download started; None if unknown."""
    try:
        return int(length_note(part).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _length(response: Any, have: int) -> Optional[int]:
    """Length of the whole file in bytes; None if the server does not state it."""
    found = _RANGE.match(response.headers.get("Content-Range", "").strip())
    if have and found is not None and found.group(3) != "*":
        return int(found.group(3))
    length = response.headers.get("Content-Length", "").strip()
    return have + int(length) if length.isdigit() else None


def _check_length(total: Optional[int], part: Path) -> None:
    if total is None:
        return
    if total == 0:
        raise DownloadError("the server sends an empty file")
    free = shutil.disk_usage(part.parent).free + (part.stat().st_size if part.exists() else 0)
    if total > LARGEST:
        raise DownloadError(f"the server announces {total / 1e9:.1f} GB, more than the limit of {LARGEST / 1e9:.1f} GB")
    if total > free:
        raise DownloadError(f"it has {total / 1e6:.0f} MB and {part.parent} has room for {free / 1e6:.0f}: make room")


def _copy(response: Any, file: BinaryIO, have: int, total: Optional[int]) -> int:
    """Write the body; returns the resulting length of the file in bytes."""
    from urllib3.exceptions import HTTPError

    response.raw.enforce_content_length = False  # urllib3 would discard what was received; the length is checked here
    # Read what has arrived without waiting for a whole chunk, to notice a slow server; older urllib3 has no read1.
    read = getattr(response.raw, "read1", None) or partial(_read_little, response.raw)
    bar = Progress("download", total and total // 1000, "kB")
    bar.step(have // 1000)
    window: Tuple[float, int] = (time.monotonic(), have)
    try:
        while True:
            try:
                data = read(CHUNK, decode_content=False)
            except (HTTPError, OSError) as error:
                problem = f"the connection broke after {have} bytes ({_reason(error)})"
                raise DownloadError(f"{problem}; run again to continue") from error
            if not data:
                return have
            if have == 0 and data.lstrip()[:1] == b"<":
                raise DownloadError("the server sends a web page instead of the file: it may want a login or a confirmation")
            file.write(data)
            bar.step((have + len(data)) // 1000 - have // 1000)
            have += len(data)
            if have > (total if total is not None else LARGEST_UNSTATED):
                raise DownloadError(f"the server sends more than {have - len(data)} bytes and does not end")
            window = _check_speed(window, have)
    finally:
        bar.close()


def _read_little(raw: Any, count: int, decode_content: bool) -> bytes:
    return raw.read(min(count, 1 << 13), decode_content=decode_content)


def _check_speed(window: Tuple[float, int], have: int) -> Tuple[float, int]:
    now = time.monotonic()
    since, before = window
    if now - since < SLOWEST_SECONDS:
        return window
    if have - before < SLOWEST_BYTES:
        raise DownloadError(f"the server sent {have - before} bytes in {now - since:.0f} s; run again to continue")
    return now, have


def _reason(error: Exception) -> str:
    """The innermost cause, without addresses of Python objects."""
    cause: Any = error
    while True:
        inner = getattr(cause, "reason", None) or cause.__cause__ or next(
            (item for item in getattr(cause, "args", ()) if isinstance(item, Exception)), None)  # fmt: skip
        if not isinstance(inner, Exception) or inner is cause:
            break
        cause = inner
    return re.sub(r"<[\w.]+ object at 0x[0-9a-f]+>:? ?", "", str(cause)) or type(cause).__name__

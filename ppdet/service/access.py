"""The optional API key."""

from __future__ import annotations

import hmac
import re
from pathlib import Path

from fastapi import Request

from ppdet.core.errors import ConfigError
from ppdet.core.files import read_regular_file
from ppdet.service.problems import RequestError
from ppdet.service.state import service_of

HEADER = "x-api-key"
SHORTEST_KEY = 16
_KEY = re.compile(r"[\x21-\x7e]+")
_MOST_BYTES = 4096


def checked_key(key: str, origin: str) -> str:
    """An API key that fits in a header and is hard to guess.

    Args:
        key: the key.
        origin: where it was given, for messages, which never contain the key itself.

    Raises:
        ConfigError: it is too short, or has characters that a header cannot hold.
    """
    if len(key) < SHORTEST_KEY or not _KEY.fullmatch(key):
        raise ConfigError(f"the API key of {origin} has {len(key)} characters: give at least {SHORTEST_KEY} printable ASCII "
                          "characters without spaces, for example from: openssl rand -hex 24")
    return key


def key_of_file(path: str) -> str:
    """The API key in a file, without spaces and line ends around it.

    Raises:
        ConfigError: the file cannot be read, or holds no key.
    """
    try:
        text = read_regular_file(Path(path), _MOST_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise ConfigError(f"cannot read the API key in {path}: {error.strerror or error}") from error
    return checked_key(text.strip(), path)


async def require_key(request: Request) -> None:
    """Refuse a request without the API key, before its body is read.

    Raises:
        RequestError: status 401.
    """
    expected = service_of(request).api_key
    if expected is None:
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else request.headers.get(HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise RequestError(401, "wrong_key", f"this service needs an API key: send it as {HEADER}: KEY or authorization: "
                           "Bearer KEY", {"WWW-Authenticate": "Bearer"})

"""URLs of images and streams: hiding secrets in them, and downloading images.

A URL may contain a password or a token, so messages, logs and file names use `without_secrets`.
"""
from __future__ import annotations

import base64
import re
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import PurePosixPath
from typing import NamedTuple, Union
from urllib.parse import quote, unquote, urlsplit

from ppdet.core.errors import MediaError
from ppdet.image.io import IMAGE_SUFFIXES
from ppdet.inference.files.source_names import PLAYLIST_SUFFIXES, VIDEO_SUFFIXES

LARGEST_IMAGE_BYTES = 64 << 20
SECONDS_TO_ANSWER = 20.0
BLOCK = 1 << 16
_MISTYPED_LOGIN = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+:[/\\]+)[^@]*:[^@]*@")
"""Two letters or more before the colon: one is a drive."""


class SplitUrl(NamedTuple):
    """The parts of a URL.

    Attributes:
        scheme: in lower case.
        login: "user:password" as written, or "".
        place: host, port and path.
        query: "?..." or "".
    """

    scheme: str
    login: str
    place: str
    query: str


def is_url(source: object) -> bool:
    """Whether a source is a URL and not a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", str(source)) is not None


def split_url(url: str) -> SplitUrl:
    """The parts of a URL. The login ends at the last "@", since "@" and "/" in passwords are often not escaped."""
    scheme, _, rest = str(url).partition("://")
    login, _, rest = rest.rpartition("@")
    place, mark, query = rest.partition("?")
    return SplitUrl(scheme.lower(), login, place.partition("#")[0], mark + query)


def without_secrets(source: object) -> str:
    """A path unchanged; a URL, also a mistyped one (``rtsp:/user:password@host``), without user name, password, parameters
    (``;sid=...``) and values of its query."""
    if not is_url(source):
        return _MISTYPED_LOGIN.sub(r"\1", str(source))
    parts = split_url(str(source))
    return f"{parts.scheme}://{_without_parameters(parts.place)}" + ("?..." if parts.query else "")


def _without_parameters(place: str) -> str:
    return re.sub(r";[^/]*", "", place)


def with_quoted_login(url: str) -> str:
    """The same URL with "@", "/", "?" and "#" in its user name and password escaped; FFmpeg would end the host name at them."""
    parts = split_url(url)
    if not parts.login:
        return url
    login = ":".join(quote(unquote(part), safe="") for part in parts.login.split(":", 1))
    return f"{parts.scheme}://{login}@{parts.place}{parts.query}"


def output_name(source: object) -> str:
    """File name for the output video of a path or URL: the video's name, otherwise one derived from host and path."""
    if not is_url(source):
        return PurePosixPath(str(source).replace("\\", "/")).name
    place = _without_parameters(split_url(str(source)).place)
    name = PurePosixPath(place).name
    if "/" in place and PurePosixPath(name).suffix.lower() in VIDEO_SUFFIXES:
        return re.sub(r"[^\w.-]+", "_", name)
    return re.sub(r"[^\w.-]+", "_", place).strip("_.") + ".mp4"


def fetch_image(url: str, most: int = LARGEST_IMAGE_BYTES) -> Union[bytes, None]:
    """Download an image from a web server; None if the URL leads to something else, for instance a video.

    Args:
        url: http or https; a user name and password in it are sent as basic authentication.
        most: largest size in bytes.

    Raises:
        MediaError: no connection, an HTTP error, or an incomplete or too large body.
    """
    shown, parts = without_secrets(url), split_url(url)
    suffix = PurePosixPath(parts.place).suffix.lower() if "/" in parts.place else ""
    if parts.scheme not in ("http", "https") or suffix in VIDEO_SUFFIXES + PLAYLIST_SUFFIXES:
        return None
    request = urllib.request.Request(f"{parts.scheme}://{parts.place}{parts.query}", headers={"User-Agent": "ppdet-keypoint"})
    if parts.login:
        request.add_header("Authorization", "Basic " + base64.b64encode(unquote(parts.login).encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_TO_ANSWER) as answer:
            is_image = str(answer.headers.get("Content-Type", "")).lower().startswith("image/")
            if not is_image and suffix not in IMAGE_SUFFIXES:
                return None
            data = answer.read(most + 1)
            promised = answer.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        raise MediaError(f"{shown}: the server answers {error.code} {error.reason}; check the address, and the login if it "
                         "needs one") from None
    except (OSError, HTTPException, ValueError) as error:  # the messages of the last two may contain parts of the URL
        reason = f" ({getattr(error, 'reason', None) or error})" if isinstance(error, OSError) else ""
        raise MediaError(f"{shown} cannot be fetched{reason}; check the address and the network") from None
    if len(data) > most:
        raise MediaError(f"{shown} is larger than {most >> 20} MiB, the limit for an image from the network; download it and "
                         "give the file")
    if promised is not None and promised.isdigit() and len(data) < int(promised):
        raise MediaError(f"{shown} was cut short: {len(data)} of {promised} bytes came; try again")
    return data


def host_and_port(url: str, ports: dict[str, int]) -> Union[tuple[str, int], None]:
    """Host and port of a URL, or None if unknown.

    Args:
        url: the URL.
        ports: default port of each scheme.
    """
    parts = split_url(url)
    try:
        split = urlsplit(f"{parts.scheme}://{parts.place}")
        host, port = split.hostname, split.port or ports.get(parts.scheme)
    except ValueError:
        return None
    return (host, port) if host and port else None

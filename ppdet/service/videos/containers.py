"""Recognises video containers by their first bytes.

FFmpeg also accepts a playlist, and would open the files and URLs that it names. So FFmpeg gets only files that begin like a
video container.
"""

from __future__ import annotations

from pathlib import Path

from ppdet.service.problems import RequestError

SNIFFED_BYTES = 512
_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_STARTS = {
    b"\x1aE\xdf\xa3": ".mkv",
    b"FLV\x01": ".flv",
    b"OggS": ".ogv",
    b"0&\xb2u\x8ef\xcf\x11": ".wmv",
    b"\x00\x00\x01\xba": ".mpg",
    b"\x00\x00\x01\xb3": ".mpg",
}
_TRANSPORT_PACKET = 188


def suffix_of(start: bytes) -> str | None:
    """The usual suffix of a container that begins with these bytes; None if it is none."""
    if start[4:8] in _ATOMS:
        return ".mp4"
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return ".avi"
    if len(start) > _TRANSPORT_PACKET and start[0] == start[_TRANSPORT_PACKET] == 0x47:
        return ".ts"
    return next((suffix for signature, suffix in _STARTS.items() if start.startswith(signature)), None)


def checked_suffix(path: Path) -> str:
    """The usual suffix of an uploaded video.

    Raises:
        RequestError: it is empty, or does not begin like a container.
    """
    with path.open("rb") as file:
        start = file.read(SNIFFED_BYTES)
    if not start:
        raise RequestError(400, "empty_body", "the request holds no video (0 bytes): send the content of a video file")
    suffix = suffix_of(start)
    if suffix is None:
        raise RequestError(415, "unknown_format", "the file does not begin like a video: send MP4, MOV, AVI, MKV, WebM, FLV, "
                           "OGV, WMV, MPEG or TS")
    return suffix

"""GIF files without control blocks, which FFmpeg reads as one frame.

FFmpeg tells frames apart only after an extension block. Programs that state neither delays nor repetitions write none (GIF87a,
and Pillow's `save` without `duration`), so all images become one packet and the first of them the only frame.
"""
from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_IMAGE, _EXTENSION = 0x2C, 0x21
# A Graphic Control Extension of delay 0, which players take for a tenth of a second.
_CONTROL = b"\x21\xf9\x04\x00\x00\x00\x00\x00"
_HEADER = 13  # bytes before the table of colours
_DESCRIPTOR = 10  # bytes of an image before its own table of colours


@contextmanager
def playable(path: Path) -> Iterator[Path]:
    """The file to open in place of a video: itself, or a copy with control blocks, which is removed at the end of `with`.

    Args:
        path: any file that exists.
    """
    if not _begins_with_an_image(path):
        yield path
        return
    handle, name = tempfile.mkstemp(suffix=".gif")
    try:
        with os.fdopen(handle, "wb") as copy:
            copy.writelines(_with_controls(path.read_bytes()))
        yield Path(name)
    finally:
        with suppress(OSError):  # Windows keeps a file that is open
            os.unlink(name)


def _begins_with_an_image(path: Path) -> bool:
    """Whether a file is a GIF without an extension block before its first image."""
    with path.open("rb") as file:
        head = file.read(_HEADER)
        if len(head) < _HEADER or not head.startswith((b"GIF87a", b"GIF89a")):
            return False
        file.seek(_table_bytes(head[10]), os.SEEK_CUR)
        return file.read(1) == bytes([_IMAGE])


def _with_controls(content: bytes) -> Iterator[bytes]:
    """The parts of a GIF with a control block before each image that has none; what is cut off or unknown stays as it is."""
    place = _HEADER + _table_bytes(content[10])
    yield b"GIF89a" + content[6:place]
    is_controlled = False
    while place < len(content) and content[place] in (_IMAGE, _EXTENSION):
        end = _end_of_block(content, place)
        if content[place] == _IMAGE and not is_controlled:
            yield _CONTROL
        is_controlled = content[place : place + 2] == _CONTROL[:2]
        yield content[place:end]
        place = end
    yield content[place:]


def _end_of_block(content: bytes, place: int) -> int:
    if content[place] == _EXTENSION:
        place += 2
    else:
        place += _DESCRIPTOR + (_table_bytes(content[place + 9]) if place + 9 < len(content) else 0) + 1
    while place < len(content) and content[place]:
        place += 1 + content[place]
    return place + 1


def _table_bytes(flags: int) -> int:
    """Size of the table of colours that a byte of flags announces."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

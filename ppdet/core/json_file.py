"""Parses a JSON file, whatever is in it: the content or a message, never a traceback or a hang."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Union

from ppdet.core.errors import DataError


def read_json(path: Union[str, Path], what: str = "JSON file", remedy: str = "check the path") -> Any:
    """Parsed content of a file in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Args:
        path: the file.
        what: what to call it in messages ("annotation file").
        remedy: what to do if it cannot be read.

    Raises:
        DataError: no such file, a folder, a pipe or a device, or no JSON that can be parsed.
    """
    try:
        # Opening a pipe waits for a writer, and a device may never end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise DataError(f"cannot read {what} {path}: it is no regular file; {remedy}")
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise DataError(f"cannot read {what} {path}: {getattr(error, 'strerror', None) or error}; {remedy}") from error
    try:
        return json.loads(data)  # bytes: the encoding is detected
    except RecursionError as error:
        raise DataError(f"{what} {path} is nested too deeply to be read; expected a few levels of lists and mappings") from error
    except ValueError as error:  # broken JSON, wrong encoding, or a number of more digits than Python converts
        raise DataError(f"{what} {path} is not valid JSON: {error}; it may be cut short, fetch or write it again") from error

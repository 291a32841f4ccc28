"""Writes a JSON list entry by entry."""
from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any

from ppdet.inference.formats.whole_output import WholeOutput


class JsonList:
    """The text of a JSON list, one entry per line, on an open file.

    Args:
        stream: where it goes.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._is_empty = stream, True
        stream.write("[")

    def append(self, entry: Any) -> None:
        """Write one entry."""
        self._stream.write("\n" if self._is_empty else ",\n")
        self._stream.write(json.dumps(entry, ensure_ascii=False))
        self._is_empty = False

    def end(self) -> None:
        """Write the end of the list."""
        self._stream.write("\n]\n")
        self._stream.flush()


class JsonListWriter(WholeOutput):
    """A JSON list that is written entry by entry; see `WholeOutput`.

    Args:
        path: the file.
    """

    def _open(self, temporary: Path) -> None:
        self._list = JsonList(self._stack.enter_context(temporary.open("w", encoding="utf-8", newline="\n")))

    def append(self, entry: Any) -> None:
        """Write one entry."""
        try:
            self._list.append(entry)
        except OSError as error:
            raise self._failed(error) from error
        self.count += 1

    def _finish(self) -> None:
        self._list.end()

"""Checks a pickle before it is loaded, so that a small file cannot use up memory or time.

Known attacks, all of which fit into 100 bytes: strings that claim to be longer than the file; a memo index of four billion;
    tuples that contain the same tuple twice, nested forty times, which take 2^40 steps to hash, copy or print; containers
    nested deeper than Python's stack.
"""

from __future__ import annotations

import os
import pickletools
from typing import Any, BinaryIO, Dict, List

MOST_OBJECTS = 2_000_000
"""Limit of the objects in a container, shared ones counted each time; checkpoints of large models have about ten thousand."""
DEEPEST = 100
"""Limit of nested containers; an optimizer's state has about six levels."""

_SMALL = 1 << 16
_GROWS = ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD")
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")
_GETS = ("GET", "BINGET", "LONG_BINGET")


class RefusedPickleError(Exception):
    """The pickle contains something that weights do not need."""


class BoundedFile:
    """A file for `pickle` that never allocates more bytes than are left in it.

    Args:
        file: open for reading in binary mode.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        here = file.tell()
        self._end = file.seek(0, os.SEEK_END)
        file.seek(here)

    def read(self, count: int = -1) -> bytes:
        """At most `count` bytes.

        Raises:
            EOFError: more bytes are requested than are left.
        """
        if count > _SMALL and count > self._end - self._file.tell():
            raise EOFError(f"it claims {count} bytes where {self._end - self._file.tell()} are left")
        return self._file.read(count)

    def readline(self) -> bytes:
        """The next line."""
        return self._file.readline()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer."""
        return self._file.readinto(buffer)  # type: ignore[attr-defined]

    def tell(self) -> int:
        """The position in the file."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the position."""
        return self._file.seek(offset, whence)


class _Size:
    """Size of an object on the pickle's stack: number of objects in it, and levels."""

    __slots__ = ("objects", "levels")

    def __init__(self, objects: int = 1, levels: int = 1) -> None:
        self.objects, self.levels = objects, levels


class _Mark(_Size):
    """The MARK opcode, which starts a list of items."""


def check_pickle(file: BinaryIO) -> None:
    """Go through the next pickle without loading it, add up what it would build, and return to its start.

    Args:
        file: at the start of a pickle.

    Raises:
        RefusedPickleError: it would build too much, or uses an impossible memo index.
        EOFError, ValueError, ...: the pickle is damaged.
    """
    start = file.tell()
    stack: List[_Size] = []
    memo: Dict[int, _Size] = {}
    for count, (opcode, argument, _) in enumerate(pickletools.genops(BoundedFile(file))):  # type: ignore[arg-type]
        name = opcode.name
        if name in _PUTS or name == "MEMOIZE":
            place = len(memo) if name == "MEMOIZE" else int(argument or 0)
            if place > count:
                raise RefusedPickleError(f"puts something at place {place} of a memo of {count}")
            memo[place] = stack[-1]
        elif name in _GETS:
            stack.append(memo[int(argument or 0)])
        elif name == "MARK":
            stack.append(_Mark())
        elif name == "DUP":
            stack.append(stack[-1])
        else:
            _step(opcode, stack)
    file.seek(start)


def _step(opcode: Any, stack: List[_Size]) -> None:
    """Effect of any other opcode on the stack."""
    taken = _take(opcode.stack_before, stack)
    if opcode.name in _GROWS and taken:
        grown = taken[0]  # the container itself, which is also in the memo
        _check(_add(grown, taken[1:]))
        stack.append(grown)
        return
    made = opcode.stack_after
    if opcode.name == "POP" or not made:
        return
    whole = _add(_Size(), taken)
    _check(whole)
    stack.extend([whole] * len(made))


def _take(wanted: List[Any], stack: List[_Size]) -> List[_Size]:
    """Pop the operands of an opcode, in order."""
    taken: List[_Size] = []
    if pickletools.markobject in wanted:
        while True:
            item = stack.pop()
            if isinstance(item, _Mark):
                break
            taken.append(item)
        rest = wanted.index(pickletools.markobject)
    else:
        rest = len(wanted)
    for _ in range(rest):
        taken.append(stack.pop())
    return taken[::-1]


def _add(whole: _Size, parts: List[_Size]) -> _Size:
    whole.objects += sum(part.objects for part in parts)
    whole.levels = max([whole.levels, *(part.levels + 1 for part in parts if part is not whole)])
    return whole


def _check(size: _Size) -> None:
    if size.objects > MOST_OBJECTS:
        raise RefusedPickleError(f"holds a container of more than {MOST_OBJECTS} objects, made of few by repetition")
    if size.levels > DEEPEST:
        raise RefusedPickleError(f"holds containers more than {DEEPEST} levels deep")


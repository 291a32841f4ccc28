"""Looks through a pickle before it is run, so that a few bytes cannot ask for all the memory or all the time.

Known tricks, all of which fit into 100 bytes: strings that claim to be longer than the file; a memo place of four thousand
millions; tuples made of the same tuple twice, forty times over, which take 2^40 steps to hash, copy or print; containers nested
so deep that Python's stack ends.
"""

from __future__ import annotations

import os
import pickletools
from typing import Any, BinaryIO, Dict, List

MOST_OBJECTS = 2_000_000
"""Of a container, shared ones counted as often as they occur; checkpoints of large models have some ten thousand."""
DEEPEST = 100
"""Containers within containers; an optimizer's state has about six."""

_SMALL = 1 << 16
_GROWS = ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD")
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")
_GETS = ("GET", "BINGET", "LONG_BINGET")


class RefusedPickleError(Exception):
    """The pickle asks for something that weights do not need."""


class BoundedFile:
    """A file for `pickle` that never makes room for more bytes than are left in it.

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
            EOFError: more than are left are asked for.
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
        """Position in the file."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position."""
        return self._file.seek(offset, whence)


class _Size:
    """Of an object on the pickle's stack: objects in it, and levels."""

    __slots__ = ("objects", "levels")

    def __init__(self, objects: int = 1, levels: int = 1) -> None:
        self.objects, self.levels = objects, levels


class _Mark(_Size):
    """MARK, which begins a run of items."""


def check_pickle(file: BinaryIO) -> None:
    """Go through the next pickle, and back to its start, and add up what it would build.

    Args:
        file: at the start of a pickle.

    Raises:
        RefusedPickleError: it would build too much, or puts something at a place of the memo that cannot be.
        EOFError, ValueError, ...: it is damaged.
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
    """What any other opcode does to the stack."""
    taken = _take(opcode.stack_before, stack)
    if opcode.name in _GROWS and taken:
        grown = taken[0]  # the container itself, which the memo knows, too
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
    """Pop what an opcode takes, in order."""
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


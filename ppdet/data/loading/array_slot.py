"""Moves a batch between processes through memory that both see, instead of through a pipe.

Anonymous shared memory made before the fork: unlike /dev/shm it needs no size set up in a container, and nothing is
left behind when a process is killed.
"""

from __future__ import annotations

import mmap
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

ALIGNMENT = 64


class PackedBatch(NamedTuple):
    """What goes through the pipe: where each array lies, and whatever is no array."""

    arrays: List[Tuple[str, str, Tuple[int, ...], int]]
    rest: Dict[str, Any]


class ArraySlot:
    """A block of shared memory that holds one batch at a time."""

    def __init__(self, num_bytes: int) -> None:
        self._memory = mmap.mmap(-1, max(num_bytes, mmap.PAGESIZE))

    def pack(self, batch: Dict[str, Any]) -> Optional[PackedBatch]:
        """Copy the arrays in; None if they do not fit."""
        if batch_bytes(batch) > len(self._memory):
            return None
        arrays, rest, offset = [], {}, 0
        for key, value in batch.items():
            if not _is_plain_array(value):
                rest[key] = value
                continue
            target: np.ndarray = np.ndarray(value.shape, value.dtype, self._memory, offset)
            target[...] = value
            arrays.append((key, value.dtype.str, value.shape, offset))
            offset += _aligned(value.nbytes)
        return PackedBatch(arrays, rest)

    def unpack(self, packed: PackedBatch) -> Dict[str, Any]:
        """Copy the arrays out; the slot is free afterwards."""
        batch = {
            key: np.ndarray(shape, np.dtype(dtype), self._memory, offset).copy() for key, dtype, shape, offset in packed.arrays
        }
        batch.update(packed.rest)
        return batch


def batch_bytes(batch: Dict[str, Any]) -> int:
    """Bytes a slot needs for this batch."""
    return sum(_aligned(value.nbytes) for value in batch.values() if _is_plain_array(value))


def _is_plain_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind != "O"


def _aligned(num_bytes: int) -> int:
    return -(-num_bytes // ALIGNMENT) * ALIGNMENT

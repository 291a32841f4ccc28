"""Several processes that train one model: ranks and communication.

Under `python -m paddle.distributed.launch` each process finds its rank in the environment. A plain run is a group of one process,
for which every function here costs nothing.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Any, Iterator, List

import numpy as np
import paddle

from ppdet.core.errors import PpdetError

_OF_COMMUNICATION = ("gloo", "nccl", "processgroup", "connection closed by peer", "connection reset by peer")


class LostProcessError(PpdetError):
    """Another process of the run ended, so this one cannot go on."""



def world_size() -> int:
    """Number of processes in the run."""
    return int(os.environ.get("PADDLE_TRAINERS_NUM", "1"))


def rank() -> int:
    """Rank of this process; rank 0 writes the files."""
    return int(os.environ.get("PADDLE_TRAINER_ID", "0"))


def local_rank() -> int:
    """Rank of this process on its machine."""
    return int(os.environ.get("PADDLE_LOCAL_RANK", os.environ.get("PADDLE_RANK_IN_NODE", "0")))


def processes_here() -> int:
    """Number of processes of the run on this machine."""
    return max(1, int(os.environ.get("PADDLE_LOCAL_SIZE", str(world_size()))))


def is_main() -> bool:
    """Whether this process writes files and prints."""
    return rank() == 0


def start() -> None:
    """Join the group, after choosing the device; does nothing in a plain run or when called again."""
    if world_size() > 1 and not paddle.distributed.is_initialized():
        paddle.distributed.init_parallel_env()


@contextmanager
def notice_lost_processes() -> Iterator[None]:
    """Within it, a failed exchange with the other processes is a `LostProcessError`, which says what to do."""
    try:
        yield
    except (RuntimeError, OSError) as error:
        text = str(error).strip()
        if world_size() == 1 or not any(word in text.lower() for word in _OF_COMMUNICATION):
            raise
        raise LostProcessError(
            f"process {rank()} of {world_size()} lost contact with another process of this run, which was killed or failed (the "
            "launcher's log of that process says more; the system kills a process if memory runs out). The checkpoints "
            f"written before are whole: start the same command again with --resume. The exchange failed with: {text[-300:]}"
        ) from error


def barrier() -> None:
    """Wait for all processes."""
    if world_size() > 1:
        total(np.zeros(1, np.float32))


def total(values: np.ndarray) -> np.ndarray:
    """Sum of a float32 array over all processes."""
    if world_size() == 1:
        return np.asarray(values, np.float32)
    tensor = paddle.to_tensor(np.asarray(values, np.float32))
    paddle.distributed.all_reduce(tensor)
    return tensor.numpy()


def gather(value: Any) -> List[Any]:
    """The values of all processes, ordered by rank, on every process. Values must be picklable."""
    if world_size() == 1:
        return [value]
    values: List[Any] = []
    paddle.distributed.all_gather_object(values, value)
    return values


def share(count: int, part: int, parts: int) -> range:
    """Indices below `count` that belong to part `part` of `parts`; each index belongs to exactly one part."""
    return range(part, count, parts)

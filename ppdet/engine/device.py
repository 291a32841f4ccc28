"""Where tensors live: the GPU if there is one, else the CPU with a sensible number of threads."""

from __future__ import annotations

import os
from typing import Any, Mapping, Optional

import paddle

from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.core.paddle_process import enable_mkl_avx2_on_amd, remove_paddle_log_handler, restore_sigterm_handler
from ppdet.engine.distributed import local_rank, processes_here

_log = get_logger(__name__)


def choose_device(config: Mapping[str, Any]) -> str:
    """Set Paddle's device from a configuration's `use_gpu` and say what was chosen.

    `use_gpu: true`, which nearly every published YAML has, means "if there is one"; false forces the CPU; without the key the
    GPU is taken where it is. On a CPU the threads are set from the key `cpu_threads`, else from OMP_NUM_THREADS, else all
    cores shared by the processes here. (Paddle by itself computes with one thread.)

    Returns:
        "cpu" or "gpu:<index>".
    """
    remove_paddle_log_handler()
    restore_sigterm_handler()
    wanted = config.get("use_gpu", True)
    count = gpu_count()
    if wanted and count:
        device = f"gpu:{local_rank() % count}"
        paddle.set_device(device)
        _log.info("Device: %s", device)
        return device
    paddle.set_device("cpu")
    enable_mkl_avx2_on_amd()
    threads = set_cpu_threads(config.get("cpu_threads"))
    reason = "" if not wanted else " (this Paddle is for CPU)" if not paddle.is_compiled_with_cuda() else " (no GPU found)"
    _log.info("Device: cpu, %d thread%s%s", threads, "" if threads == 1 else "s", reason)
    return "cpu"


def gpu_count() -> int:
    """Number of GPUs that Paddle can use."""
    return int(paddle.device.cuda.device_count()) if paddle.is_compiled_with_cuda() else 0


def set_cpu_threads(count: Optional[int] = None) -> int:
    """Let Paddle compute with `count` CPU threads; by default see `choose_device`. Returns the number.

    Raises:
        ConfigError: `count` is not a positive integer.
    """
    if count is None:
        count = _default_threads()
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ConfigError(f"cpu_threads is a number of threads from 1 on, got {count!r}")
    paddle.base.core.set_num_threads(count)
    return count


def _default_threads() -> int:
    # Paddle itself writes OMP_NUM_THREADS=1 into the environment when it is imported, so 1 does not mean that it was asked for.
    asked = os.environ.get("OMP_NUM_THREADS", "1")
    if asked.isdigit() and int(asked) > 1:
        return int(asked)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // processes_here())

"""Chooses the device: a GPU if there is one, otherwise the CPU with a sensible number of threads."""

from __future__ import annotations

import os
import warnings
from typing import Any, Dict, Mapping, Optional

import paddle

from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.core.paddle_process import enable_mkl_avx2_on_amd, remove_paddle_log_handler, restore_sigterm_handler
from ppdet.engine.distributed import local_rank, processes_here

_log = get_logger(__name__)
DETERMINISTIC_GPU: Dict[str, Any] = {
    "FLAGS_cudnn_deterministic": True,
    "FLAGS_embedding_deterministic": 1,
    "FLAGS_cudnn_exhaustive_search": False,
}


def choose_device(config: Mapping[str, Any]) -> str:
    """Set Paddle's device from the config's `use_gpu`, and log which one it is.

    `use_gpu: true`, as in nearly every published YAML, means "if there is one", and so does a missing key; false forces the CPU.
    On a CPU the number of threads comes from the key `cpu_threads`, otherwise from OMP_NUM_THREADS, otherwise all cores are
    divided among the processes here. (By default Paddle computes with one thread.)

    With `deterministic: true`, the same run gives the same bits again: on a GPU only algorithms that add in a fixed order are
    used; on a CPU, where the order follows from the number of threads, this is 1 unless `cpu_threads` states it.

    Returns:
        "cpu" or "gpu:<index>".
    """
    remove_paddle_log_handler()
    restore_sigterm_handler()
    # Paddle warns about this in every training, though it is the expected behaviour of a batch norm.
    warnings.filterwarnings("ignore", message="When training, we now always track global mean and variance")
    wanted = config.get("use_gpu", True)
    count = gpu_count()
    if wanted and count:
        device = f"gpu:{local_rank() % count}"
        if config.get("deterministic"):
            paddle.set_flags(DETERMINISTIC_GPU)
        paddle.set_device(device)
        _log.info("Device: %s", device)
        return device
    paddle.set_device("cpu")
    enable_mkl_avx2_on_amd()
    wanted_threads = config.get("cpu_threads")
    threads = set_cpu_threads(1 if wanted_threads is None and config.get("deterministic") else wanted_threads)
    reason = "" if not wanted else " (this Paddle is for CPU)" if not paddle.is_compiled_with_cuda() else " (no GPU found)"
    _log.info("Device: cpu, %d thread%s%s", threads, "" if threads == 1 else "s", reason)
    return "cpu"


def gpu_count() -> int:
    """Number of GPUs that Paddle can use; 0 without CUDA."""
    return int(paddle.device.cuda.device_count()) if paddle.is_compiled_with_cuda() else 0


def cpu_threads(config: Mapping[str, Any]) -> int:
    """Number of CPU threads that `choose_device` gives to Paddle, for other engines that stand in for it."""
    count = config.get("cpu_threads")
    return _default_threads() if count is None else int(count)


def set_cpu_threads(count: Optional[int] = None) -> int:
    """Let Paddle use `count` CPU threads (default: see `choose_device`), and return the number.

    Raises:
        ConfigError: `count` is not a positive integer.
    """
    if count is None:
        count = _default_threads()
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ConfigError(f"cpu_threads is a number of threads, 1 or more; got {count!r}")
    paddle.base.core.set_num_threads(count)
    return count


def _default_threads() -> int:
    # Paddle sets OMP_NUM_THREADS=1 in the environment on import, so a value of 1 does not mean that the user set it.
    asked = os.environ.get("OMP_NUM_THREADS", "1")
    if asked.isdigit() and int(asked) > 1:
        return int(asked)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // processes_here())

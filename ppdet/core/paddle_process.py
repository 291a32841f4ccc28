"""What Paddle does to a process that imports it, put right. Imports nothing of Paddle itself."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings


def prepare_for_paddle() -> None:
    """Call before ``import paddle``: leave out warnings that tell users nothing, and choose the faster matrix code."""
    warnings.filterwarnings("ignore", message="No ccache found")
    # Paddle 3.2 on says so at the first paddle.split of a process, to users of PyTorch; the call is Paddle's own form.
    warnings.filterwarnings("ignore", message=r"\s*Non compatible API")
    enable_mkl_avx2_on_amd()


def remove_paddle_log_handler() -> None:
    """Remove the handler that Paddle puts on Python's root logger when it is imported (3.0 to 3.3).

    It would print every program's lines, ours included, in Paddle's own format. Handlers of others stay.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        form = getattr(handler.formatter, "_fmt", None) or ""
        if type(handler) is logging.StreamHandler and form.startswith("[%(asctime)-15s] [%(levelname)8s] %(filename)s"):
            root.removeHandler(handler)


def restore_sigterm_handler() -> None:
    """Install this process's own SIGTERM handler again: Paddle, when imported, puts one over it that prints a crash report."""
    handler = signal.getsignal(signal.SIGTERM)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def enable_mkl_avx2_on_amd() -> None:
    """Let Paddle's matrix library (MKL of 2019) use AVX2 on processors that are not Intel's.

    By itself it falls back to SSE there. With AVX2 a training iteration of TinyPose takes 1.2 instead of 1.65 s of
    processor time (AMD EPYC, batch 32). Works until the first matrix product; an existing setting is left alone.
    """
    cpuinfo = "/proc/cpuinfo"
    if "MKL_DEBUG_CPU_TYPE" in os.environ or not os.path.exists(cpuinfo):
        return
    with open(cpuinfo, encoding="utf-8", errors="replace") as file:
        text = file.read(20000)
    if "AuthenticAMD" in text and " avx2" in text:
        os.environ["MKL_DEBUG_CPU_TYPE"] = "5"

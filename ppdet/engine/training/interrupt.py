"""Ctrl-C and SIGTERM: stop cleanly between iterations."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
from types import FrameType
from typing import Any, Dict, Optional

import numpy as np

from ppdet.core.logger import get_logger
from ppdet.engine import distributed

_log = get_logger(__name__)
SS_DISABLE = 2  # of Linux's signal.h


class Interrupt:
    """Within `with interrupt:` the first SIGINT or SIGTERM only sets `reason`; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.reason = ""
        self._before: Dict[int, Any] = {}

    def agreed(self) -> bool:
        """Whether any process of the run was interrupted; all processes get the same answer, so that none waits for another."""
        asked = np.array([1.0 if self.reason else 0.0], np.float32)
        if not distributed.total(asked)[0]:
            return False
        self.reason = self.reason or "another process was interrupted"
        return True

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            _use_ordinary_stack()
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _note(self, number: int, frame: Optional[FrameType]) -> None:
        if self.reason and number == signal.SIGINT:
            raise KeyboardInterrupt
        if self.reason:
            return
        self.reason = f"interrupted by {signal.Signals(number).name}"
        _log.warning("%s: finishing this iteration, then saving (Ctrl-C again to stop at once)", self.reason)


class Stack(ctypes.Structure):
    """`stack_t` of sigaltstack(2)."""

    _fields_ = (("sp", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


def _use_ordinary_stack() -> None:
    """Let signals of this thread be handled on its ordinary stack.

    Paddle gives the main thread a stack of 12 kB for signals. Once OpenVINO was loaded, which asks Linux for the tile registers
    of recent Intel processors, that is too small to save all registers, and Ctrl-C ends in a segmentation fault.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).sigaltstack(ctypes.byref(Stack(None, SS_DISABLE, 0)), None)

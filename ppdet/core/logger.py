"""Log lines in PaddleDetection's format, which users' scripts parse: ``[mm/dd hh:mm:ss] ppdet.engine INFO: text``."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from typing import Iterator


class _PpdetFormatter(logging.Formatter):
    """Shortens ``ppdet.engine.training.trainer`` to ``ppdet.engine``."""

    def format(self, record: logging.LogRecord) -> str:
        area = ".".join(record.name.split(".")[:2])
        line = f"[{self.formatTime(record, '%m/%d %H:%M:%S')}] {area} {record.levelname}: {record.getMessage()}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line


class _ConsoleHandler(logging.Handler):
    """Writes to whatever sys.stderr is at that moment, and stays silent if the host program logs to a terminal.

    A library must leave stdout to its caller's data. PaddleDetection's scripts log to stdout, and so do those of the same name
    here; see `logging_to_stdout`.
    """

    stream_name = "stderr"

    def emit(self, record: logging.LogRecord) -> None:
        terminal = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
        if any(getattr(handler, "stream", None) in terminal for handler in logging.getLogger().handlers):
            return
        try:
            stream = getattr(sys, self.stream_name)
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:  # the convention of logging: a failing log line never stops the program
            self.handleError(record)


@contextmanager
def logging_to_stdout() -> Iterator[None]:
    """Log to stdout inside a `with`, as PaddleDetection's scripts do and as people's scripts around them expect."""
    before, _ConsoleHandler.stream_name = _ConsoleHandler.stream_name, "stdout"
    try:
        yield
    finally:
        _ConsoleHandler.stream_name = before


@contextmanager
def without_log() -> Iterator[None]:
    """Drop log lines inside a `with`, for objects that are built on trial and thrown away."""
    root = get_logger()
    before = root.level
    root.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        root.setLevel(before)


def get_logger(name: str = "ppdet") -> logging.Logger:
    """The logger of a module; pass ``__name__``.

    In a distributed run only the first process prints lines below WARNING.
    """
    root = logging.getLogger("ppdet")
    if not any(isinstance(handler, _ConsoleHandler) for handler in root.handlers):
        handler = _ConsoleHandler()
        handler.setFormatter(_PpdetFormatter())
        root.addHandler(handler)
        root.setLevel(logging.INFO if os.environ.get("PADDLE_TRAINER_ID", "0") == "0" else logging.WARNING)
    return logging.getLogger(name if name.split(".")[0] == "ppdet" else f"ppdet.{name}")

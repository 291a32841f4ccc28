"""What importing Paddle does to a process and is undone; log lines; names that are imported on first use."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import types
import warnings
from collections.abc import Iterator

import pytest

from ppdet.core import logger, paddle_process
from ppdet.core.command import INTERRUPTED, TERMINATED, Terminated, is_interrupt, run_command
from ppdet.core.lazy_names import lazy_names
from ppdet.core.logger import get_logger, logging_to_stdout
from ppdet.core.paddle_process import enable_mkl_avx2_on_amd, remove_paddle_log_handler, restore_sigterm_handler

PADDLE_FORM = "[%(asctime)-15s] [%(levelname)8s] %(filename)s:%(lineno)s - %(message)s"


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """Python's root logger without handlers, and as it was afterwards."""
    root = logging.getLogger()
    before, root.handlers[:] = list(root.handlers), []
    yield root
    root.handlers[:] = before


def test_paddles_handler_goes_and_others_stay(root_logger: logging.Logger) -> None:
    theirs, mine, plain = logging.StreamHandler(), logging.StreamHandler(), logging.NullHandler()
    theirs.setFormatter(logging.Formatter(PADDLE_FORM))
    mine.setFormatter(logging.Formatter("%(message)s"))
    root_logger.handlers[:] = [plain, theirs, mine]
    remove_paddle_log_handler()
    assert root_logger.handlers == [plain, mine]


def test_the_handler_of_sigterm_is_installed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[tuple] = []
    monkeypatch.setattr(paddle_process.signal, "signal", lambda *words: installed.append(words))
    restore_sigterm_handler()
    assert installed == [(signal.SIGTERM, signal.getsignal(signal.SIGTERM))]
    monkeypatch.setattr(paddle_process.signal, "getsignal", lambda number: None)  # set by a program that is not Python
    restore_sigterm_handler()
    assert len(installed) == 1


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [("vendor_id\t: AuthenticAMD\nflags\t: fpu avx avx2 sse\n", "5"), ("vendor_id\t: GenuineIntel\nflags\t: avx avx2\n", None),
     ("vendor_id\t: AuthenticAMD\nflags\t: fpu avx sse\n", None)],
)  # fmt: skip
def test_only_amd_processors_with_avx2_need_the_setting(
    monkeypatch: pytest.MonkeyPatch, cpuinfo: str, expected: str | None
) -> None:
    monkeypatch.setattr(paddle_process, "open", lambda *words, **more: io.StringIO(cpuinfo), raising=False)
    monkeypatch.setattr(paddle_process.os.path, "exists", lambda path: True)
    monkeypatch.setenv("MKL_DEBUG_CPU_TYPE", "4")
    enable_mkl_avx2_on_amd()
    assert os.environ["MKL_DEBUG_CPU_TYPE"] == "4"  # the user's own
    monkeypatch.delenv("MKL_DEBUG_CPU_TYPE")
    enable_mkl_avx2_on_amd()
    assert os.environ.pop("MKL_DEBUG_CPU_TYPE", None) == expected


def test_a_log_line_goes_where_stderr_is_now(root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log = get_logger("ppdet.engine.training.trainer")
    log.warning("%d lines", 2)
    with logging_to_stdout():
        log.warning("out")
    log.warning("again")
    out, err = capsys.readouterr()
    assert out.endswith("ppdet.engine WARNING: out\n")
    texts = [line.partition("] ")[2] for line in err.splitlines()]
    assert texts == ["ppdet.engine WARNING: 2 lines", "ppdet.engine WARNING: again"]
    try:
        raise KeyError("inside")
    except KeyError:
        get_logger("of_a_plugin").exception("what")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith("ppdet.of_a_plugin ERROR: what") and lines[-1] == "KeyError: 'inside'"


def test_a_host_program_that_logs_to_the_terminal_gets_each_line_once(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    root_logger.handlers[:] = [logging.StreamHandler(sys.stderr)]
    get_logger("ppdet.x").warning("theirs")
    assert capsys.readouterr().err == "theirs\n"


def test_a_log_line_that_cannot_be_written_does_not_stop_the_program(
    root_logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[logging.LogRecord] = []
    monkeypatch.setattr(logger._ConsoleHandler, "handleError", lambda self, record: failed.append(record))
    monkeypatch.setattr(sys, "stderr", None)
    get_logger("ppdet.x").warning("nobody reads this")
    assert [record.getMessage() for record in failed] == ["nobody reads this"]


def test_only_the_first_process_of_a_distributed_run_prints_lines_below_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger("ppdet")
    before, level = list(root.handlers), root.level
    try:
        for rank, expected in (("0", logging.INFO), ("1", logging.WARNING)):
            root.handlers[:] = []
            monkeypatch.setenv("PADDLE_TRAINER_ID", rank)
            get_logger()
            assert root.level == expected
    finally:
        root.handlers[:] = before
        root.setLevel(level)


def test_lazy_names_are_imported_once_and_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    package, home = types.ModuleType("package_of_test"), types.ModuleType("package_of_test.home")
    home.Thing = object()
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.setitem(sys.modules, home.__name__, home)
    get, names = lazy_names(package.__name__, {"Thing": "home", "Another": "elsewhere"})
    assert names == ["Another", "Thing"] and not hasattr(package, "Thing")
    assert get("Thing") is home.Thing and package.Thing is home.Thing
    with pytest.raises(AttributeError, match="module 'package_of_test' has no attribute 'thing'"):
        get("thing")
    with pytest.raises(ModuleNotFoundError, match="elsewhere"):
        get("Another")


def test_sigterm_within_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    ended: list[str] = []

    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            ended.append("cleaned up")

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with warnings.catch_warnings():
            assert run_command(work) == TERMINATED and ended == ["cleaned up"]
        assert capsys.readouterr().err == "terminated (SIGTERM)\n" and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_ctrl_c_and_sigterm_are_interruptions_and_errors_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert [is_interrupt(kind) for kind in (KeyboardInterrupt, Terminated, None, RuntimeError, SystemExit)] == [
        True, True, False, False, False,
    ]  # fmt: skip

    def interrupted() -> None:
        raise KeyboardInterrupt

    assert run_command(interrupted) == INTERRUPTED and capsys.readouterr().err == "interrupted\n"

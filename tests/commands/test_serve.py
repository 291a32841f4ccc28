"""Mistakes on the command line of `ppdet serve`: one clear message, status 2, before or instead of serving."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from ppdet.commands.flags.command_line import make_parser
from ppdet.commands.running import serve
from ppdet.service.limits import ServiceLimits

for _package in ("fastapi", "uvicorn", "onnxruntime"):
    pytest.importorskip(_package)


def error_of(capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    """The message of a run that must end with status 2."""
    assert serve.main(list(flags), prog="ppdet serve") == 2
    message = capsys.readouterr().err
    assert "error: " in message and "Traceback" not in message
    return message


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--port", "0", "--model", "nothing"], "there is no model 'nothing'"),
        (["--port", "0", "--det", "nothing"], "there is no model 'nothing'"),
        (["--port", "0", "--det", "boxes.json"], "file of boxes"),
        (["--port", "70000"], "--port is 70000"),
        (["--port", "0", "--host", "203.0.113.7"], "not an address of this machine"),
        (["--port", "0", "--host", "no such host"], "not an address of this machine"),
        (["--port", "0", "--queue", "0"], "--queue is 0: give 1 or more"),
        (["--port", "0", "--seconds", "nan"], "--seconds is nan"),
        (["--port", "0", "--memory_mib", "1", "--body_mib", "2"], "the memory must hold at least one body"),
        (["--port", "0", "--workers", "0"], "--workers is 0"),
        (["--port", "0", "--det_threshold", "7"], "--det_threshold is 7"),
        (["--port", "0", "--api_key_file", "nothing"], "cannot read the API key in nothing"),
    ],
)
def test_mistakes(flags: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert words in error_of(capsys, *flags)


def test_a_taken_port(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is in use" in error_of(capsys, "--port", str(port))


def test_weak_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("tooshort\n")
    message = error_of(capsys, "--port", "0", "--api_key_file", str(tmp_path / "key"))
    assert "has 8 characters" in message and "tooshort" not in message
    monkeypatch.setenv(serve.KEY_VARIABLE, "with spaces in the key")
    message = error_of(capsys, "--port", "0")
    assert serve.KEY_VARIABLE in message and "spaces in the key" not in message


MISSING = [("fastapi", "FastAPI"), ("uvicorn", "uvicorn"), ("prometheus_client", "Prometheus")]


@pytest.mark.parametrize(("package", "name"), MISSING)
def test_a_missing_package(package: str, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [each for each in sys.modules if each == package or each.startswith((f"{package}.", "ppdet.service."))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    message = error_of(capsys, "--port", "0")
    assert name in message and "'.[serve]' in a clone" in message


def test_every_limit_is_a_flag_with_its_default() -> None:
    found = vars(make_parser(serve).parse_args([]))
    assert ServiceLimits(**{name: found[name] for name in vars(ServiceLimits())}) == ServiceLimits()

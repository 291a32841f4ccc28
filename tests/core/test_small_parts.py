"""Errors, registry, schema, files, logger, seeding, command."""

from __future__ import annotations

import logging
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ppdet
from ppdet.core.command import run_command
from ppdet.core.config.registry import Registry
from ppdet.core.config.schema import check_arguments, schema_of
from ppdet.core.errors import ConfigError, PpdetError
from ppdet.core.extras import install_extra
from ppdet.core.files import atomic_path, atomic_write, require_folder
from ppdet.core.logger import get_logger
from ppdet.core.problem import Mark, Problem, did_you_mean, nearest
from ppdet.core.seeding import sample_rng, seed_everything

ROOT = Path(__file__).resolve().parents[2]


def test_config_error_lists_all_problems():
    error = ConfigError([Problem("one", Mark("f", 3)), Problem("two")])
    assert str(error) == "2 problems in the config:\n  f:3: one\n  two"
    assert str(ConfigError("alone").in_context("while x")) == "alone\n  while x"
    assert isinstance(error, PpdetError)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("LiteHRNt", "LiteHRNet"), ("litehrnet", "LiteHRNet"), ("Completely", None), ("", None), ("HRNet", "HRNet")],
)
def test_nearest_name(given, expected):
    assert nearest(given, ["HRNet", "LiteHRNet", "DLA", 3]) == expected


def test_did_you_mean_never_offers_what_was_given():
    assert did_you_mean("HRNet", ["HRNet"]) == ""


def test_registry_refuses_a_second_class_of_a_name():
    registry = Registry()

    def make():
        class Twin:
            pass

        return Twin

    first = registry.add(make())
    assert registry.add(make()) is not first  # the same class statement run again, as on reloading a module
    with pytest.raises(ConfigError, match="two classes are called 'Twin'"):
        registry.add(type("Twin", (), {"__module__": "elsewhere"}))
    with pytest.raises(ConfigError, match="did you mean 'Twin'"):
        registry.get("Twn")
    assert "Twin" in registry and list(registry) == ["Twin"] and len(registry) == 1


def test_schema_reads_the_constructor():
    class Part:
        __shared__ = ["c"]

        def __init__(self, a, b=2, *, c=3):
            pass

    schema = schema_of(Part)
    assert list(schema.defaults) == ["a", "b", "c"] and schema.shared == ("c",) and not schema.is_open
    problems = check_arguments(schema, {"a": 1, "bb": 2, "zzzz": 3})
    assert [p.message for p in problems] == [
        "Part has no argument 'bb'; it takes a, b, c",
        "Part has no argument 'zzzz'; it takes a, b, c",
    ]

    class Stale:
        __inject__ = ["gone"]

        def __init__(self, a):
            pass

    with pytest.raises(AssertionError, match="gone"):
        schema_of(Stale)


def test_atomic_write_leaves_nothing_behind_on_failure(tmp_path):
    path = tmp_path / "new" / "x.json"
    with atomic_write(path) as file:
        file.write("a\nb")
        assert not path.exists()
    assert path.read_bytes() == b"a\nb"
    with pytest.raises(RuntimeError), atomic_write(path, "wb") as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"a\nb" and os.listdir(path.parent) == ["x.json"]
    with pytest.raises(ValueError, match="'w' or 'wb'"), atomic_write(path, "a"):
        pass


def test_atomic_files_have_ordinary_permissions_and_suffix(tmp_path):
    mask = os.umask(0o022)
    try:
        with atomic_path(tmp_path / "m.png") as temporary:
            assert temporary.suffix == ".png"
            temporary.write_bytes(b"1")
        assert stat.S_IMODE((tmp_path / "m.png").stat().st_mode) == 0o644
    finally:
        os.umask(mask)


LOG_AND_PRINT = """
import sys
from contextlib import nullcontext
from ppdet.core.logger import get_logger, logging_to_stdout
with logging_to_stdout() if sys.argv[1:] == ["script"] else nullcontext():
    get_logger("ppdet.engine.training.trainer").info("loss: %.1f", 0.5)
"""


@pytest.mark.parametrize("stream", ["stderr", "stdout"])
def test_log_lines_have_paddledetections_form(stream):
    """The library leaves stdout to its caller's data; PaddleDetection's scripts log to stdout."""
    command = [sys.executable, "-c", LOG_AND_PRINT, *(["script"] if stream == "stdout" else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[2])
    line = getattr(done, stream)
    assert re.fullmatch(r"\[\d\d/\d\d \d\d:\d\d:\d\d\] ppdet\.engine INFO: loss: 0\.5\n", line)
    assert done.stdout + done.stderr == line


def test_one_handler_however_often_it_is_asked_for():
    for _ in range(3):
        get_logger("ppdet.a")
    own = [h for h in logging.getLogger("ppdet").handlers if type(h).__module__ == "ppdet.core.logger"]
    assert len(own) == 1


def test_sample_rng_depends_on_seed_epoch_and_index_only():
    def draw(*key):
        return sample_rng(*key).integers(0, 2**31, 4).tolist()

    assert draw(1, 2, 3) == draw(1, 2, 3)
    assert len({tuple(draw(*key)) for key in ((1, 2, 3), (1, 3, 2), (2, 1, 3), (0, 2, 3), (1, 2, 4))}) == 5
    seed_everything(5)
    first = np.random.rand()
    seed_everything(5)
    assert np.random.rand() == first


def test_run_command_turns_user_errors_into_status_2(capsys):
    def fail():
        raise ConfigError("x is wrong")

    def interrupt():
        raise KeyboardInterrupt

    assert run_command(fail) == 2 and capsys.readouterr().err == "error: x is wrong\n"
    assert run_command(interrupt) == 130
    assert run_command(lambda: None) == 0 and run_command(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 // 0)


def test_a_closed_pipe_is_quiet():
    program = (
        "from ppdet.core.command import run_command\n"
        "raise SystemExit(run_command(lambda: [print('x' * 100) for _ in range(100000)] and None))"
    )
    done = subprocess.run(
        ["bash", "-c", f'set -o pipefail; "{sys.executable}" -c "$0" | head -1; echo "status $?"', program],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.stderr == "" and done.stdout.endswith("status 0\n")


def test_importing_the_package_is_light():
    program = "import sys, ppdet; bad = {'paddle', 'cv2', 'numpy', 'yaml'} & set(sys.modules); assert not bad, bad"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=300)
    assert ppdet.__version__ and "PosePipeline" in dir(ppdet)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ppdet.nothing


def test_sigterm_is_a_message_and_status_143(tmp_path):
    program = (
        "import os, time\n"
        "from ppdet.core.command import run_command\n"
        "from ppdet.core.files import atomic_write\n"
        "def work():\n"
        f"    with atomic_write({str(tmp_path / 'x')!r}) as file:\n"
        "        child = os.fork()\n"
        "        os.write(1, b'%d\\n' % (0 if child else os.getpid()))\n"  # a signal within fork() itself is lost to Python
        "        time.sleep(20)\n"
        "raise SystemExit(run_command(work))"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, text=True, **pipes) as one:
        child = max(int(one.stdout.readline()) for _ in range(2))
        os.kill(child, signal.SIGTERM)  # a forked process just ends
        one.terminate()
        assert one.wait(timeout=300) == 143
        assert one.stderr.read() == "terminated (SIGTERM)\n" and os.listdir(tmp_path) == []


def test_run_command_leaves_sigterm_as_it_was():
    def handler(number, frame):
        pass

    assert run_command(lambda: 0) == 0 and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    before = signal.signal(signal.SIGTERM, handler)
    try:
        assert run_command(lambda: int(signal.getsignal(signal.SIGTERM) is not handler)) == 0
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_folder_that_cannot_be_is_found_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ConfigError, match="save_dir: .*file is a file"):
            require_folder(path, "save_dir")
    assert require_folder(tmp_path / "a" / "b", "save_dir") == tmp_path / "a" / "b" and not (tmp_path / "a").exists()


def test_paddles_hint_for_users_of_another_framework_is_left_out():
    program = (
        "import warnings\nfrom ppdet.core.paddle_process import prepare_for_paddle\nprepare_for_paddle()\n"
        "warnings.warn('\\nNon compatible API. Please refer to https://x/torch.split.html first.', category=Warning)\n"
        "warnings.warn('something else')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    assert "something else" in done.stderr and "compatible" not in done.stderr


def test_messages_name_extras_that_a_clone_has() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    texts = [file.read_text(encoding="utf-8") for file in ROOT.glob("ppdet/**/*.py")]
    named = {name for text in texts for name in re.findall(r"install_extra\('(\w+)'\)", text)}
    assert {"train", "medical", "formats"} <= named
    assert [name for name in named if f"optional-dependencies.{name} " not in project] == []
    assert install_extra("serve") == "pip install '.[serve]' in a clone of ppdet-keypoint", "the package is on no index"

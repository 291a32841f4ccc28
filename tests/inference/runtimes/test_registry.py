"""Engines declare themselves, and outside packages may add one."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from ppdet.commands.flags.run_flags import add_engine_flags
from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference.runtimes import available_runtimes, load_runtime, register_runtime, runtime_devices, runtime_names
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions
from ppdet.inference.runtimes.model_files import ModelFiles
from ppdet.inference.runtimes.registry import runtime_precisions, unregister_runtime

ROOT = Path(__file__).resolve().parents[3]


class DoublingRuntime(Runtime):
    """Stands in for an engine of another package."""

    engine, title, reads, precisions = "doubling", "Doubling", ("onnx",), ("fp32", "int4")

    def __init__(self, files: ModelFiles, options: RuntimeOptions) -> None:
        self.place, self.precision, self.input_names = str(files.folder), options.precision, ["x"]

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        return [2 * self.checked(feeds)["x"]]


@pytest.fixture
def doubling() -> Iterator[None]:
    register_runtime(DoublingRuntime)
    yield
    unregister_runtime("doubling")


def test_every_engine_says_what_it_is() -> None:
    assert runtime_names() == ("onnxruntime", "openvino", "paddle", "mnn")  # the fastest on a CPU first
    assert runtime_devices() == ("cpu", "gpu", "xpu", "npu", "mlu") and runtime_precisions() == ("fp32", "bf16", "fp16", "int8")
    for each in available_runtimes():
        assert each.title and each.package and each.install and each.thread_safety and each.reads and each.__doc__


def test_an_engine_from_outside(doubling: None, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"anything")
    runtime = load_runtime(tmp_path, engine="doubling", precision="int4")
    np.testing.assert_array_equal(runtime.run({"x": np.ones((1, 2))})[0], [[2, 2]])
    assert runtime.precision == "int4"
    parser = argparse.ArgumentParser()
    add_engine_flags(parser)
    assert parser.parse_args(["--engine", "doubling", "--precision", "int4"]).engine == "doubling"
    with pytest.raises(ModelDirError, match="runs this model in fp32, fp16, int8, not int4: use --engine doubling for int4"):
        load_runtime(tmp_path, engine="onnxruntime", precision="int4")
    with pytest.raises(ModelDirError, match="no engine here can run") as caught:  # it has no rank, so "auto" leaves it alone
        load_runtime(tmp_path)
    assert "doubling" not in str(caught.value)


def test_names_are_unique(doubling: None) -> None:
    assert register_runtime(DoublingRuntime) is DoublingRuntime  # the same class again, as when its module is reloaded
    with pytest.raises(ConfigError, match="'paddle' is taken by"):
        register_runtime(type("Other", (DoublingRuntime,), {"engine": "paddle"}))
    with pytest.raises(ConfigError, match="give the engine a name"):
        register_runtime(type("Nameless", (DoublingRuntime,), {"engine": "auto"}))
    with pytest.raises(ConfigError, match="name at least one of the formats"):
        register_runtime(type("Blind", (DoublingRuntime,), {"engine": "blind", "reads": ("tflite",)}))


def test_the_names_cost_no_import() -> None:
    code = ("import sys; from ppdet.inference.runtimes import runtime_names; print(*runtime_names()); "
            "print(sorted({'numpy', 'paddle', 'onnxruntime', 'openvino', 'MNN'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split("\n")[:2] == ["onnxruntime openvino paddle mnn", "[]"]


@pytest.mark.parametrize("folder", ["ppdet", "tools", "deploy"])
def test_an_engine_is_named_in_its_own_module_only(folder: str) -> None:
    """Choices, tables and defaults are derived; "paddle" and "onnxruntime" are also names of other things."""
    named = {file.name for file in (ROOT / folder).rglob("*.py") if "openvino" in file.read_text(encoding="utf-8")}
    assert named <= {"openvino.py"}


def test_the_documentation_has_every_engine() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    rows = [f"| `{each.engine}` |" for each in available_runtimes()]
    assert rows and all(row in page for row in rows)

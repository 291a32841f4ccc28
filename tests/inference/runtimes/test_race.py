"""The race of engines: who wins, what is kept, and when there is none."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppdet.core.errors import ModelDirError
from ppdet.inference.runtimes import race
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions
from ppdet.inference.runtimes.model_files import ModelFiles
from ppdet.inference.runtimes.race import raced


def engine(name: str, milliseconds: float, **attributes: Any) -> type[Runtime]:
    class Engine(Runtime):
        engine, title, reads, races = name, name, ("onnx",), True
        loads = 0

        def __init__(self) -> None:
            type(self).loads += 1
            self.input_names, self.input_shapes = ["image"], {"image": ["batch", 3, 8, 6]}

        def run(self, feeds: Any) -> list[np.ndarray]:
            time.sleep(milliseconds / 1e3)
            return [feeds["image"]]

    for key, value in attributes.items():
        setattr(Engine, key, value)
    return Engine


@pytest.fixture()
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelFiles:
    monkeypatch.setenv(race.SWITCH, "on")
    monkeypatch.setattr(race, "cache_root", lambda: tmp_path / "cache")
    monkeypatch.setattr(race, "SECONDS", 0.02)
    (tmp_path / "model.onnx").write_bytes(b"anything")
    return ModelFiles(tmp_path, tmp_path / "model.onnx", None, None, None)


def order_of(engines: list[type[Runtime]], files: ModelFiles, **options: Any) -> list[str]:
    return [each.engine for each in raced(engines, files, RuntimeOptions(**options), lambda each: each())]


def test_the_clearly_faster_engine_wins_and_is_remembered(files: ModelFiles, tmp_path: Path) -> None:
    engines = [engine("first", 4), engine("second", 1), engine("third", 8)]
    assert order_of(engines, files) == ["second", "first", "third"]
    assert [each.loads for each in engines] == [1, 1, 1]
    assert order_of(engines, files) == ["second", "first", "third"]
    assert [each.loads for each in engines] == [1, 1, 1], "the second time the file is read"
    (kept,) = json.loads((tmp_path / "cache" / race.FILE).read_text()).values()
    assert kept["second"] < kept["first"] < kept["third"]
    files.onnx.write_bytes(b"another model")
    order_of(engines, files)
    assert engines[0].loads == 2, "another model is raced again"


def test_a_small_advantage_changes_nothing(files: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "_milliseconds", lambda runtime, _: {"first": 1.0, "second": 0.9}[runtime.engine])
    assert order_of([engine("first", 0), engine("second", 0)], files) == ["first", "second"]


def test_who_does_not_take_part(files: ModelFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, fast = engine("slow", 3), engine("fast", 0)
    assert order_of([slow, engine("fast", 0, races=False)], files) == ["slow", "fast"]
    assert order_of([slow, engine("fast", 0, package="no_such_package")], files) == ["slow", "fast"]
    assert order_of([slow, engine("fast", 0, precisions=("bf16",))], files) == ["slow", "fast"]
    assert order_of([slow, fast], files, device="gpu") == ["slow", "fast"]
    assert order_of([slow, fast], files, is_brief=True) == ["slow", "fast"]
    monkeypatch.setenv(race.SWITCH, "off")
    assert order_of([slow, fast], files) == ["slow", "fast"] and not fast.loads and not slow.loads


def test_an_engine_that_cannot_load_the_model_is_left_to_the_registry(files: ModelFiles) -> None:
    def refuse(self: Runtime) -> None:
        raise ModelDirError("cannot load")

    engines = [engine("broken", 0, __init__=refuse), engine("first", 3), engine("second", 0)]
    assert order_of(engines, files) == ["second", "broken", "first"]


def test_a_model_of_any_size_and_a_damaged_file(files: ModelFiles, tmp_path: Path) -> None:
    def anything(self: Runtime) -> None:
        self.input_names, self.input_shapes = ["image"], {"image": ["batch", 3, "high", "wide"]}

    assert order_of([engine("first", 3, __init__=anything), engine("second", 0, __init__=anything)], files) == ["first", "second"]
    (tmp_path / "cache").mkdir(exist_ok=True)
    (tmp_path / "cache" / race.FILE).write_text("{ no JSON")
    assert order_of([engine("first", 3), engine("second", 0)], files) == ["second", "first"]

"""An engine stands in for the framework in an evaluation, with the same predictions."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.pose_parts import write_config, write_people
from support.shared_data import shared
from support.small_configs import write_picodet

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.assembly import Assembly
from ppdet.engine.evaluation import acceleration
from ppdet.engine.evaluation.acceleration import accelerated
from ppdet.engine.evaluation.evaluator import evaluate
from ppdet.engine.export.parity import EngineResult
from ppdet.engine.tasks.bottom_up import BottomUpTask
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.engine.weights.checkpoint import save_pdparams

MIXED = SimpleNamespace(enabled=True)  # as on a GPU: on a CPU `Precision` switches itself off


@pytest.fixture()
def config_path(tmp_path: Path) -> Path:
    return write_config(tmp_path, write_people(tmp_path / "people"))


def test_the_same_keypoints_as_the_framework(config_path: Path, tmp_path: Path) -> None:
    """Also with the flip test, whose averaging is outside the graph."""
    weights = save_pdparams(Assembly(load_config(config_path)).model().state_dict(), tmp_path / "w.pdparams")
    found = {}
    for engine in ("paddle", "onnxruntime"):
        evaluate(load_config(config_path, [f"weights={weights}"]), tmp_path / engine, engine=engine)
        rows = json.loads((tmp_path / engine / "keypoints_results.json").read_text())
        found[engine] = np.array([row["keypoints"] for row in rows])
    np.testing.assert_allclose(found["onnxruntime"], found["paddle"], atol=1e-2)


@pytest.fixture()
def worthwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Datasets of any size are worth a conversion."""
    monkeypatch.setattr(acceleration, "MIN_SAMPLES", 1)


def chosen(assembly: Assembly, **arguments: Any) -> Any:
    model = assembly.model()
    with accelerated(assembly, model, **arguments) as found:
        return found if found is not model else "framework"


def test_small_sets_stay_with_the_framework(config_path: Path) -> None:
    assert chosen(Assembly(load_config(config_path))) == "framework"


@pytest.mark.usefixtures("worthwhile")
def test_auto_takes_an_engine_that_agrees_and_says_so(config_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert isinstance(chosen(Assembly(load_config(config_path))), ExportedModel)
    assert "evaluated as an exported graph by" in caplog.text


@pytest.mark.usefixtures("worthwhile")
@pytest.mark.parametrize("arguments", [{"engine": "paddle"}, {"precision": MIXED}], ids=["asked", "amp"])
def test_the_framework_keeps_what_is_its_own(config_path: Path, arguments: dict[str, Any]) -> None:
    assert chosen(Assembly(load_config(config_path)), **arguments) == "framework"


@pytest.mark.usefixtures("worthwhile")
def test_an_engine_that_differs_is_not_used(
    config_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(acceleration, "compare_with_framework", lambda *_: EngineResult("onnxruntime", "differs", max_px=3.0))
    assert chosen(Assembly(load_config(config_path))) == "framework"
    assert "differ from the framework's by 3.000 px" in caplog.text
    with pytest.raises(ConfigError, match="--engine onnxruntime: its predictions differ"):
        chosen(Assembly(load_config(config_path)), engine="onnxruntime")


@pytest.mark.parametrize(("options", "fits"), [([], False), (["HigherHRNet.eval_flip=false"], True)])
def test_bottom_up_graphs_stand_in_without_flip_test_only(options: list[str], fits: bool) -> None:
    config = load_config("configs/keypoint/higherhrnet/higherhrnet_hrnet_w32_512.yml", options)
    form = BottomUpTask.evaluated_form
    task = type("Task", (BottomUpTask,), {"deployed_form": lambda *_: "form"})()
    assert (form(task, type("Parts", (), {"config": config})(), None) == "form") is fits


@pytest.mark.slow
def test_box_ap_is_that_of_the_framework(tmp_path: Path) -> None:
    config = write_picodet(tmp_path, shared("data", "coco_person"), size=192)
    weights = shared("data", "weights", "picodet_s_192_lcnet_pedestrian.pdparams")
    figures = [evaluate(load_config(config, [f"weights={weights}"]), engine=engine)["AP"] for engine in ("paddle", "auto")]
    assert figures[1] == pytest.approx(figures[0], abs=2e-4)

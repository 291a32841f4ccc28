"""Evaluation of top-down models and detectors, with known answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import paddle
import pytest
from support.oracle_model import Oracle
from support.pose_parts import write_config, write_people
from support.shared_data import shared
from support.small_configs import write_picodet, write_tinypose

from ppdet.core.config.load import load_config
from ppdet.core.errors import CheckpointError, ConfigError, DataError
from ppdet.engine import distributed
from ppdet.engine.assembly import Assembly
from ppdet.engine.evaluation.evaluator import Evaluator, evaluate
from ppdet.engine.tasks.base import Collected
from ppdet.engine.tasks.top_down import TopDownTask
from ppdet.engine.weights.checkpoint import save_pdparams


@pytest.fixture()
def config_path(tmp_path: Path) -> Path:
    return write_config(tmp_path, write_people(tmp_path / "people"))


def assembly_of(path: Path, *options: str) -> Assembly:
    return Assembly(load_config(path, options))


@pytest.mark.parametrize("flip", [False, True])
def test_perfect_heatmaps_give_perfect_ap(config_path: Path, flip: bool) -> None:
    assembly = assembly_of(config_path, f"TopDownHRNet.flip={str(flip).lower()}")
    model = Oracle(assembly, flip)
    evaluator = Evaluator(assembly, model)
    figures = evaluator.run()
    assert figures["AP"] == pytest.approx(1.0)
    # A tenth of a pixel on a box of 86: what is lost on the way would show here long before it shows in AP.
    assert evaluator.metric.keypoint_scores["similarity"].min() > 0.999
    assert model.calls == ([8, 4] if flip else [4, 2]), "both halves of the flip test go through the network together"
    assert model.training, "the model comes back in the mode it was in"
    assert "6 ground-truth boxes" in evaluator.setting
    assert ("flip test on (shift 0.750 cell)" if flip else "flip test off") in evaluator.setting


def test_exact_switch_is_worse_with_a_warning(config_path: Path) -> None:
    """PaddleDetection's un-warp of a UDP crop is biased: perfect heatmaps do not come back where they were."""
    options = ["TopDownHRNet.flip=false", "codec.crop=udp"]
    true = Evaluator(assembly := assembly_of(config_path, *options), Oracle(assembly, False))
    exact = Evaluator(assembly := assembly_of(config_path, *options, "codec.paddledet_exact=true"), Oracle(assembly, False))
    true.run()
    exact.run()
    assert "exact PaddleDetection" in exact.setting and "true inverse" in true.setting
    ours, theirs = (e.metric.keypoint_scores["similarity"].mean() for e in (true, exact))
    assert ours > 0.9999 > theirs


def test_metric_with_the_truth_of_the_samples(config_path: Path) -> None:
    """The hand metric takes the truth from the reader: it must come back to image pixels exactly."""
    assembly = assembly_of(config_path, "TopDownHRNet.flip=false", "metric=KeyPointTopDownCOCOWholeBadyHandEval")
    figures = Evaluator(assembly, Oracle(assembly, False)).run()
    assert figures["PCK"] == 1 and figures["EPE"] < 0.02


def test_unreadable_images_are_reported_and_count_as_missed(config_path: Path, tmp_path: Path) -> None:
    (tmp_path / "people" / "images" / "2.png").write_bytes(b"no image")
    evaluator = Evaluator(assembly := assembly_of(config_path, "TopDownHRNet.flip=false"), Oracle(assembly, False))
    evaluator.run()
    assert [Path(path).name for path, _ in evaluator.bad] == ["2.png"]
    assert len(evaluator.metric.results()) == 4


def test_processes_are_merged_and_every_sample_counts_once(config_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assembly = assembly_of(config_path, "TopDownHRNet.flip=false")
    whole = Evaluator(assembly, Oracle(assembly, False))
    whole.run()
    state = whole.metric.state()
    parts = [{name: values[rows] for name, values in state.items()} for rows in (slice(0, 4), slice(3, 6))]
    evaluator = Evaluator(assembly, Oracle(assembly, False))
    gathered = [(parts[0], 4, []), (parts[1], 3, [])]
    monkeypatch.setattr(distributed, "gather", lambda value: gathered if isinstance(value, tuple) else [value])
    part = lambda *_: evaluator.metric.merge([parts[0]]) or Collected(4, "the first part")  # noqa: E731
    monkeypatch.setattr(TopDownTask, "collect", part)
    assert evaluator.run()["AP"] == pytest.approx(1.0)
    assert len(evaluator.metric.state()["index"]) == 6


def test_only_the_first_process_computes_the_figures(config_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assembly = assembly_of(config_path, "TopDownHRNet.flip=false")
    evaluator = Evaluator(assembly, Oracle(assembly, False))
    gather = lambda value: [value] if isinstance(value, tuple) else [{"AP": 0.5}, value]  # noqa: E731
    monkeypatch.setattr(distributed, "gather", gather)
    monkeypatch.setattr(distributed, "is_main", lambda: False)
    monkeypatch.setattr(evaluator.metric, "compute", lambda: pytest.fail("computed by a process that is not the first"))
    assert evaluator.run() == {"AP": 0.5}


def test_warnings_of_the_config_are_logged(config_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with config_path.open("a") as file:
        file.write("odd_key: 3\n")
    with pytest.raises(CheckpointError):  # there are no weights; the warning comes first
        evaluate(load_config(config_path, ["weights=" + str(tmp_path / "none.pdparams")]))
    assert "nothing reads the top-level key 'odd_key'" in caplog.text


def test_evaluate_writes_predictions_and_scores_them_again(config_path: Path, tmp_path: Path) -> None:
    model = assembly_of(config_path).model()
    weights = save_pdparams(model.state_dict(), tmp_path / "w.pdparams")
    options = [f"weights={weights}"]
    first = evaluate(load_config(config_path, options), tmp_path / "out")
    assert (tmp_path / "out" / "keypoints_results.json").is_file()
    assert evaluate(load_config(config_path), tmp_path / "out", json_eval=True) == pytest.approx(first)
    only = evaluate(load_config(config_path, [*options, "save_prediction_only=true", f"save_dir={tmp_path / 'only'}"]))
    assert only == {} and (tmp_path / "only" / "keypoints_results.json").is_file()


def test_mistakes_are_named(config_path: Path, tmp_path: Path) -> None:
    weights = save_pdparams(assembly_of(config_path).model().state_dict(), tmp_path / "w.pdparams")

    def run(*options: str, output_eval: Any = None, **more: Any) -> None:
        evaluate(load_config(config_path, options), output_eval, **more)

    with pytest.raises(ConfigError, match="names no weights"):
        run()
    with pytest.raises(CheckpointError, match="nowhere"):
        run("weights=nowhere")
    with pytest.raises(DataError, match="elsewhere.json"):
        run(f"weights={weights}", "EvalDataset.anno_path=elsewhere.json")
    with pytest.raises(DataError, match="cannot read result file"):
        run(output_eval=tmp_path / "empty", json_eval=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="output_eval: .*is a file"):
        run(f"weights={weights}", output_eval=tmp_path / "file" / "out")
    seventeen = write_tinypose(tmp_path, tmp_path / "people")
    with pytest.raises((CheckpointError, DataError)):
        evaluate(load_config(seventeen, [f"weights={weights}", "EvalDataset.anno_path=truth.json"]))


def test_weights_for_another_number_of_keypoints(tmp_path: Path) -> None:
    people = write_people(tmp_path / "people")
    config = write_config(tmp_path, people)
    state = assembly_of(config).model().state_dict()
    state = {k: (paddle.concat([v, v]) if k.startswith("final_conv") else v) for k, v in state.items()}
    weights = save_pdparams(state, tmp_path / "six.pdparams")
    with pytest.raises(CheckpointError, match="6 keypoints, the config asks for 3"):
        evaluate(load_config(config, [f"weights={weights}"]))


# --- figures of released weights --------------------------------------------------------------------------------------

FIGURES = [  # options, AP at 256x192, AP at 128x96, at least (or within .003 for PaddleDetection's own)
    (["paddledet_exact=true"], 0.644, 0.551),
    ([], 0.645, 0.556),
    (["TopDownHRNet.flip=false"], 0.630, 0.525),
    (["paddledet_exact=true", "TopDownHRNet.flip=false"], 0.6295, 0.5167),
]


@pytest.mark.slow
@pytest.mark.parametrize("small", [True, False], ids=["128x96", "256x192"])
@pytest.mark.parametrize(("options", "large_ap", "small_ap"), FIGURES, ids=["exact", "true", "noflip", "exact-noflip"])
def test_released_tinypose(tmp_path: Path, options: list[str], large_ap: float, small_ap: float, small: bool) -> None:
    config = write_tinypose(tmp_path, shared("data", "coco_person"), small=small)
    weights = shared("data", "weights", "tinypose_128x96.pdparams" if small else "tinypose_256x192.pdparams")
    ap = evaluate(load_config(config, [f"weights={weights}", *options]))["AP"]
    expected = small_ap if small else large_ap
    assert abs(ap - expected) <= 0.003 if "paddledet_exact=true" in options else ap >= expected


@pytest.mark.slow
@pytest.mark.parametrize(("size", "expected"), [(320, 0.505), (192, 0.410)])
def test_released_picodet(tmp_path: Path, size: int, expected: float) -> None:
    config = write_picodet(tmp_path, shared("data", "coco_person"), size=size)
    weights = shared("data", "weights", f"picodet_s_{size}_lcnet_pedestrian.pdparams")
    assert evaluate(load_config(config, [f"weights={weights}"]))["AP"] >= expected


@pytest.mark.slow
def test_two_processes_give_the_figures_of_one(tmp_path: Path) -> None:
    config = write_tinypose(tmp_path, shared("data", "coco_person"))
    options = [f"weights={shared('data', 'weights', 'tinypose_128x96.pdparams')}", "TopDownHRNet.flip=false"]
    alone = evaluate(load_config(config, options))
    tool = str(Path(__file__).resolve().parents[3] / "tools" / "eval.py")
    launch = [sys.executable, "-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--log_dir", str(tmp_path / "log")]
    command = [*launch, tool, "-c", str(config), "--output_eval", str(tmp_path / "out"), "-o", *options]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    assert len(json.loads((tmp_path / "out" / "keypoints_results.json").read_text())) == 238
    assert evaluate(load_config(config, options), tmp_path / "out", json_eval=True) == pytest.approx(alone, abs=1e-3)

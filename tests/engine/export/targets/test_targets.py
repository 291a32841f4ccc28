"""The choice of targets, Paddle Lite's converter (a fake one), MNN and OpenVINO files of a small network, and their engines."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ppdet.core.errors import ExportError, ModelDirError
from ppdet.engine.export.targets import lite
from ppdet.engine.export.targets.job import ExportJob
from ppdet.engine.export.targets.mnn import MnnTarget
from ppdet.engine.export.targets.openvino import OpenVINOTarget
from ppdet.engine.export.targets.table import TARGETS, chosen_targets
from ppdet.inference.runtimes.model_files import find_model_files
from ppdet.inference.runtimes.registry import load_runtime

onnx = pytest.importorskip("onnx")


def names(found: list) -> dict[str, list[str]]:
    return {target.name: precisions for target, precisions in found}


def test_targets_and_precisions() -> None:
    assert names(chosen_targets(["onnx", "paddle"], ["fp32"])) == {"paddle": ["fp32"], "onnx": ["fp32"]}
    both = chosen_targets(list(TARGETS), ["fp32", "fp16", "bf16", "int8"])
    assert names(both)["onnx"] == ["fp32", "fp16", "int8"] and names(both)["lite"] == ["fp32", "fp16"]
    assert list(names(both)).index("legacy") < list(names(both)).index("lite"), "lite converts what legacy wrote"


@pytest.mark.parametrize(
    ("targets", "precisions", "words"),
    [
        (["onxx"], ["fp32"], "'onxx' is not a target; give some of mnn, onnx"),
        ([], ["fp32"], "is not a target"),
        (["onnx"], ["int4"], "give some of fp32, fp16, bf16, int8"),
        (["paddle"], ["fp32", "int8"], "none of the targets paddle has int8: add one of mnn, onnx, openvino"),
        (["paddle", "onnx"], ["int8"], "the target paddle has no int8: add --precision fp32"),
    ],
)
def test_mistakes(targets: list[str], precisions: list[str], words: str) -> None:
    with pytest.raises(ExportError, match=words):
        chosen_targets(targets, precisions)


# ---------------------------------------------------------------- Paddle Lite


def fake_converter(folder: Path, script: str) -> str:
    path = folder / "paddle_lite_opt"
    path.write_text(f"#!{sys.executable}\nimport sys\nargs = dict(a.split('=', 1) for a in sys.argv[1:])\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_the_converter_is_called_for_each_processor(tmp_path: Path) -> None:
    program = fake_converter(tmp_path, "open(args['--optimize_out'] + '.nb', 'w').write(' '.join(sorted(sys.argv[1:])))")
    job = SimpleNamespace(folder=tmp_path, work=tmp_path / "work", lite_opt=program)
    (tmp_path / "legacy").mkdir()
    (tmp_path / "legacy" / "model.pdmodel").write_bytes(b"")
    for precision in ("fp32", "fp16"):
        TARGETS["lite"].write(job, precision)
    written = {path.name: path.read_text() for path in (tmp_path / "lite").iterdir()}
    assert written.keys() == {"model_arm.nb", "model_x86.nb", "model_arm.fp16.nb"}
    assert "--valid_targets=arm" in written["model_arm.nb"] and "fp16" not in written["model_arm.nb"]
    assert "--enable_fp16=true" in written["model_arm.fp16.nb"] and "legacy/model.pdmodel" in written["model_x86.nb"]


def test_a_converter_that_fails_or_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake_converter(tmp_path, "print('op gelu is not supported'); sys.exit(3)")
    with pytest.raises(ExportError, match=r"for arm \(exit 3\)(.|\n)*op gelu is not supported"):
        lite.convert(program, tmp_path, tmp_path / "model_arm", "arm", "fp32")
    silent = fake_converter(tmp_path, "pass")
    with pytest.raises(ExportError, match=r"exit 0"):
        lite.convert(silent, tmp_path, tmp_path / "model_arm", "arm", "fp32")
    with pytest.raises(ExportError, match="no such file.*lite39"):
        lite.find_converter(str(tmp_path / "absent"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(ExportError, match="not on the PATH.*Python 3.7 to 3.9"):
        lite.find_converter("")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lite.find_converter("") == silent


# ---------------------------------------------------------------- files of a small network


def small_network(path: Path) -> Path:
    rng = np.random.default_rng(0)
    weights = onnx.numpy_helper.from_array(rng.normal(0, 0.3, (4, 3, 3, 3)).astype(np.float32), "w")
    nodes = [
        onnx.helper.make_node("Conv", ["image", "w"], ["c"], pads=[1, 1, 1, 1], name="conv"),
        onnx.helper.make_node("Relu", ["c"], ["heatmap"], name="relu"),
    ]
    value = onnx.helper.make_tensor_value_info
    inputs = [value("image", onnx.TensorProto.FLOAT, ["batch", 3, 8, 6])]
    outputs = [value("heatmap", onnx.TensorProto.FLOAT, ["batch", 4, 8, 6])]
    graph = onnx.helper.make_graph(nodes, "net", inputs, outputs, [weights])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


@pytest.fixture()
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportJob:
    graph = small_network(tmp_path / "small.onnx")
    form = SimpleNamespace(card=SimpleNamespace(versions={}), without_suppression=None)
    made = ExportJob(form, tmp_path / "out", tmp_path)  # type: ignore[arg-type]
    made.folder.mkdir()
    monkeypatch.setattr(made, "graph", lambda *_, **__: graph)
    return made


@pytest.mark.parametrize("target", [MnnTarget(), OpenVINOTarget()], ids=lambda each: each.name)
def test_files_that_engines_read(job: ExportJob, tmp_path: Path, target: MnnTarget | OpenVINOTarget) -> None:
    pytest.importorskip(target.packages[0])
    target.write(job, "fp32")
    target.write(job, "fp16")
    image = np.random.default_rng(1).normal(0, 1, (3, 3, 8, 6)).astype(np.float32)
    runs = [load_runtime(job.folder, engine=target.name, precision=each).run({"image": image})[0] for each in ("fp32", "fp16")]
    (tmp_path / "model.onnx").write_bytes((tmp_path / "small.onnx").read_bytes())
    expected = load_runtime(tmp_path, engine="onnxruntime").run({"image": image})[0]
    np.testing.assert_allclose(runs[0], expected, atol=1e-5)
    np.testing.assert_allclose(runs[1], expected, atol=1e-2)
    assert not np.array_equal(runs[1], runs[0]) and job.form.card.versions[target.name]
    assert load_runtime(job.folder, engine=target.name, precision="fp16").precision == "fp16"
    with pytest.raises(ModelDirError, match=r"no network in int8.*--precision fp32,int8"):
        load_runtime(job.folder, engine=target.name, precision="int8")


def test_a_graph_without_its_weights(job: ExportJob) -> None:
    pytest.importorskip("openvino")
    OpenVINOTarget().write(job, "fp32")
    (job.folder / "model.bin").unlink()
    with pytest.raises(ModelDirError, match=r"no weights beside it \(expected model.bin\)"):
        find_model_files(job.folder)


def test_a_folder_with_one_precision_runs_without_asking(job: ExportJob) -> None:
    pytest.importorskip("openvino")
    OpenVINOTarget().write(job, "fp16")
    assert load_runtime(job.folder, engine="openvino").precision == "fp16"


def test_mnn_reports_what_it_cannot_convert(job: ExportJob, tmp_path: Path) -> None:
    pytest.importorskip("MNN")
    (tmp_path / "small.onnx").write_bytes(b"no network")
    with pytest.raises(ExportError, match="MNN could not convert the network"):
        MnnTarget().write(job, "fp32")

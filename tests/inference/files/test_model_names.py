"""Names of models: bundled ones first, then the zoo, then paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.planted_models import write_detector, write_pose_model

from ppdet.core.errors import ConfigError, EngineError, ModelDirError
from ppdet.inference.files import model_names
from ppdet.inference.files.model_names import DETECTOR, POSE, default_model, find_model
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.runtimes import available_runtimes

pytest.importorskip("onnx")


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "model_zoo" / "bundled"
    write_pose_model(folder / "tinypose_128x96")
    write_detector(folder / "picodet_s_192_person")
    monkeypatch.setattr(model_names, "bundled_models_folder", lambda: folder)
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_models_that_come_with_the_package(bundled: Path) -> None:
    pose = bundled / "tinypose_128x96"
    assert default_model(POSE) == find_model("tinypose", POSE) == find_model("tinypose_128x96", POSE) == pose
    assert default_model(DETECTOR) == find_model("picodet", DETECTOR) == bundled / "picodet_s_192_person"
    (bundled.parent.parent / "tinypose").mkdir()
    assert find_model("tinypose", POSE) == bundled / "tinypose_128x96"  # before paths
    assert find_model(Path.cwd() / "tinypose", POSE) == Path.cwd() / "tinypose" == find_model("./tinypose", POSE).resolve()


def test_several_of_one_beginning(bundled: Path) -> None:
    write_pose_model(bundled / "picodet_pose")
    assert find_model("picodet", DETECTOR).name == "picodet_s_192_person"  # the other one is no detector
    write_pose_model(bundled / "tinypose_256x192")
    with pytest.raises(ModelDirError, match="may be tinypose_128x96 or tinypose_256x192"):
        find_model("tinypose", POSE)
    (bundled.parent / "bundled.yml").write_text("defaults: {pose: tinypose_256x192}\naliases: {tinypose: tinypose_128x96}\n")
    assert find_model("tinypose", POSE).name == "tinypose_128x96" and default_model(POSE).name == "tinypose_256x192"


def test_a_model_of_the_other_kind(bundled: Path) -> None:
    with pytest.raises(ModelDirError, match=r"'picodet' stands for picodet_s_192_person, a detector: give it as the detector"):
        find_model("picodet", POSE)
    with pytest.raises(ModelDirError, match=r"'tinypose' stands for tinypose_128x96, a pose model: .*and here a detector"):
        find_model("tinypose", DETECTOR)


def test_models_of_the_zoo_are_not_fetched_unasked(bundled: Path) -> None:
    with pytest.raises(ModelDirError, match="ppdet zoo download tinypose_256x192; ppdet export -c tinypose_256x192 "):
        find_model("tinypose_256x192", POSE)
    exported = write_pose_model(Path("output_inference") / "tinypose_256x192")
    assert find_model("tinypose_256x192", POSE) == exported


def test_unknown_names_list_the_known_ones(bundled: Path) -> None:
    with pytest.raises(ModelDirError, match="no model 'tinypos_128x96' .did you mean tinypose_128x96.*Bundled models: picodet_s"):
        find_model("tinypos_128x96", POSE)
    with pytest.raises(ModelDirError) as caught:
        find_model("tinypose_128x69", POSE)
    assert str(caught.value).count("tinypose_128x96 or") == 1  # bundled and in the zoo, named once
    with pytest.raises(ModelDirError, match="no file rtmpose.onnx: check the path"):
        find_model("rtmpose.onnx", POSE)


def test_a_pipeline_by_name(bundled: Path) -> None:
    pytest.importorskip("onnxruntime")
    image = np.full((80, 60, 3), 200, np.uint8)
    image[20:60, 20:40] = 60
    for pipeline in (PosePipeline(), PosePipeline(det="picodet", model="tinypose"), PosePipeline(model="tinypose_128x96")):
        assert pipeline.detector is not None and len(pipeline(image)) == 1
    assert PosePipeline(None).detector is None
    with pytest.raises(ConfigError, match="give each model once"):
        PosePipeline("picodet", det="picodet")
    with pytest.raises(ModelDirError, match="no pose model"):
        PosePipeline(model=bundled / "picodet_s_192_person")


def test_a_damaged_bundled_file(bundled: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = bundled / "tinypose_128x96" / "model.onnx"
    model.write_bytes(model.read_bytes()[:100])
    with pytest.raises(ModelDirError, match="(?s)model.onnx.*tinypose_128x96 came with the package.*install ppdet-key"):
        PosePipeline()
    (bundled / "tinypose_128x96" / "infer_cfg.yml").write_text("arch: [")
    with pytest.raises(ModelDirError, match="came with the package"):
        PosePipeline(model=bundled / "tinypose_128x96")


@pytest.mark.parametrize(
    "options", [{"engine": "mnn"}, {"engine": "foo"}, {"device": "gpu"}, {"engine": "onnxruntime", "precision": "bf16"}]
)
def test_files_are_not_to_blame_for_an_engine(options: dict[str, str], bundled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    for runtime in available_runtimes():
        if runtime.engine != "onnxruntime":
            monkeypatch.setattr(runtime, "is_installed", lambda: False)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EngineError) as caught:
        PosePipeline(**options)
    assert "came with the package" not in str(caught.value)


def test_a_copy_without_bundled_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_names, "bundled_models_folder", lambda: tmp_path / "none")
    with pytest.raises(ModelDirError, match="no bundled pose model .*give the folder of an exported model"):
        PosePipeline()

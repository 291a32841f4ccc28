"""docs/extending.md: what its code adds from outside the package trains, exports and runs, by registration alone."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
DOC = ROOT / "docs" / "extending.md"
WH = (32, 48)

# One process for all steps: importing Paddle takes longer than any of them.
SCRIPT = """
import json, sys
from pathlib import Path
from ppdet.core.config.load import load_config
from ppdet.engine.training.run import TrainingOptions
from ppdet.engine.training.run import train
from ppdet.engine.evaluation.evaluator import evaluate
from ppdet.engine.export.exporter import export
from ppdet.engine.prediction.predictor import PredictOptions, predict
from ppdet.image.io import read_image
from ppdet.inference import PosePipeline

found = {}
for name in ("pose", "whole_image"):
    path = f"my_pose/{name}.yml"
    state = train(load_config(path), TrainingOptions(evaluate=name == "pose"))
    weights = f"weights=output/{name}/model_final.pdparams"
    config = load_config(path, [weights])
    figures = evaluate(config)
    folder = export(config, "exported", onnx=True)
    report = json.loads((folder / "export_report.json").read_text())
    image = Path("data/0.png")
    pipeline = PosePipeline(None, folder, engine="session", flip_test=True)  # as prediction from weights does
    result = pipeline(image)
    predict(config, [image], PredictOptions(output_dir=f"drawn_{name}", save_results=True))
    entry = json.loads(Path(f"drawn_{name}/keypoint.json").read_text())[0]
    found[name] = {
        "epochs": state.epoch, "PCK": figures["PCK"], "engines": {e["engine"]: e["status"] for e in report["engines"]},
        "compared": [e["compared"] for e in report["engines"]], "kind": pipeline.estimator.kind,
        "runtime": pipeline.estimator.runtime.description,
        "keypoints": result.keypoints[0].tolist(), "predicted": entry["keypoints"],
    }
try:
    PosePipeline(pipeline.estimator, folder, engine="session")
except Exception as error:
    found["refused"] = str(error)
print("FOUND " + json.dumps(found))
"""


def blocks() -> dict[str, str]:
    """File name -> content of each block of the page that begins with a name."""
    text = DOC.read_text(encoding="utf-8")
    return dict(re.findall(r"```(?:python|yaml)\n# (my_pose/\S+)\n(.*?)```", text, flags=re.DOTALL))


def write_data(folder: Path) -> list[np.ndarray]:
    """Eight images with a red and a green spot; returns the (2, 2) truths."""
    folder.mkdir()
    rng, rows, truths = np.random.default_rng(0), [], []
    y, x = np.mgrid[: WH[1], : WH[0]]
    for number in range(8):
        truth = np.stack([rng.uniform([8, 10], [14, 38]), rng.uniform([18, 10], [24, 38])])
        spots = [np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 18.0) for cx, cy in truth]
        image = np.stack([spots[0], spots[1], 0 * spots[0]], axis=-1) * 230
        cv2.imwrite(str(folder / f"{number}.png"), np.rint(image[..., ::-1]).astype(np.uint8))
        rows.append([f"{number}.png", 0, 0, *WH, *truth[0], 1, *truth[1], 1])
        truths.append(truth)
    with (folder / "poses.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return truths


def test_every_kind_of_part_is_added_from_outside(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("paddle2onnx")
    for name, content in blocks().items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    truth = write_data(tmp_path / "data")[0]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(re.search(r"^FOUND (.*)$", done.stdout, flags=re.MULTILINE).group(1))
    assert "takes no boxes from a detector" in found.pop("refused")
    assert found["pose"]["kind"] == "top_down" and found["whole_image"]["kind"] == "whole_image"
    for name, facts in found.items():
        assert facts["epochs"] == 30 and facts["PCK"] > 0.9, (name, facts)
        assert facts["engines"]["session"] == facts["engines"]["paddle"] == "ok" and min(facts["compared"]) > 0, (name, facts)
        assert facts["runtime"].startswith("Session on ONNX Runtime")
        np.testing.assert_allclose(facts["keypoints"], truth, atol=4.0)
        np.testing.assert_allclose(np.reshape(facts["predicted"], (2, 3))[:, :2], facts["keypoints"], atol=0.05)


def test_the_page_has_a_file_for_each_kind_of_part() -> None:
    assert {Path(name).name for name in blocks()} == {
        "backbone.py", "codec.py", "network.py", "csv_dataset.py", "runtime.py", "pose.yml",
        "whole_image.py", "whole_image_task.py", "whole_image.yml",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("plugins", "words"),
    [("my_pose", "give a list of modules"), ("[no_such_module]", "does not import.*No module named"), ("[3]", "give a list")],
)
def test_plugins_that_do_not_import(tmp_path: Path, plugins: str, words: str) -> None:
    from ppdet.core.config.load import load_config
    from ppdet.core.errors import ConfigError
    from ppdet.engine.components import import_components

    (tmp_path / "mine.yml").write_text(f"plugins: {plugins}\narchitecture: TopDownHRNet\n")
    with pytest.raises(ConfigError, match=words):
        import_components(load_config(tmp_path / "mine.yml"))

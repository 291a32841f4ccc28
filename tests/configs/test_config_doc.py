"""docs/config.md tells the truth: its commands give the output shown, its Python runs, its YAML is legal."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ppdet.core.config.yaml_loader import ConfigDict, parse_yaml

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "config.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.M | re.S)


SESSIONS = [
    (part.split("\n", 1)[0], part.split("\n", 1)[1]) for block in blocks("console") for part in block.split("$ ") if part.strip()
]


def test_the_examples_are_found():
    assert len(SESSIONS) == 3 and len(blocks("python")) == 1 and len(blocks("yaml")) == 5


@pytest.mark.parametrize(("command", "output"), SESSIONS, ids=[str(i) for i in range(len(SESSIONS))])
def test_commands_print_what_the_page_shows(command, output):
    pytest.importorskip("paddle")
    words = command.split(" ")
    assert words[0] == "python"
    done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == output, done.stderr
    assert done.returncode == (0 if output.endswith(": ok\n") else 1)


def test_the_python_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    exec(compile(blocks("python")[0], "docs/config.md", "exec"), {})


@pytest.mark.parametrize("block", blocks("yaml"))
def test_the_yaml_is_legal(block):
    assert isinstance(parse_yaml(block, "docs/config.md"), ConfigDict)


def write_cows(folder):
    """Four images of one animal each, in a COCO-style file."""
    import json

    import cv2
    import numpy as np

    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(4):
        points = np.array([[20, 30], [30, 15], [30, 45], [75, 32]]) + number
        image = np.full((64, 96, 3), 90, np.uint8)
        for x, y in points.tolist():
            cv2.circle(image, (x, y), 4, (40, 200, 230), -1)
        cv2.imwrite(str(folder / "images" / f"{number}.png"), image)
        images.append({"id": number, "file_name": f"{number}.png", "width": 96, "height": 64})
        keypoints = np.column_stack([points, np.full(4, 2)]).reshape(-1).tolist()
        annotations.append({"image_id": number, "category_id": 1, "bbox": [12, 8, 72, 48], "keypoints": keypoints})
    category = {"id": 1, "name": "cow", "keypoints": ["nose", "left_ear", "right_ear", "tail"]}
    for name in ("train", "val"):
        content = {"images": images, "annotations": annotations, "categories": [category]}
        (folder / f"{name}.json").write_text(json.dumps(content))


def test_the_animal_trains_and_evaluates(tmp_path):
    pytest.importorskip("paddle")
    from ppdet.core.config.load import load_config
    from ppdet.engine.components import import_components
    from ppdet.engine.configs.check import check_config
    from ppdet.engine.evaluation.evaluator import evaluate
    from ppdet.engine.training.run import TrainingOptions, train

    (text,) = [block for block in blocks("yaml") if "cow4" in block]
    path = tmp_path / "cow_64x64.yml"
    path.write_text(text.replace("../_base_", str(ROOT / "configs" / "_base_")))
    write_cows(tmp_path / "cows")
    options = [f"TrainDataset.dataset_dir={tmp_path / 'cows'}", f"EvalDataset.dataset_dir={tmp_path / 'cows'}", "epoch=1"]
    options += ["TrainReader.batch_size=2", "worker_num=0", "use_gpu=false", f"save_dir={tmp_path / 'out'}"]
    config = load_config(path, options)
    assert check_config(config, import_components()) == []
    assert train(config, TrainingOptions(evaluate=True)).epoch == 1
    assert set(evaluate(config)) >= {"AP", "AR"}  # of the weights just trained, which the config need not name

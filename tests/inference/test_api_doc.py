"""The Python in docs/api.md and docs/formats.md runs, block after block in one namespace, on planted models and images."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.planted_models import planted_person, pose_card, write_detector, write_pose_model

from ppdet.codecs import HeatmapCodec
from ppdet.core.errors import PpdetError
from ppdet.inference.files import model_names
from ppdet.inference.runtimes.registry import unregister_runtime
from ppdet.skeletons import get_skeleton

DOCS = Path(__file__).resolve().parents[2] / "docs"
SIZE = (120, 160)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with street.jpg and street.avi; the bundled models are planted ones."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    bundled = tmp_path / "bundled"
    codec = HeatmapCodec(input_wh=(48, 64), heatmap_wh=(12, 16), sigma=2.0, decoder="dark")
    write_pose_model(bundled / "tinypose_128x96", channels=17, card=pose_card(skeleton=get_skeleton("coco17"), codec=codec))
    write_detector(bundled / "picodet_s_192_person")
    monkeypatch.setattr(model_names, "bundled_models_folder", lambda: bundled)
    monkeypatch.chdir(tmp_path)
    image = planted_person(SIZE, np.array([[30.0, 30], [50, 90], [80, 120]]), 10.0)
    cv2.imwrite("street.jpg", image[..., ::-1])
    writer = cv2.VideoWriter("street.avi", cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    for _ in range(4):
        writer.write(image[..., ::-1])
    writer.release()
    return tmp_path


def run_page(name: str, blocks_at_least: int) -> dict[str, object]:
    """Run the Python of a page; returns its variables."""
    page = DOCS / name
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= blocks_at_least
    scope: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), scope)
    return scope


def test_the_page_runs(folder: Path, capsys: pytest.CaptureFixture) -> None:
    try:
        scope = run_page("api.md", 9)
    finally:
        unregister_runtime("mine")
        logging.getLogger("ppdet").setLevel(logging.INFO)  # the page shows how to silence it
    assert {path.name for path in folder.iterdir()} >= {"street_poses.jpg", "street.json", "street.png", "out"}
    shown = capsys.readouterr().out
    assert "[1, 1, 1, 1, 1, 1, 1, 1]" in shown and "cannot read image missing.jpg" in shown and "INFO" not in shown
    assert issubclass(scope["MediaError"], PpdetError)  # type: ignore[arg-type]


def test_the_page_of_formats_runs(folder: Path, capsys: pytest.CaptureFixture) -> None:
    run_page("formats.md", 2)
    assert {path.name for path in folder.iterdir()} >= {"street.csv", "street_results.json", "street.jsonl", "street.trc"}
    assert capsys.readouterr().out.splitlines()[-2:] == ["['schema', 'skeleton', 'width', 'height', 'people']", "4"]

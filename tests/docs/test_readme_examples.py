"""The Python of the READMEs and of the pages on running models runs, here on models with planted answers."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from support.doc_pages import Block, blocks
from support.planted_models import pose_card, write_detector, write_pose_model

from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.video.writer import VideoWriter
from ppdet.skeletons.tables import COCO17

PAGES = {"README.md", "README_cn.md", "demo.md", "deploy.md", "bottom_up.md"}
EXAMPLES = [block for block in blocks("python") if block.page.name in PAGES]


@pytest.mark.parametrize("block", EXAMPLES, ids=[block.name for block in EXAMPLES])
def test_the_example_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx")
    folders = write_detector(tmp_path / "det"), write_pose_model(tmp_path / "pose", 17, card=pose_card(skeleton=COCO17))
    monkeypatch.setattr("ppdet.inference.pipeline.PosePipeline", lambda *names: PosePipeline(*folders))
    monkeypatch.chdir(tmp_path)
    image = np.full((60, 80, 3), 200, np.uint8)
    cv2.imwrite("street.jpg", image)
    with VideoWriter("street.mp4", 25.0, (80, 60)) as writer:
        for _ in range(3):
            writer.write(image)
    exec(compile(block.text, block.name, "exec"), {})

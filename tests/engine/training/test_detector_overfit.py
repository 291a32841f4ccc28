"""Detectors learn sixteen real photographs by heart: PicoDet through all three assigners, and a narrow PP-YOLOv2.

10 to 25 minutes of one core each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.detector_train_parts import ROOT, few_large, write_detector_config
from support.ppyolo_config import write_ppyolo
from support.shared_data import shared

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("head", "epochs"), [("lcnet", 300), ("esnet", 700)])
def test_sixteen_images_are_learned_by_heart(tmp_path: Path, head: str, epochs: int) -> None:
    extra = "PicoHeadV2: {static_assigner_epoch: 60}" if head == "lcnet" else ""
    # One batch holds all images: the norms' averages, used in evaluation, are then the statistics of training. With batches of
    # eight, the people of one image (all red) were found in training and not in evaluation.
    config = write_detector_config(tmp_path, 16, epochs=epochs, every=100, head=head, batch=16, extra=extra)
    assert _best_ap(config, tmp_path / "out" / head) > 0.9


PPYOLO = """
epoch: 600
snapshot_epoch: 200
log_iter: 1
LearningRate:
  base_lr: 0.01
  schedulers:
    - {name: CosineDecay, max_epochs: 600}
    - {name: LinearWarmup, start_factor: 0.1, steps: 10}
TrainReader:
  sample_transforms:
    - Decode: {}
    - RandomFlip: {}
  batch_transforms:
    - BatchRandomResize: {target_size: [192], random_interp: false, interp: 2, keep_ratio: false}
    - PadBox: {num_max_boxes: 100}
    - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}
    - Permute: {}
    - Gt2YoloTarget:
        anchors: [[10, 13], [16, 30], [33, 23], [30, 61], [62, 45], [59, 119], [116, 90], [156, 198], [373, 326]]
        anchor_masks: [[6, 7, 8], [3, 4, 5], [0, 1, 2]]
        downsample_ratios: [32, 16, 8]
  batch_size: 16
"""


def test_a_narrow_ppyolov2_learns_sixteen_images_by_heart(tmp_path: Path) -> None:
    """A quarter of the channels, from random numbers; no augmentation but mirroring."""
    data, annotations = shared("data", "coco_person"), tmp_path / "boxes.json"
    annotations.write_text(json.dumps(few_large(data / "annotations" / "person_keypoints_train.json", 16)))
    size = {"height": 192, "width": 192, "scale": 0.25}
    config = write_ppyolo(tmp_path, data, "images", annotations, drop_block=False, extra=PPYOLO, **size)
    assert _best_ap(config, tmp_path / "out" / config.stem) > 0.9


def _best_ap(config: Path, folder: Path) -> float:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "train.py"), "-c", str(config), "--eval"],
        capture_output=True, text=True, timeout=7200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    lines = [json.loads(line) for line in (folder / "train_log.jsonl").read_text().splitlines()]
    return max(line["AP"] for line in lines if line["kind"] == "eval")

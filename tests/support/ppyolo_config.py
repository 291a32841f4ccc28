"""A small PP-YOLOv2 of our own pedestrian config: an eighth of the channels, small images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ppdet.core.config.load import load_config
from ppdet.engine.assembly import Assembly
from ppdet.engine.weights.checkpoint import save_pdparams
from support.golden_cases import fill_by_rule

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
_BASE_: {base}
use_gpu: false
worker_num: 0
use_ema: false
num_classes: {classes}
pretrain_weights: null
save_dir: {folder}/out
ResNet: {{scale: {scale}}}
PPYOLOPAN: {{scale: {scale}}}
eval_height: {height}
eval_width: {width}
TrainDataset: {{dataset_dir: {data}, image_dir: {images}, anno_path: {annotations}}}
EvalDataset: {{dataset_dir: {data}, image_dir: {images}, anno_path: {annotations}}}
TestDataset: {{dataset_dir: {data}, anno_path: {annotations}}}
{extra}
"""


def write_ppyolo(
    folder: Path,
    data: str | Path = "nowhere",
    images: str = "images",
    annotations: str | Path = "people.json",
    height: int = 96,
    width: int = 128,
    scale: float = 0.125,
    classes: int = 1,
    extra: str = "",
) -> Path:
    """The config's file, below `folder`."""
    base = ROOT / "configs" / "ppyolo" / "ppyolov2_r50vd_dcn_320_pedestrian.yml"
    path = folder / "small_ppyolov2.yml"
    path.write_text(
        CONFIG.format(
            base=base, folder=folder, data=data, images=images, annotations=annotations, height=height, width=width,
            scale=scale, classes=classes, extra=extra,
        )
    )  # fmt: skip
    return path


def write_rule_weights(config: Path, sharpen: float = 3.0) -> Path:
    """Weights by the rule of the golden cases, the last convolutions times `sharpen`, so that some boxes score high."""
    model = Assembly(load_config(config)).model()
    fill_by_rule(model)
    for conv in model.yolo_head.yolo_output:
        conv.weight.set_value(conv.weight.numpy() * np.float32(sharpen))
    return save_pdparams(model.state_dict(), config.with_name("w.pdparams"))

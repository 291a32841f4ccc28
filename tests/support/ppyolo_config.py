"""A small PP-YOLOv2 of our own pedestrian config: an eighth of the channels, small images."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

import numpy as np
import paddle

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
PPYOLOPAN: {{scale: {scale}, drop_block: {drop_block}}}
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
    drop_block: bool = True,
    extra: str = "",
) -> Path:
    """The config's file, below `folder`."""
    base = ROOT / "configs" / "ppyolo" / "ppyolov2_r50vd_dcn_320_pedestrian.yml"
    path = folder / "small_ppyolov2.yml"
    path.write_text(
        CONFIG.format(
            base=base, folder=folder, data=data, images=images, annotations=annotations, height=height, width=width,
            scale=scale, classes=classes, drop_block=str(drop_block).lower(), extra=extra,
        )
    )  # fmt: skip
    return path


def write_rule_weights(config: Path, sharpen: float = 0.5, options: Sequence[str] = ()) -> Path:
    """Weights by the rule of the golden cases, the last convolutions times `sharpen`: scores of about a quarter.

    The running statistics are those of a batch of noise: by the rule the signal would fade with depth, and boxes would tie.
    """
    assembly = Assembly(load_config(config, list(options)))
    model = assembly.model()
    fill_by_rule(model)
    for layer in model.sublayers():
        if isinstance(layer, paddle.nn.BatchNorm2D):
            layer._momentum = 0.0
    width, height = assembly.task.input_wh(assembly)
    model.train()
    with paddle.no_grad():
        model(paddle.to_tensor(np.random.default_rng(0).normal(size=(4, 3, height, width)).astype(np.float32)))
    for conv in model.yolo_head.yolo_output:
        conv.weight.set_value(conv.weight.numpy() * np.float32(sharpen))
    return save_pdparams(model.state_dict(), config.with_name("w.pdparams"))

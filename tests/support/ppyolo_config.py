"""A small PP-YOLOv2 of our own pedestrian config: an eighth of the channels, small images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle

from ppdet.core.config.load import load_config
from ppdet.engine.assembly import Assembly
from ppdet.engine.device import choose_device
from ppdet.engine.export.parity_samples import parity_samples
from ppdet.engine.weights.checkpoint import save_pdparams
from ppdet.inference.estimators.preprocess import DetectorPreprocess

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
EvalReader: {{sample_transforms: {steps}}}
TestReader: {{inputs_def: {{image_shape: [3, {height}, {width}]}}, sample_transforms: {steps}}}
TrainDataset: {{dataset_dir: {data}, image_dir: {images}, anno_path: {annotations}}}
EvalDataset: {{dataset_dir: {data}, image_dir: {images}, anno_path: {annotations}}}
TestDataset: {{dataset_dir: {data}, anno_path: {annotations}}}
{extra}
"""
STEPS = (
    "[Decode: {{}}, Resize: {{interp: 2, target_size: [{height}, {width}], keep_ratio: false}}, NormalizeImage: {{mean: "
    "[0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}}, Permute: {{}}]"
)
"""Written out: a YAML anchor such as eval_size of the base is not changed by a file that includes it."""


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
            steps=STEPS.format(height=height, width=width),
        )
    )  # fmt: skip
    return path


def write_tame_weights(config: Path, spread: float = 1.5, objectness: float = -3.5) -> Path:
    """Random weights of a network that keeps rounding small, with few boxes of high scores.

    A random network with batch norm is chaotic: each nonlinearity and normalisation amplifies a difference, and one of 1e-6 in
    the image moves boxes by .4 px. With a mean of two deviations before each nonlinearity, the network is close to linear.

    Args:
        config: its EvalDataset gives the images for the running statistics.
        spread: standard deviation of the head's outputs.
        objectness: mean of the objectness logits.
    """
    loaded = load_config(config)
    choose_device(loaded)
    paddle.seed(0)
    rng = np.random.default_rng(0)
    assembly = Assembly(loaded)
    model = assembly.model()
    for layer in model.sublayers():
        if isinstance(layer, paddle.nn.BatchNorm2D):
            layer._momentum = 0.0
            layer.bias.set_value(np.full(layer.bias.shape, 2.0, np.float32))
    for name, weight in model.named_parameters():
        if "conv_offset.weight" in name:  # zero at the start of training: no tap is moved
            weight.set_value((rng.normal(size=weight.shape) / np.sqrt(np.prod(weight.shape[1:]))).astype(np.float32))
    head = model.yolo_head
    for conv, anchors in zip(head.yolo_output, head.level_anchors):
        weight = rng.normal(size=conv.weight.shape)
        weight -= weight.mean(axis=1, keepdims=True)  # the features have a mean
        conv.weight.set_value((spread * weight / np.sqrt(weight.shape[1])).astype(np.float32))
        bias, overlaps = np.zeros(conv.bias.shape, np.float32), len(anchors) * head.iou_aware
        bias[overlaps + 4 :: 5 + head.num_classes] = objectness
        conv.bias.set_value(bias)
    images = [image for image, _ in parity_samples(assembly, 4)[0]]
    card = assembly.task.deployed_form(assembly, model).card
    model.train()
    with paddle.no_grad():
        model(paddle.to_tensor(DetectorPreprocess(card.preprocess)(images).image))
    return save_pdparams(model.state_dict(), config.with_name("w.pdparams"))

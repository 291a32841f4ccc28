"""PicoDet with the weights and statistics of the golden training cases."""

from __future__ import annotations

from typing import Dict

import numpy as np
import paddle

from ppdet import modeling as m
from support.golden_cases import rule_value
from support.small_models import picodet_lcnet, picodet_legacy

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def golden_picodet(name: str, arrays: Dict[str, np.ndarray]) -> paddle.nn.Layer:
    """The model of a case, in training mode but for its batch norms, whose statistics are those of the golden batch."""
    classes = 80 if "coco80" in name else 1
    if "lcnet" in name:
        model = picodet_lcnet(classes)
        model.head.static_assigner = m.ATSSAssigner(4 if name.endswith("lcnet_192") else 9, classes)
        model.head.static_assigner_epoch = 100
    else:
        model = picodet_legacy(classes)
    for key, value in model.state_dict().items():
        value.set_value(weight(key, list(value.shape)))
    for key, value in arrays.items():
        if key.startswith("bn/"):
            model.state_dict()[key[3:]].set_value(value)
    set_mode(model, batch_statistics=False)
    return model


def set_mode(model: paddle.nn.Layer, batch_statistics: bool) -> None:
    """Training mode, with or without the statistics of the batch."""
    model.train()
    for layer in model.sublayers():
        if isinstance(layer, paddle.nn.BatchNorm2D) and not batch_statistics:
            layer.eval()


def weight(key: str, shape: list[int]) -> np.ndarray:
    """By the rule of the golden cases' README, with its three exceptions."""
    if key == "head.distribution_project.project":
        return np.arange(shape[0], dtype=np.float32)
    key = short_key(key)
    return rule_value(key, shape) * (3 if ".head_cls" in key or ".head_reg" in key else 1)


def short_key(key: str) -> str:
    """Of the two names of one tensor, the short one."""
    return key.replace("head_cls_list.", "head_cls").replace("head_reg_list.", "head_reg")


def normalized(images: np.ndarray) -> paddle.Tensor:
    """(B, 3, H, W) uint8 -> the network's input."""
    mean, std = (np.array(values).reshape(1, 3, 1, 1) for values in (MEAN, STD))
    return paddle.to_tensor(((images / 255.0 - mean) / std).astype(np.float32))


def golden_batch(arrays: Dict[str, np.ndarray], images: paddle.Tensor, boxes: str, epoch: int) -> Dict[str, object]:
    """A batch with one of the case's sets of boxes, "a", "b" or "c"."""
    names = {"gt_boxes": "bbox", "gt_labels": "class", "gt_mask": "mask"}
    batch: Dict[str, object] = {key: paddle.to_tensor(arrays[f"gt_{boxes}_{name}"]) for key, name in names.items()}
    return {**batch, "image": images, "epoch": epoch}

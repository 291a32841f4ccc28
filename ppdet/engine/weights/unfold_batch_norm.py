"""Restores batch norms in weights that were released with folded batch norms.

In such a file every batch norm is the identity: mean 0, variance 1. That is correct for prediction. In training, however, a
    batch norm uses the statistics of the batch, so the network would lose what it has learned in the first iteration.

Legend: C channels of a batch norm's input.
"""

from __future__ import annotations

import itertools
from typing import Any, Collection, Dict, List, Tuple

import numpy as np
import paddle
from paddle import nn

from ppdet.core.logger import get_logger

_log = get_logger(__name__)
BATCHES = 8


def unfold_batch_norms(model: nn.Layer, loaded: Collection[str], reader: Any, batches: int = BATCHES) -> int:
    """Measure the inputs of the folded batch norms and set their statistics, with scale and shift adapted accordingly.

    In evaluation mode the network's output does not change, and in training mode it starts from about the same output. Batch
    norms that are not folded, not from the file, or frozen stay as they are.

    Args:
        model: network with its pretrained weights.
        loaded: state-dict keys that were loaded from the file.
        reader: training batches to measure.
        batches: number of batches to use.

    Returns:
        Number of restored batch norms.
    """
    folded = _folded(model, loaded)
    if not folded:
        return 0
    _log.info("The pretrained weights have their batch norms folded: measuring %d of them anew", len(folded))
    sums: Dict[str, List[Any]] = {name: [0, 0.0, 0.0] for name in folded}
    hooks = [layer.register_forward_pre_hook(_collector(sums[name])) for name, layer in folded.items()]
    was_training = model.training
    model.eval()
    reader.set_epoch(0)
    with paddle.no_grad():
        try:
            for number, batch in enumerate(itertools.islice(reader, batches), start=1):
                model(paddle.to_tensor(batch["image"]))
                _log.info("  measured %d of %d batches", number, min(batches, len(reader)))
        finally:
            for hook in hooks:
                hook.remove()
    if was_training:
        model.train()
    for name, layer in folded.items():
        if sums[name][0]:
            _set_statistics(layer, *_mean_variance(sums[name]))
    return len(folded)


def _folded(model: nn.Layer, loaded: Collection[str]) -> Dict[str, nn.Layer]:
    result: Dict[str, nn.Layer] = {}
    for name, layer in model.named_sublayers():
        if isinstance(layer, nn.BatchNorm2D) and not layer._use_global_stats and f"{name}._mean" in loaded:
            mean, variance = layer._mean.numpy(), layer._variance.numpy()
            if np.abs(mean).max() < 1e-6 and np.abs(variance - 1).max() < 1e-4:
                result[name] = layer
    return result


def _collector(sums: List[Any]) -> Any:
    def collect(layer: nn.Layer, inputs: Tuple[paddle.Tensor, ...]) -> None:
        images = inputs[0].astype("float32")
        sums[0] += images.shape[0] * images.shape[2] * images.shape[3]
        sums[1] = sums[1] + images.sum(axis=[0, 2, 3]).numpy().astype(np.float64)
        sums[2] = sums[2] + paddle.square(images).sum(axis=[0, 2, 3]).numpy().astype(np.float64)

    return collect


def _mean_variance(sums: List[Any]) -> Tuple[np.ndarray, np.ndarray]:
    mean = sums[1] / sums[0]
    return mean, np.maximum(sums[2] / sums[0] - mean**2, 0.0)


def _set_statistics(layer: nn.Layer, mean: np.ndarray, variance: np.ndarray) -> None:
    """Set running statistics, and adapt scale and shift so that the output with running statistics does not change."""
    epsilon = layer._epsilon
    old_mean, old_variance = layer._mean.numpy().astype(np.float64), layer._variance.numpy().astype(np.float64)
    slope = layer.weight.numpy().astype(np.float64) / np.sqrt(old_variance + epsilon)
    offset = layer.bias.numpy() - slope * old_mean
    for parameter, value in (
        (layer.weight, slope * np.sqrt(variance + epsilon)),
        (layer.bias, offset + slope * mean),
        (layer._mean, mean),
        (layer._variance, variance),
    ):
        parameter.set_value(value.astype(np.float32))

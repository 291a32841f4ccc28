"""Batch norm over the batches of all processes, also on CPUs, for which Paddle 3.x has no kernel.

Legend: B batch, C channels, H W pixels.
"""

from __future__ import annotations

from typing import Any, Tuple

import paddle
from paddle import nn
from paddle.autograd import PyLayer


class SyncBatchNorm2D(nn.BatchNorm2D):
    """`BatchNorm2D` that uses mean and variance over the images of all processes in training.

    Parameters and state-dict keys are those of `BatchNorm2D`. Evaluation uses the running statistics.

    Source: gradients as in Ioffe and Szegedy, ICML 2015, section 3, with every mean taken over all processes.
    """

    def forward(self, images: paddle.Tensor) -> paddle.Tensor:
        """Normalise (B, C, H, W)."""
        if not self.training or self._use_global_stats:
            return super().forward(images)
        normed, mean, variance = _Normalize.apply(images, self.weight, self.bias, self._epsilon)
        with paddle.no_grad():
            for running, now in ((self._mean, mean), (self._variance, variance)):
                running.set_value(running * self._momentum + now * (1.0 - self._momentum))
        return normed


class _Normalize(PyLayer):
    """Forward and backward pass with one communication each."""

    @staticmethod
    def forward(
        ctx: Any, images: paddle.Tensor, weight: paddle.Tensor, bias: paddle.Tensor, epsilon: float
    ) -> Tuple[paddle.Tensor, paddle.Tensor, paddle.Tensor]:
        count = float(images.shape[0] * images.shape[2] * images.shape[3])
        # Mean and squared deviations per process are combined, which avoids the difference of two large sums.
        mean_here = images.mean(axis=[0, 2, 3])
        spread_here = paddle.square(images - _channels(mean_here)).sum(axis=[0, 2, 3])
        means, spreads, counts = _from_all(mean_here, spread_here, count)
        everything = counts.sum()
        mean = (means * counts).sum(axis=0) / everything
        spread = spreads.sum(axis=0) + (paddle.square(means - mean) * counts).sum(axis=0)
        variance = spread / everything
        inverse = paddle.rsqrt(variance + epsilon)
        normed = (images - _channels(mean)) * _channels(inverse)
        ctx.save_for_backward(normed, weight, inverse, everything)
        return normed * _channels(weight) + _channels(bias), mean, variance

    @staticmethod
    def backward(ctx: Any, gradient: paddle.Tensor, *_: Any) -> Tuple[paddle.Tensor, paddle.Tensor, paddle.Tensor]:
        normed, weight, inverse, everything = ctx.saved_tensor()
        bias_gradient = gradient.sum(axis=[0, 2, 3])
        weight_gradient = (gradient * normed).sum(axis=[0, 2, 3])
        both = paddle.stack([bias_gradient, weight_gradient])
        paddle.distributed.all_reduce(both)
        both = both / everything
        images_gradient = _channels(weight * inverse) * (gradient - _channels(both[0]) - normed * _channels(both[1]))
        return images_gradient, weight_gradient, bias_gradient


def convert_sync_batch_norm(model: nn.Layer) -> nn.Layer:
    """Replace every `BatchNorm2D` of a model by a synchronised one; parameters and names are kept.

    Frozen batch norms, which always use their running statistics, stay as they are.
    """
    on_gpu = paddle.device.get_device() != "cpu"
    if _converted(model):
        return _synchronous(model, on_gpu)
    for parent in model.sublayers(include_self=True):
        for name, layer in parent.named_children():
            if _converted(layer):
                # Layer by layer: Paddle's own conversion of a whole model drops `use_global_stats`, which would unfreeze frozen
                # layers.
                setattr(parent, name, _synchronous(layer, on_gpu))
    return model


def _converted(layer: nn.Layer) -> bool:
    return type(layer) is nn.BatchNorm2D and not layer._use_global_stats


def _synchronous(layer: nn.Layer, on_gpu: bool) -> nn.Layer:
    if on_gpu:
        return nn.SyncBatchNorm.convert_sync_batchnorm(layer)
    layer.__class__ = SyncBatchNorm2D
    return layer


def _channels(values: paddle.Tensor) -> paddle.Tensor:
    return values.reshape([1, -1, 1, 1])


def _from_all(mean: paddle.Tensor, spread: paddle.Tensor, count: float) -> Tuple[paddle.Tensor, paddle.Tensor, paddle.Tensor]:
    """(processes, C) means, (processes, C) squared deviations and (processes, 1) counts, in one communication."""
    mine = paddle.concat([mean, spread, paddle.full([1], count, mean.dtype)])
    parts: list = []
    paddle.distributed.all_gather(parts, mine)
    table = paddle.stack(parts)
    channels = mean.shape[0]
    return table[:, :channels], table[:, channels : 2 * channels], table[:, 2 * channels :]

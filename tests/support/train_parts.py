"""A network and a reader small enough to train in a test, with the interfaces of the real ones.

Legend: B batch, H W pixels.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator

import numpy as np
import paddle
from paddle import nn

from ppdet.engine import distributed
from ppdet.engine.training.train_step import TrainStep
from ppdet.optimizer.cosine_decay import CosineDecay
from ppdet.optimizer.curve import LearningRateCurve
from ppdet.optimizer.ema import WeightAverage
from ppdet.optimizer.linear_warmup import LinearWarmup
from ppdet.optimizer.optimizer_builder import OptimizerBuilder


class SmallNet(nn.Layer):
    """Two convolutions, by choice with batch norm and dropout between them."""

    def __init__(self, norm: bool = True, dropout: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Conv2D(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2D(4) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Conv2D(4, 2, 1)

    def forward(self, images: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        hidden = nn.functional.relu(self.norm(self.first(images)))
        return {"heatmap": self.last(self.dropout(hidden))}

    def loss(self, outputs: Dict[str, paddle.Tensor], batch: Dict[str, Any]) -> Dict[str, paddle.Tensor]:
        return {"loss": paddle.square(outputs["heatmap"] - batch["target"]).mean()}


class SmallReader:
    """`count` images; the batch of (epoch, number) is always the same, whatever the number of processes in all."""

    def __init__(self, count: int = 12, batch_size: int = 4, poison: int = -1) -> None:
        self.count, self.batch_size, self.poison = count, batch_size, poison
        self.epoch = 0

    def __len__(self) -> int:
        return self.count // (self.batch_size * distributed.world_size())

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[Dict[str, np.ndarray]]:
        order = np.random.default_rng([7, self.epoch]).permutation(self.count)
        order = order[distributed.rank() :: distributed.world_size()]
        for number in range(len(self)):
            yield self._batch(order[number * self.batch_size : (number + 1) * self.batch_size])

    def close(self) -> None:
        pass

    def _batch(self, indices: np.ndarray) -> Dict[str, np.ndarray]:
        images = np.stack([np.random.default_rng(i).normal(size=(3, 6, 5)) for i in indices]).astype(np.float32)
        target = np.stack([images[:, 0] - images[:, 1], images[:, 2] * 0.5], axis=1)
        target[indices == self.poison] = np.nan
        return {"image": images, "target": target, "index": indices, "image_id": indices + 1000}


def small_step(seed: int = 3, epochs: int = 4, per_epoch: int = 3, **kwargs: Any) -> TrainStep:
    """A TrainStep of a fresh SmallNet; the same weights for the same seed."""
    options = {key: kwargs.pop(key) for key in ("norm", "dropout") if key in kwargs}
    average_type = kwargs.pop("average", None)
    optimizer = kwargs.pop("optimizer", {"type": "Adam"})
    paddle.seed(seed)
    model = SmallNet(**options)
    curve = LearningRateCurve(0.01, CosineDecay(max_epochs=epochs), LinearWarmup(steps=2), per_epoch)
    average = WeightAverage(model, 0.9, average_type) if average_type else None
    builder = OptimizerBuilder(regularizer=None, optimizer=optimizer)
    return TrainStep(model, builder, curve, average=average, seed=seed, **kwargs)

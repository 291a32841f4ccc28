"""One iteration of training: forward, backward, and now and then an update of the weights."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np
import paddle

from ppdet.engine import distributed
from ppdet.engine.precision import Precision
from ppdet.engine.training.sync_batch_norm import convert_sync_batch_norm
from ppdet.engine.training.training_error import TrainingError
from ppdet.optimizer.curve import LearningRateCurve
from ppdet.optimizer.ema import WeightAverage
from ppdet.optimizer.scheduler import CurveScheduler


class TrainStep:
    """Call it with a batch; it returns the losses as numbers, averaged over all processes.

    Args:
        model: network with `forward(images) -> outputs` and `loss(outputs, batch) -> {"loss": total, ...}`.
        optimizer_builder: makes the optimizer from a scheduler and the model.
        curve: learning rate by iteration.
        precision: float32 if not given.
        average: running average of the weights to keep, if any.
        sync_bn: batch statistics over all processes.
        find_unused_parameters: passed to Paddle's DataParallel.
        seed: start of the random numbers (drop-path and the like); those of iteration i depend on seed, process and i alone.

    Raises:
        TrainingError: a loss is not finite. The weights are then still those of the iteration before.
    """

    def __init__(
        self,
        model: Any,
        optimizer_builder: Any,
        curve: LearningRateCurve,
        precision: Optional[Precision] = None,
        average: Optional[WeightAverage] = None,
        sync_bn: bool = False,
        find_unused_parameters: bool = False,
        seed: int = 0,
    ) -> None:
        parallel = distributed.world_size() > 1
        self.model = convert_sync_batch_norm(model) if parallel and sync_bn else model
        self.scheduler = CurveScheduler(curve)
        self.precision = precision or Precision()
        optimizer = optimizer_builder(self.scheduler, self.model)
        self.model, self.optimizer = self.precision.decorate(self.model, optimizer)
        self.average = average
        self.seed = seed
        self.iteration = 0
        self.network = self.model
        if parallel:
            self.network = paddle.DataParallel(self.model, find_unused_parameters=find_unused_parameters)

    @property
    def learning_rate(self) -> float:
        """Rate of the coming iteration."""
        return float(self.scheduler())

    def __call__(self, batch: Mapping[str, Any], share: float = 1.0, update: bool = True) -> Dict[str, float]:
        """Train on one batch.

        Args:
            batch: numpy arrays with at least "image" (B, 3, H, W).
            share: weight of this batch in the next update, 1 / n where n batches make one update.
            update: change the weights now; otherwise gradients are kept and added to.
        """
        paddle.seed(_mix(self.seed, self.iteration))
        if update or self.network is self.model:
            losses = self._gradients(batch, share)
        else:  # the processes exchange gradients only when these are used
            with self.network.no_sync():
                losses = self._gradients(batch, share)
        if update:
            self.update()
        self.iteration += 1
        self.scheduler.step(self.iteration)
        return losses

    def jump_to(self, iteration: int) -> None:
        """Continue at `iteration` (after loading a checkpoint)."""
        self.iteration = iteration
        self.scheduler.step(iteration)

    def agree_on_statistics(self) -> None:
        """Give every process the mean of all processes' running statistics (each saw other images).

        Evaluation, checkpoints and a resumed run then mean one and the same model. Weights are the same everywhere already.
        """
        if distributed.world_size() == 1:
            return
        weights = self.model.state_dict()
        states = [weights] + ([self.average.average] if self.average is not None else [])
        # Paddle keeps running statistics as parameters without a gradient, not as buffers.
        tensors = [value for state in states for name, value in state.items() if weights[name].stop_gradient]
        tensors = [tensor for tensor in tensors if paddle.is_floating_point(tensor)]
        if not tensors:
            return
        flat = np.concatenate([tensor.numpy().astype(np.float32).reshape(-1) for tensor in tensors])
        mean = distributed.total(flat) / distributed.world_size()
        ends = np.cumsum([int(tensor.size) for tensor in tensors])
        for tensor, part in zip(tensors, np.split(mean, ends[:-1])):
            tensor.set_value(part.reshape(tensor.shape).astype(tensor.numpy().dtype))

    def _gradients(self, batch: Mapping[str, Any], share: float) -> Dict[str, float]:
        tensors = to_tensors(batch)
        with self.precision.autocast():
            outputs = self.network(tensors["image"])
        losses = self.model.loss(in_float32(outputs), tensors)
        values = self._values(losses)
        if not all(np.isfinite(value) for value in values.values()):
            shown = ", ".join(f"{name} {value}" for name, value in values.items())
            raise TrainingError(f"the loss is not a finite number at iteration {self.iteration}: {shown}")
        total = losses["loss"]
        self.precision.backward(total if share == 1.0 else total * share)
        return values

    def update(self) -> None:
        """Change the weights by the gradients that were collected, and forget these."""
        self.precision.update(self.optimizer)
        self.optimizer.clear_grad()
        if self.average is not None:
            self.average.update()

    def _values(self, losses: Mapping[str, paddle.Tensor]) -> Dict[str, float]:
        names = sorted(losses)
        here = np.array([float(losses[name].numpy().reshape(-1)[0]) for name in names], np.float32)
        everywhere = distributed.total(here) / distributed.world_size()
        return {name: float(value) for name, value in zip(names, everywhere)}


def to_tensors(batch: Mapping[str, Any]) -> Dict[str, Any]:
    """The numeric arrays of a batch as tensors; other entries as they are."""
    return {
        name: paddle.to_tensor(value) if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" else value
        for name, value in batch.items()
    }


def in_float32(outputs: Any) -> Any:
    """Outputs of a mixed-precision network in float32, in the same nesting, so that losses are computed exactly."""
    if isinstance(outputs, dict):
        return {name: in_float32(value) for name, value in outputs.items()}
    if isinstance(outputs, (list, tuple)):
        return type(outputs)(in_float32(value) for value in outputs)
    if isinstance(outputs, paddle.Tensor) and outputs.dtype in (paddle.float16, paddle.bfloat16):
        return outputs.astype("float32")
    return outputs


def _mix(seed: int, iteration: int) -> int:
    words: Tuple[int, int, int] = (seed, distributed.rank(), iteration)
    return int(np.random.SeedSequence(words).generate_state(1)[0])

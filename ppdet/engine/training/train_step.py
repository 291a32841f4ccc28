"""One training iteration: forward, backward, and an update of the weights.

Legend: L losses.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Protocol, Sequence, Tuple

import numpy as np
import paddle

from ppdet.core.errors import ConfigError, PpdetError
from ppdet.engine import distributed
from ppdet.engine.precision import Precision
from ppdet.engine.training.sync_batch_norm import convert_sync_batch_norm
from ppdet.optimizer.curve import CurveScheduler, LearningRateCurve
from ppdet.optimizer.ema import WeightAverage


class TrainingError(PpdetError):
    """Training stopped because of the data or the settings, for example at a loss that is not a number."""


class TeacherTerms(Protocol):
    """Interface of a teacher (`ppdet.engine.teaching.teacher`) in an iteration."""

    def prepare(self, batch: Mapping[str, Any], iteration: int) -> Dict[str, Any]:
        """The batch of NumPy arrays, with the teacher's targets."""

    def losses(
        self, model: Any, outputs: Any, batch: Mapping[str, Any], losses: Mapping[str, paddle.Tensor]
    ) -> Dict[str, paddle.Tensor]:
        """The losses with the teacher's terms; "loss" stays the total."""


class StepLosses(Mapping[str, float]):
    """Losses of one iteration by name. They may still be on the device; reading one waits for it.

    Args:
        names: names of the losses.
        values: (L,) float32 tensor, means over all processes.

    Attributes:
        skipped: whether they were not finite and the weights were left as they were.
    """

    def __init__(self, names: Sequence[str], values: paddle.Tensor) -> None:
        self.names = tuple(names)
        self.skipped = False
        self._tensor: Optional[paddle.Tensor] = values
        self._numbers: Dict[str, float] = {}

    @property
    def ready(self) -> bool:
        """Whether the values are on the host already."""
        return self._tensor is None

    @staticmethod
    def fetch(several: Sequence[StepLosses]) -> None:
        """Copy the losses of several iterations to the host, with one wait for the device."""
        waiting = [losses for losses in several if not losses.ready]
        if not waiting:
            return
        tensors = [losses._tensor for losses in waiting if losses._tensor is not None]
        numbers = paddle.concat(tensors).numpy()
        ends = np.cumsum([len(losses.names) for losses in waiting])
        for losses, part in zip(waiting, np.split(numbers, ends[:-1])):
            losses._numbers = {name: float(value) for name, value in zip(losses.names, part)}
            losses._tensor = None

    @property
    def finite(self) -> bool:
        """Whether every loss is a finite number."""
        return all(np.isfinite(value) for value in self.values())

    def __getitem__(self, name: str) -> float:
        StepLosses.fetch([self])
        return self._numbers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def mean_losses(several: Sequence[Mapping[str, float]]) -> Dict[str, float]:
    """Mean of each loss over several iterations without those that were skipped; empty if all were."""
    StepLosses.fetch([losses for losses in several if isinstance(losses, StepLosses)])
    counted = [losses for losses in several if not getattr(losses, "skipped", False)]
    return {name: sum(losses[name] for losses in counted) / len(counted) for name in (counted[-1] if counted else ())}


class TrainStep:
    """Callable that trains on a batch and returns the losses, averaged over all processes.

    Args:
        model: network with `forward(images) -> outputs` and `loss(outputs, batch) -> {"loss": total, ...}`.
        optimizer_builder: creates the optimizer from a scheduler and the model.
        curve: learning rate per iteration.
        precision: mixed precision; None for float32.
        average: moving average of the weights to update, if any.
        teacher: adds targets and losses, if given.
        sync_bn: batch statistics over all processes.
        find_unused_parameters: passed to Paddle's DataParallel.
        seed: of the random numbers (drop-path and the like); those of iteration i depend only on seed, process and i.
        skip_bad_losses: at a loss that is not finite, drop the update that the batch belongs to, and go on.

    Attributes:
        checks_losses: whether each call checks the losses before the weights change. True on a CPU and with `skip_bad_losses`; on
            a GPU, where this would wait for the device, the trainer otherwise checks every few iterations.

    Raises:
        TrainingError: a loss is not finite, with `checks_losses` and without `skip_bad_losses`; the weights are still those of
            the previous iteration.
    """

    def __init__(
        self,
        model: Any,
        optimizer_builder: Any,
        curve: LearningRateCurve,
        precision: Optional[Precision] = None,
        average: Optional[WeightAverage] = None,
        teacher: Optional[TeacherTerms] = None,
        sync_bn: bool = False,
        find_unused_parameters: bool = False,
        seed: int = 0,
        skip_bad_losses: bool = False,
    ) -> None:
        parallel = distributed.world_size() > 1
        self.model = convert_sync_batch_norm(model) if parallel and sync_bn else model
        self.scheduler = CurveScheduler(curve)
        self.precision = precision or Precision()
        optimizer = optimizer_builder(self.scheduler, self.model)
        self.model, self.optimizer = self.precision.decorate(self.model, optimizer)
        self.average = average
        self.teacher = teacher
        self.skip_bad_losses = skip_bad_losses
        self.checks_losses = skip_bad_losses or paddle.device.get_device() == "cpu"
        self._drop_update = False
        self.seed = seed
        self.iteration = 0
        self.network = self.model
        if parallel:
            self.network = paddle.DataParallel(self.model, find_unused_parameters=find_unused_parameters)

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next iteration."""
        return float(self.scheduler())

    def __call__(self, batch: Mapping[str, Any], loss_weight: float = 1.0, update: bool = True) -> StepLosses:
        """Train on one batch.

        Args:
            batch: NumPy arrays with at least "image" (B, 3, H, W).
            loss_weight: weight of this batch in the next update: 1 / n for n batches per update.
            update: update the weights now; otherwise gradients are accumulated.
        """
        paddle.seed(_mix(self.seed, self.iteration))
        if update or self.network is self.model:
            losses = self._gradients(batch, loss_weight)
        else:  # the processes exchange gradients only when these are used
            with self.network.no_sync():
                losses = self._gradients(batch, loss_weight)
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
        """Average the running statistics over all processes, each of which saw different images.

        Evaluation, checkpoints and a resumed run then use the same model. Weights are identical on all processes anyway.
        """
        if distributed.world_size() == 1:
            return
        weights = self.model.state_dict()
        states = [weights] + ([self.average.average] if self.average is not None else [])
        # Paddle stores running statistics as parameters without gradient, not as buffers.
        tensors = [value for state in states for name, value in state.items() if weights[name].stop_gradient]
        tensors = [tensor for tensor in tensors if paddle.is_floating_point(tensor)]
        if not tensors:
            return
        flat = np.concatenate([tensor.astype("float32").numpy().reshape(-1) for tensor in tensors])
        mean = distributed.total(flat) / distributed.world_size()
        ends = np.cumsum([int(tensor.size) for tensor in tensors])
        for tensor, part in zip(tensors, np.split(mean, ends[:-1])):
            tensor.set_value(paddle.to_tensor(part.reshape(tensor.shape)).astype(tensor.dtype))

    def _gradients(self, batch: Mapping[str, Any], loss_weight: float) -> StepLosses:
        statistics = self._copied_statistics() if self.skip_bad_losses else []
        _require_network_input(batch["image"])
        tensors = to_tensors(batch if self.teacher is None else self.teacher.prepare(batch, self.iteration))
        with self.precision.autocast():
            outputs = self.network(tensors["image"])
        outputs = in_float32(outputs)
        losses = self.model.loss(outputs, tensors)
        if self.teacher is not None:
            losses = self.teacher.losses(self.model, outputs, tensors, losses)
        values = self._everywhere(losses)
        if self.checks_losses and not values.finite:
            if not self.skip_bad_losses:
                raise TrainingError(not_finite(values, self.iteration))
            values.skipped = self._drop_update = True
            for tensor, before in statistics:
                tensor.set_value(before)
            if self.network is self.model:
                return values  # else every forward pass of DataParallel needs its backward pass
        total = losses["loss"]
        self.precision.backward(total if loss_weight == 1.0 else total * loss_weight)
        return values

    def update(self) -> None:
        """Apply the accumulated gradients to the weights, and clear them; only clear them after a loss that was not finite."""
        dropped, self._drop_update = self._drop_update, False
        if not dropped:
            self.precision.update(self.optimizer)
        self.optimizer.clear_grad()
        if self.average is not None and not dropped:
            self.average.update()

    def _copied_statistics(self) -> List[Tuple[paddle.Tensor, paddle.Tensor]]:
        """The running statistics, which a forward pass changes, each with a copy."""
        return [(value, value.clone()) for value in self.model.state_dict().values() if value.stop_gradient]

    def _everywhere(self, losses: Mapping[str, paddle.Tensor]) -> StepLosses:
        """Mean of each loss over all processes; on a GPU without waiting for the device."""
        names = sorted(losses)
        values = paddle.stack([losses[name].detach().astype("float32").reshape([]) for name in names])
        if distributed.world_size() > 1:
            paddle.distributed.all_reduce(values)
            values = values / distributed.world_size()
        return StepLosses(names, values)


def not_finite(losses: Mapping[str, float], iteration: int) -> str:
    """Error message for a loss that is not finite."""
    shown = ", ".join(f"{name} {value}" for name, value in losses.items())
    return f"the loss is not a finite number at iteration {iteration}: {shown}"


def _require_network_input(images: Any) -> None:
    """Refuse pixels as they were decoded; a network takes normalised ones.

    Raises:
        ConfigError: whole numbers.
    """
    if np.asarray(images).dtype.kind in "iu":
        raise ConfigError(
            f"the images of a training batch are {np.asarray(images).dtype} {np.shape(images)}; expected normalised numbers "
            "(B, 3, H, W): add NormalizeImage and Permute to the transforms of TrainReader"
        )


def to_tensors(batch: Mapping[str, Any]) -> Dict[str, Any]:
    """The numeric arrays of a batch as tensors; other entries unchanged."""
    return {
        name: paddle.to_tensor(value) if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" else value
        for name, value in batch.items()
    }


def in_float32(outputs: Any) -> Any:
    """Nested outputs of a mixed-precision network in float32, so that losses are computed in full precision."""
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

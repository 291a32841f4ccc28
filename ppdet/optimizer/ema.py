"""Exponential moving average (EMA) of a model's weights."""

from __future__ import annotations

import math
from typing import Dict, Mapping, Optional

import numpy as np
import paddle

from ppdet.core.errors import ConfigError

_TYPES = ("threshold", "normal", "exponential")


class WeightAverage:
    """Exponential moving average of all weights and running statistics of a model, kept in float32 for any model.

    After update t = 1, 2, ... : average = d(t) average + (1 - d(t)) weights, with d(t) by `decay_type`
        normal:       decay, corrected for the start (Kingma and Ba, ICLR 2015, section 3), so that the initial weights
            have no influence;
        threshold:    min(decay, t / (9 + t)), PaddleDetection's (1 + n) / (10 + n) for updates counted from 0;
        exponential:  decay (1 - exp(-t / 2000)).
    PaddleDetection also divides the `threshold` average by a correction that belongs to `normal`; this class does not.

    Args:
        model: network whose weights are averaged.
        decay: fraction of the old average to keep.
        decay_type: threshold, normal or exponential.
        cycle_epoch: restart every `cycle_epoch` epochs; 0 or less for never.

    Raises:
        ConfigError: unknown type, or decay outside 0..1.
    """

    def __init__(
        self, model: paddle.nn.Layer, decay: float = 0.9998, decay_type: str = "threshold", cycle_epoch: int = -1
    ) -> None:
        if decay_type not in _TYPES:
            raise ConfigError(f"ema_decay_type is {decay_type!r}; expected one of {', '.join(_TYPES)}")
        if not 0.0 <= decay < 1.0:
            raise ConfigError(f"ema_decay is the fraction kept at each step, 0 <= ema_decay < 1; got {decay}")
        self.model = model
        self.decay = float(decay)
        self.decay_type = decay_type
        self.cycle_epoch = int(cycle_epoch)
        self.updates = 0
        self.average: Dict[str, paddle.Tensor] = {}
        self._weights: Optional[Dict[str, paddle.Tensor]] = None
        self.restart()

    def restart(self) -> None:
        """Restart from the model's current weights."""
        self.updates = 0
        self.average = {name: _in_float32(value) for name, value in self.model.state_dict().items()}

    def end_epoch(self, epochs_done: int) -> None:
        """Restart the average after each cycle of `cycle_epoch` epochs."""
        if self.cycle_epoch > 0 and epochs_done % self.cycle_epoch == 0:
            self.restart()

    def decay_at(self, update: int) -> float:
        """Fraction of the old average to keep in update number `update`, counted from 1."""
        if self.decay_type == "threshold":
            return min(self.decay, update / (9.0 + update))
        if self.decay_type == "exponential":
            return self.decay * (1.0 - math.exp(-update / 2000.0))
        return self.decay * (1.0 - self.decay ** (update - 1)) / (1.0 - self.decay**update) if self.decay else 0.0

    @paddle.no_grad()
    def update(self) -> None:
        """Add the model's current weights to the average."""
        self.updates += 1
        # As a number, Paddle would make a tensor of it for each weight: 160 instead of 15 ms for the 1,342 of TinyPose.
        new = paddle.to_tensor(1.0 - self.decay_at(self.updates), dtype="float32")
        for name, value in self.model.state_dict().items():
            old = self.average[name]
            if paddle.is_floating_point(old):
                old.lerp_(_of_type(value.detach(), old.dtype), _of_type(new, old.dtype))
            else:
                paddle.assign(value, old)

    def state(self) -> Dict[str, np.ndarray]:
        """The averaged weights by state-dict name, as numpy arrays."""
        return {name: value.numpy() for name, value in self.average.items()}

    @paddle.no_grad()
    def load(self, average: Mapping[str, np.ndarray], updates: int) -> None:
        """Continue from saved averages after `updates` updates."""
        self.average = {
            name: paddle.to_tensor(average[name], dtype=value.dtype) for name, value in self.average.items()
        }
        self.updates = int(updates)

    @paddle.no_grad()
    def swap(self) -> None:
        """Exchange the model's weights and the average; call it before and after an evaluation."""
        state = self.model.state_dict()
        if self._weights is None:
            self._weights = {name: value.detach().clone() for name, value in state.items()}
            new = self.average
        else:
            new, self._weights = self._weights, None
        for name, value in state.items():
            # Mixed-precision models have 16-bit weights.
            value.set_value(new[name].astype(value.dtype))


def _of_type(value: paddle.Tensor, dtype: paddle.dtype) -> paddle.Tensor:
    """The tensor itself if it is of that type."""
    return value if value.dtype == dtype else value.astype(dtype)


def _in_float32(value: paddle.Tensor) -> paddle.Tensor:
    """A copy of a tensor, in float32 if it has 16 bits."""
    value = value.detach()
    return value.astype("float32") if value.dtype in (paddle.float16, paddle.bfloat16) else value.clone()

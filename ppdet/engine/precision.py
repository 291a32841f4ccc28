"""Mixed precision in training: which operations run in 16 bits, and loss scaling."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Dict, Mapping, Optional, Tuple

import paddle

from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger

_log = get_logger(__name__)


class Precision:
    """float32, or Paddle's automatic mixed precision on a GPU.

    Args:
        enabled: mixed precision was requested. On a CPU Paddle has none (3.0 to 3.3 ignore it): a warning says so, and training
            runs in float32.
        level: O1 (chosen operations in 16 bits) or O2 (everything but norms, with float32 master weights).
        dtype: float16, with the loss scaled, or bfloat16, which needs no scaling.
        init_loss_scaling: first factor on the loss.
        master_grad: with O2, keep gradients in float32.
        white_list, black_list: names of operations to run in 16 bits, or never to.

    Raises:
        ConfigError: unknown level or dtype.
    """

    def __init__(
        self,
        enabled: bool = False,
        level: str = "O1",
        dtype: str = "float16",
        init_loss_scaling: float = 1024.0,
        master_grad: bool = False,
        white_list: Optional[Tuple[str, ...]] = None,
        black_list: Optional[Tuple[str, ...]] = None,
    ) -> None:
        if level not in ("O1", "O2") or dtype not in ("float16", "bfloat16"):
            raise ConfigError(f"amp_level is O1 or O2 and amp_dtype float16 or bfloat16, got {level!r} and {dtype!r}")
        self.level: Any = level
        self.dtype: Any = dtype
        self.master_grad = bool(master_grad)
        self.lists: Dict[str, Any] = {"custom_white_list": white_list, "custom_black_list": black_list}
        self.enabled = enabled and paddle.device.get_device() != "cpu"
        if enabled and not self.enabled:
            _log.warning("--amp has no effect: Paddle has no mixed precision on CPU. Training in float32.")
        scales = self.enabled and dtype == "float16"
        self.scaler = paddle.amp.GradScaler(init_loss_scaling=float(init_loss_scaling)) if scales else None

    @classmethod
    def from_config(cls, config: Mapping[str, Any], enabled: bool) -> Precision:
        """Read PaddleDetection's keys (`amp_level`, `init_loss_scaling`, `master_grad`, ...) and `amp_dtype`."""
        return cls(
            enabled,
            level=config.get("amp_level", "O1"),
            dtype=config.get("amp_dtype", "float16"),
            init_loss_scaling=config.get("init_loss_scaling", 1024),
            master_grad=config.get("master_grad", False),
            white_list=config.get("custom_white_list"),
            black_list=config.get("custom_black_list"),
        )

    def decorate(self, model: paddle.nn.Layer, optimizer: paddle.optimizer.Optimizer) -> Tuple[Any, Any]:
        """Model and optimizer prepared for O2; unchanged at other levels."""
        if not self.enabled or self.level != "O2":
            return model, optimizer
        options: Any = {"level": "O2", "dtype": self.dtype, "master_grad": self.master_grad}
        decorated: Any = paddle.amp.decorate(models=model, optimizers=optimizer, **options)
        return decorated

    def autocast(self) -> AbstractContextManager:
        """Context for the forward pass."""
        if not self.enabled:
            return nullcontext()
        return paddle.amp.auto_cast(level=self.level, dtype=self.dtype, **self.lists)

    def backward(self, loss: paddle.Tensor) -> None:
        """Compute the gradients of the loss, scaled if necessary."""
        (loss if self.scaler is None else self.scaler.scale(loss)).backward()

    def update(self, optimizer: paddle.optimizer.Optimizer) -> None:
        """One optimizer step; with loss scaling it is skipped if a gradient overflowed."""
        if self.scaler is None:
            optimizer.step()
        else:
            self.scaler.step(optimizer)
            self.scaler.update()

    def state(self) -> Dict[str, Any]:
        """State of the loss scaling for a resumed run, as plain numbers."""
        return {} if self.scaler is None else {k: _number(v) for k, v in self.scaler.state_dict().items()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue from `state()`."""
        if self.scaler is not None and state:
            held: Any = {**state, "scale": [state["scale"]]}
            self.scaler.load_state_dict(held)


def _number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value

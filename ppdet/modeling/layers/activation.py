"""Activations by their names in YAML."""

from __future__ import annotations

from typing import Callable, Dict, Optional

import paddle
import paddle.nn.functional as F

from ppdet.core.errors import ConfigError

Activation = Callable[[paddle.Tensor], paddle.Tensor]


def _identity(x: paddle.Tensor) -> paddle.Tensor:
    return x


_BY_NAME: Dict[Optional[str], Activation] = {
    None: _identity,
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "hard_swish": F.hardswish,
    "sigmoid": F.sigmoid,
    "silu": F.silu,
    "mish": F.mish,
}


def activation(name: Optional[str]) -> Activation:
    """The activation function of that name; None is the identity.

    Raises:
        ConfigError: the name is unknown.
    """
    if name not in _BY_NAME:
        known = ", ".join(str(key) for key in _BY_NAME if key)
        raise ConfigError(f"unknown activation {name!r}; known are {known}")
    return _BY_NAME[name]

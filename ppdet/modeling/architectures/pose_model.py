"""Common base of pose networks, which computes the loss of their outputs."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

import paddle
from paddle import nn

from ppdet.core.errors import ConfigError


class PoseModel(nn.Layer):
    """Images to a dict of tensors. Subclasses set `_loss`.

    Attributes:
        loss_hint: for the error message: what to add to a config without loss.
    """

    loss_hint = "`loss: KeyPointMSELoss`"
    _loss: Optional[Callable[[Any, Any], Dict[str, paddle.Tensor]]]

    def loss(self, outputs: Dict[str, paddle.Tensor], batch: Dict[str, paddle.Tensor]) -> Dict[str, paddle.Tensor]:
        """Losses of `forward`'s outputs; "loss" is their sum.

        Raises:
            ConfigError: the model was built without a loss.
        """
        if self._loss is None:
            raise ConfigError(f"{type(self).__name__} was built without a loss; add {self.loss_hint} to train it")
        return self._loss(outputs, batch)

"""Divergence of predicted and target distributions along both axes. B batch, K keypoints, n bins of an axis."""

from __future__ import annotations

from typing import Dict, Optional

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError


@register
class KLDiscretLoss(nn.Layer):
    """Of SimCC and RTMPose: ``sum over persons and keypoints of weight * (KL_x + KL_y) / K``, each KL a mean over the bins.

    ``KL = 1 / n * sum q (log q - log p)`` with ``p = softmax(beta * logits)`` and ``q = softmax(label_beta * target)``. The sum
    over persons is the published one, so the value grows with the batch; Adam does not notice, clipping of gradients does.

    Source: Li et al., SimCC, ECCV 2022, and its code as RTMPose uses it (Jiang et al., arXiv:2303.07399).

    Args:
        beta: factor on the logits, a reciprocal temperature.
        label_beta: factor on the targets; None is `beta`.
        label_softmax: turn targets into distributions by a softmax; without it they must be distributions already
            (`SimCCCodec.normalize`).
        use_target_weight: weight keypoints by `target_weight`.

    Raises:
        ConfigError: a factor that is not positive.
    """

    def __init__(
        self, beta: float = 10.0, label_beta: Optional[float] = None, label_softmax: bool = True, use_target_weight: bool = True
    ) -> None:
        super().__init__()
        self.beta = float(beta)
        self.label_beta = self.beta if label_beta is None else float(label_beta)
        if self.beta <= 0 or self.label_beta <= 0:
            raise ConfigError(f"KLDiscretLoss: beta and label_beta must be positive, given {beta} and {label_beta}")
        self.label_softmax, self.use_target_weight = label_softmax, use_target_weight

    def forward(self, outputs: Dict[str, paddle.Tensor], batch: Dict[str, paddle.Tensor]) -> Dict[str, paddle.Tensor]:
        """Loss of logits and targets.

        Args:
            outputs: "simcc_x" and "simcc_y" (B, K, n of each axis).
            batch: "target" (B, K, n of x + n of y), x first; "target_weight" (B, K) if used.

        Returns:
            {"loss": scalar}.

        Raises:
            ConfigError: prediction and target differ in shape.
        """
        x, y, target = outputs["simcc_x"], outputs["simcc_y"], batch["target"]
        bins = x.shape[2] + y.shape[2]
        if list(target.shape) != [x.shape[0], x.shape[1], bins]:
            raise ConfigError(
                f"the model gives {x.shape[1]} keypoints with {x.shape[2]} + {y.shape[2]} bins, and the targets are "
                f"{list(target.shape)} (batch, joints, bins); check num_joints, and that TrainReader has EncodeSimCC"
            )
        target_x, target_y = target[..., : x.shape[2]], target[..., x.shape[2] :]
        errors = self._divergence(x, target_x) + self._divergence(y, target_y)
        if self.use_target_weight:
            errors = errors * batch["target_weight"].reshape(errors.shape)
        return {"loss": errors.sum() / x.shape[1]}

    def _divergence(self, logits: paddle.Tensor, target: paddle.Tensor) -> paddle.Tensor:
        """(B, K) mean over bins of q (log q - log p)."""
        log_p = F.log_softmax(logits.astype("float32") * self.beta, axis=-1)
        target = target.astype("float32")
        if self.label_softmax:
            log_q = F.log_softmax(target * self.label_beta, axis=-1)
            return (log_q.exp() * (log_q - log_p)).mean(axis=-1)
        # 0 log 0 is 0
        return (target * (target.clip(min=1e-12).log() - log_p)).mean(axis=-1)

"""ViTPose under PaddleDetection's names (Xu et al., NeurIPS 2022)."""

from __future__ import annotations

from typing import Any, Optional

from paddle import nn

from ppdet.core.config.registry import register
from ppdet.modeling.architectures.simple_baseline import SimpleBaseline


@register
class VitPose_TopDown(SimpleBaseline):  # noqa: N801 - as YAML spells it
    """`SimpleBaseline` under the name and with the keys of PaddleDetection's YAML.

    Args:
        backbone, head, loss, codec: see `SimpleBaseline`.
        post_process, flip_test: accepted; the codec decodes and the evaluator does the flip test, in all commands.
    """

    def __init__(
        self,
        backbone: nn.Layer,
        head: nn.Layer,
        loss: Optional[nn.Layer] = None,
        codec: Optional[Any] = None,
        post_process: Any = None,
        flip_test: bool = True,
    ) -> None:
        super().__init__(backbone, head, loss, codec)


@register
class VitPosePostProcess:
    """Accepted for PaddleDetection's YAML; the codec does the decoding, in all commands.

    Args:
        use_dark: read by the codec of configs in PaddleDetection's spelling.
    """

    def __init__(self, use_dark: bool = True) -> None:
        self.use_dark = use_dark

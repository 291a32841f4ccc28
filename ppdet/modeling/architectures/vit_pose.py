"""ViTPose under PaddleDetection's names (Xu et al., NeurIPS 2022)."""

from __future__ import annotations

from typing import Any, Optional

from paddle import nn

from ppdet.core.config.registry import register
from ppdet.modeling.architectures.simple_baseline import SimpleBaseline


@register
class VitPose_TopDown(SimpleBaseline):  # noqa: N801 - as YAML spells it
    """`SimpleBaseline` by the name and with the keys of PaddleDetection's YAML.

    Args:
        backbone, head, loss, codec: see `SimpleBaseline`.
        post_process, flip_test: accepted; the codec decodes and the evaluator mirrors, in every command alike.
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
    """Accepted so that PaddleDetection's YAML loads; the codec decodes, in every command alike.

    Args:
        use_dark: read by the codec when it is made from PaddleDetection's vocabulary.
    """

    def __init__(self, use_dark: bool = True) -> None:
        self.use_dark = use_dark

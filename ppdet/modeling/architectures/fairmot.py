"""FairMOT: a detector and a description of each person's look in one network (Zhang et al., IJCV 2021)."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.architectures.centernet import CenterNet
from ppdet.modeling.heads.fairmot_embedding_head import FairMOTEmbeddingHead
from ppdet.modeling.losses.fairmot_loss import FairMOTLoss


@register
class FairMOT(nn.Layer):
    """Keys ``detector.*``, ``reid.*``, ``loss.*``.

    Args:
        detector: finds people.
        reid: describes their looks; made for the detector's neck.
        tracker: name of the tracker, whose settings are its section's; the task builds it.
        loss: balances the losses of both; None for a network that is only run.

    Raises:
        ConfigError: the detector has several classes.
    """

    __inject__ = ["detector", "reid", "loss"]

    def __init__(
        self,
        detector: CenterNet,
        reid: FairMOTEmbeddingHead,
        tracker: str = "JDETracker",
        loss: Optional[FairMOTLoss] = None,
    ) -> None:
        super().__init__()
        if detector.head.num_classes != 1:
            raise ConfigError(f"FairMOT: num_classes is {detector.head.num_classes}, but one class is followed: set it to 1")
        self.detector, self.reid = detector, reid
        self.tracker = tracker
        # the published files have the learned weights under "loss", which is also the name of the method
        self.add_sublayer("loss", loss if loss is not None else FairMOTLoss())

    @classmethod
    def build_parts(cls, build: Callable[..., Any], args: Dict[str, Any]) -> Dict[str, Any]:
        """Build the detector first, because the other head depends on its neck."""
        detector = build(args["detector"])
        return {**args, "detector": detector, "reid": build(args["reid"], input_shape=detector.neck.out_shape)}

    def forward(self, images: paddle.Tensor) -> Dict[str, paddle.Tensor]:
        """(B, 3, H, W) images in [0, 1] -> "heatmap", "size" and "offset" of `CenterNetHead`, and "reid" (B, D, h, w) looks."""
        outputs = self.detector(images)
        return {**outputs, "reid": self.reid(outputs.pop("feature"))}

    def loss(self, outputs: Mapping[str, paddle.Tensor], batch: Mapping[str, Any]) -> Dict[str, paddle.Tensor]:
        """Losses of `forward`'s outputs.

        Args:
            outputs: of `forward`.
            batch: see `CenterNetHead.loss` and `FairMOTEmbeddingHead.loss`; made by `Gt2FairMOTTarget`.

        Returns:
            "heatmap_loss", "size_loss", "offset_loss" and their sum "det_loss"; "reid_loss"; and the balanced total "loss".
        """
        losses = {**self.detector.head.loss(outputs, batch), **self.reid.loss(outputs["reid"], batch)}
        return {**losses, "loss": self._sub_layers["loss"](losses["det_loss"], losses["reid_loss"])}

"""FairMOT's second head: what the person at each cell looks like (Zhang et al., FairMOT, IJCV 2021).

Legend: B batch, D numbers of a look, h w cells, M boxes at most, I identities of the training data.
"""

from __future__ import annotations

import math
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.heads.centernet_head import gather_cells
from ppdet.modeling.initializer import constant_attr, normal_attr
from ppdet.modeling.layers.plain_conv import prediction_branch
from ppdet.modeling.shape_spec import ShapeSpec, input_channels

IDENTITIES = 14455
"""Of the six datasets that the published model was trained on."""
UNKNOWN = -1
CLASSIFIER = "classifier.weight"
SMALLEST_NORM = 1e-12


@register
class FairMOTEmbeddingHead(nn.Layer):
    """Looks, and the classifier of identities that they are learned by; keys ``reid.*``, ``classifier.*``.

    Only training uses the classifier, and its size is the number of identities of the data, so files of different trainings
    differ in it: training takes the number from the dataset, and a file that is loaded to be run states its own.

    Args:
        in_channels: of the neck; filled in.
        ch_head: channels between the two convolutions.
        ch_emb: D.
        num_identities_dict: {0: I}, before there is data.
        input_shape: of the neck.

    Raises:
        ConfigError: identities of several classes.
    """

    def __init__(
        self,
        in_channels: Optional[int] = None,
        ch_head: int = 256,
        ch_emb: int = 128,
        num_identities_dict: Optional[Mapping[int, int]] = None,
        input_shape: Optional[Sequence[ShapeSpec]] = None,
    ) -> None:
        super().__init__()
        numbers = dict(num_identities_dict or {0: IDENTITIES})
        if len(numbers) != 1 or min(numbers.values()) < 1:
            raise ConfigError("FairMOTEmbeddingHead: num_identities_dict is {0: number of identities}, of one class; given "
                              f"{numbers}")  # fmt: skip
        self.ch_emb = ch_emb
        self.reid = prediction_branch(input_channels("FairMOTEmbeddingHead", in_channels, input_shape), ch_head, ch_emb)
        self.num_identities = 0
        self.set_identities(next(iter(numbers.values())))

    def set_identities(self, count: int) -> None:
        """A new classifier of so many identities, if it has another number."""
        if count != self.num_identities:
            self.num_identities = count
            self.classifier = nn.Linear(self.ch_emb, count, weight_attr=normal_attr(0.001), bias_attr=constant_attr(0.0))

    def adopt_shapes(self, shapes: Mapping[str, Tuple[int, ...]]) -> None:
        """Take the number of identities from a file that is loaded to be run."""
        if len(shapes.get(CLASSIFIER, ())) == 2:
            self.set_identities(int(shapes[CLASSIFIER][1]))

    @property
    def scale(self) -> float:
        """Length of a look in front of the classifier: sqrt(2) log(I - 1). PaddleDetection multiplies by 0 if there are two."""
        return math.sqrt(2) * math.log(self.num_identities - 1) if self.num_identities > 2 else 1.0

    def forward(self, feature: paddle.Tensor) -> paddle.Tensor:
        """(B, in, h, w) -> (B, D, h, w), of any length."""
        return self.reid(feature)

    @staticmethod
    def normalized(looks: paddle.Tensor) -> paddle.Tensor:
        """(..., D) looks of length 1."""
        return F.normalize(looks, axis=-1, epsilon=SMALLEST_NORM)

    def loss(self, looks: paddle.Tensor, batch: Mapping[str, Any]) -> Dict[str, paddle.Tensor]:
        """Cross entropy of the identities, averaged over the people who have one.

        Args:
            looks: of `forward`.
            batch: "center_index", "center_mask" and "center_identity" (B, M); -1 is unknown.

        Returns:
            "reid_loss".
        """
        known = (batch["center_mask"] > 0) & (batch["center_identity"] != UNKNOWN)
        rows = paddle.nonzero(known.reshape([-1])).reshape([-1])
        if rows.shape[0] == 0:  # nobody has an identity; the sums keep the parameters in the graph
            return {"reid_loss": looks.sum() * 0.0 + self.classifier.weight.sum() * 0.0 + self.classifier.bias.sum() * 0.0}
        found = paddle.gather(gather_cells(looks, batch["center_index"]).reshape([-1, self.ch_emb]), rows)
        identity = paddle.gather(batch["center_identity"].reshape([-1]).astype("int64"), rows)
        return {"reid_loss": F.cross_entropy(self.classifier(self.scale * self.normalized(found)), identity)}

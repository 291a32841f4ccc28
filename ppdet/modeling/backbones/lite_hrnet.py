"""LiteHRNet: a lightweight HRNet (Yu et al., CVPR 2021). Its "wider naive" variant is the backbone of PP-TinyPose."""

from __future__ import annotations

from typing import List, Sequence

import paddle
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.backbones.lite_hrnet_blocks import (
    ConvFactory,
    Exchange,
    IterativeHead,
    ParallelShuffleUnits,
    Stem,
    WeightingUnits,
    conv_factory,
    separable,
)
from ppdet.modeling.shape_spec import ShapeSpec

# network_type: (modules of the three stages, channels of the four branches, weighting units instead of shuffle units)
NETWORKS = {
    "lite_18": ((2, 4, 2), (40, 80, 160, 320), True),
    "lite_30": ((3, 8, 3), (40, 80, 160, 320), True),
    "naive": ((2, 4, 2), (30, 60, 120, 240), False),
    "wider_naive": ((2, 4, 2), (40, 80, 160, 320), False),
}
STRIDES = (4, 8, 16, 32)
STEM_CHANNELS = 32


class _Module(nn.Layer):
    """Two units per resolution, then fusion; keys ``layers.*`` and ``fuse_layers.*``."""

    def __init__(self, conv: ConvFactory, channels: Sequence[int], weighting: bool) -> None:
        super().__init__()
        if weighting:
            self.layers = nn.Sequential(WeightingUnits(conv, channels), WeightingUnits(conv, channels))
        else:
            self.layers = ParallelShuffleUnits(conv, channels)
        self.fuse_layers = Exchange(channels)

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        return self.fuse_layers(self.layers(xs))


class _Transition(nn.Layer):
    """Adapt the widths and add one coarser branch; keys ``{branch}.*``, ``{new branch}.0.*``."""

    def __init__(self, given: Sequence[int], wanted: Sequence[int]) -> None:
        super().__init__()
        for i, channels in enumerate(wanted):
            if i >= len(given):
                self.add_sublayer(str(i), nn.Sequential(separable(given[-1], channels, stride=2, relu=True)))
            elif given[i] != channels:
                self.add_sublayer(str(i), separable(given[i], channels, stride=1, relu=True))
        self._count = len(wanted)

    def forward(self, xs: List[paddle.Tensor]) -> List[paddle.Tensor]:
        outputs = []
        for i in range(self._count):
            x = xs[min(i, len(xs) - 1)]
            outputs.append(self._sub_layers[str(i)](x) if str(i) in self._sub_layers else x)
        return outputs


@register
class LiteHRNet(nn.Layer):
    """LiteHRNet with its iterative head.

    Args:
        network_type: a key of `NETWORKS`.
        freeze_at: index of the output whose gradient is stopped; -1 for none.
        freeze_norm: batch norms keep their loaded statistics and parameters.
        norm_decay: weight decay of the batch norms inside conv blocks.
        return_idx: which of the four outputs (strides 4, 8, 16, 32) to return.

    Raises:
        ConfigError: an unknown network or output.
    """

    input_multiple = 32  # divides both sides of the input; other sizes fail when branches are fused

    def __init__(
        self,
        network_type: str,
        freeze_at: int = 0,
        freeze_norm: bool = True,
        norm_decay: float = 0.0,
        return_idx: Sequence[int] = (0, 1, 2, 3),
    ) -> None:
        super().__init__()
        if network_type not in NETWORKS:
            raise ConfigError(f"LiteHRNet: unknown network_type {network_type!r}; use one of {', '.join(NETWORKS)}")
        self.return_idx = list(return_idx)
        if not self.return_idx or not set(self.return_idx) <= {0, 1, 2, 3}:
            raise ConfigError(f"LiteHRNet: return_idx {self.return_idx} is not possible; give one or more of 0, 1, 2, 3")
        modules, channels, weighting = NETWORKS[network_type]
        conv = conv_factory(norm_decay=norm_decay, freeze_norm=freeze_norm)
        self.freeze_at = freeze_at
        # The head reduces each output to the channels of the next finer branch.
        head_channels = [channels[max(i - 1, 0)] for i in range(4)]
        self.out_shape = [ShapeSpec(head_channels[i], STRIDES[i]) for i in self.return_idx]

        self.stem = Stem(conv)
        given: Sequence[int] = (STEM_CHANNELS,)
        for s, count in enumerate(modules):
            wanted = channels[: s + 2]
            self.add_sublayer(f"transition{s}", _Transition(given, wanted))
            self.add_sublayer(f"stage{s}", nn.Sequential(*(_Module(conv, wanted, weighting) for _ in range(count))))
            given = wanted
        self.head_layer = IterativeHead(conv, channels)

    def forward(self, images: paddle.Tensor) -> List[paddle.Tensor]:
        """(B, 3, H, W), H and W multiples of 32 -> one (B, C, H / stride, W / stride) per entry of `return_idx`."""
        xs = [self.stem(images)]
        for s in range(3):
            xs = self._sub_layers[f"stage{s}"](self._sub_layers[f"transition{s}"](xs))
        xs = self.head_layer(xs)
        if 0 <= self.freeze_at < len(xs):
            xs[self.freeze_at].stop_gradient = True
        return [xs[i] for i in self.return_idx]

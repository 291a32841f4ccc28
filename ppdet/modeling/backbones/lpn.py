"""LPN: a Simple Baseline with depthwise bottlenecks and global context (Zhang et al., arXiv:1911.10346)."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.backbones.residual_trunk import ResidualTrunk
from ppdet.modeling.layers.residual_blocks import BasicBlock, Bottleneck, ChannelGate, GlobalContext, ResidualBlock


class Plan(NamedTuple):
    """Blocks of the four stages; `group_size` channels per group for basic blocks, None for bottlenecks."""

    blocks: Tuple[int, int, int, int]
    group_size: Optional[int] = None


NETWORKS = {
    "18": Plan((2, 2, 2, 2), 1),
    "18h": Plan((2, 2, 2, 2), 2),
    "34": Plan((3, 4, 6, 3), 1),
    "34h": Plan((3, 4, 6, 3), 2),
    "50": Plan((3, 4, 6, 3)),
    "100": Plan((3, 13, 30, 3)),
    "101": Plan((3, 4, 23, 3)),
    "152": Plan((3, 8, 36, 3)),
}
ATTENTIONS = ("GC", "SE", None)


@register
class LPN(ResidualTrunk):
    """Lightweight trunk with the authors' keys and one output, at stride 16.

    Args:
        network: a key of `NETWORKS`; "18h" and "34h" convolve pairs of channels where "18" and "34" are depthwise.
        attention: "GC" (global context, as published), "SE" or null, in every block.

    Raises:
        ConfigError: another network or attention.
    """

    input_multiple = 16  # divides both sides of the input

    def __init__(self, network: str = "50", attention: Optional[str] = "GC") -> None:
        if str(network) not in NETWORKS:
            raise ConfigError(f"LPN: network {network!r} is not defined; use one of {', '.join(NETWORKS)}")
        if attention not in ATTENTIONS:
            raise ConfigError(f"LPN: attention {attention!r} is not defined; use GC, SE or null")
        plan = NETWORKS[str(network)]

        def block(in_channels: int, width: int, stride: int) -> ResidualBlock:
            if plan.group_size is None:
                made: ResidualBlock = Bottleneck(in_channels, width, stride, expansion=1, depthwise=True)
            else:
                made = BasicBlock(in_channels, width, stride, plan.group_size)
            made.attend("att", _attention(attention, width))
            return made

        super().__init__(block, plan.blocks, (1, 2, 2, 1), expansion=1)


def _attention(kind: Optional[str], channels: int) -> Optional[nn.Layer]:
    hidden = max(channels // 16, 16)
    if kind is None:
        return None
    return GlobalContext(channels, hidden) if kind == "GC" else ChannelGate(channels, hidden, bias=False)

"""RTMPose and smaller networks with its head."""

from __future__ import annotations

from typing import Any, Sequence

import paddle

from ppdet import modeling as m
from ppdet.codecs import SimCCCodec

#: deepen_factor, widen_factor
SIZES = {"t": (0.167, 0.375), "s": (0.33, 0.5), "m": (0.67, 0.75)}


def rtmpose(size: str = "t", input_wh: Sequence[int] = (192, 256), joints: int = 17, loss: Any = None) -> paddle.nn.Layer:
    return simcc(m.CSPNeXt(*SIZES[size]), input_wh, joints, loss)


def simcc(backbone: Any, input_wh: Sequence[int], joints: int = 17, loss: Any = None, **options: Any) -> paddle.nn.Layer:
    head = m.SimCCHead(num_joints=joints, codec=SimCCCodec(input_wh), input_shape=backbone.out_shape, **options)
    return m.TopDownSimCC(backbone, head, loss=loss)

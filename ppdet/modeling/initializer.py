"""Parameter attributes with the initial distributions of the published recipes."""

from __future__ import annotations

import math
from typing import Optional

import paddle
from paddle import ParamAttr
from paddle.nn import initializer
from paddle.regularizer import L2Decay


def normal_attr(std: float) -> ParamAttr:
    """Weights drawn from N(0, std)."""
    return ParamAttr(initializer=initializer.Normal(mean=0.0, std=std))


def kaiming_uniform_attr() -> ParamAttr:
    """He et al., ICCV 2015, uniform variant."""
    return ParamAttr(initializer=initializer.KaimingUniform())


def kaiming_normal_attr() -> ParamAttr:
    """He et al., ICCV 2015: N(0, sqrt(2 / fan_in)), fan_in = inputs of one output."""
    return ParamAttr(initializer=initializer.KaimingNormal())


def constant_attr(value: float) -> ParamAttr:
    """All entries equal `value`."""
    return ParamAttr(initializer=initializer.Constant(value))


def fan_in_uniform_attr(fan_in: int) -> ParamAttr:
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the squeeze-and-excitation layers of HRNet."""
    bound = 1.0 / math.sqrt(fan_in)
    return ParamAttr(initializer=initializer.Uniform(-bound, bound))


def norm_attr(value: float, decay: Optional[float], trainable: bool) -> ParamAttr:
    """Attribute of the scale (value 1) or shift (value 0) of a norm layer.

    Args:
        value: initial value.
        decay: weight decay of this parameter; None uses the optimizer's.
        trainable: False freezes it.
    """
    regularizer = None if decay is None else L2Decay(decay)
    return ParamAttr(initializer=initializer.Constant(value), regularizer=regularizer, trainable=trainable)


def prior_bias(probability: float) -> float:
    """The logit of `probability`: a classifier's bias when all classes are rare (Lin et al., ICCV 2017, sec. 4.1)."""
    return -math.log((1.0 - probability) / probability)


def parameter_count(layer: paddle.nn.Layer) -> int:
    """Number of weights, without running statistics. A tensor with two names counts once."""
    return sum(int(p.size) for name, p in layer.named_parameters() if not name.endswith(("._mean", "._variance")))

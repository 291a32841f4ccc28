"""Operators in C++ that train faster on a CPU than Paddle's; built on request, never needed."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__, {"load_cpu_operators": "cpu", "replace_depthwise_convolutions": "cpu", "DepthwiseConv2D": "cpu"}
)

"""Features to heatmaps by transposed convolutions (Xiao et al., ECCV 2018) or plain upsampling (Xu et al., NeurIPS 2022)."""

from __future__ import annotations

from math import gcd
from typing import Any, List, Mapping, Optional, Sequence

import paddle
import paddle.nn.functional as F
from paddle import nn

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import constant_attr, normal_attr
from ppdet.modeling.layers.conv_norm import batch_norm
from ppdet.modeling.layers.residual_blocks import plain_conv
from ppdet.modeling.shape_spec import ShapeSpec, input_channels


@register
class TopdownHeatmapSimpleHead(nn.Layer):
    """Checkpoint keys: ``deconv_layers.*`` (a numbered sequence) and ``final_layer.*``.

    Args:
        in_channels: of the feature map; None takes the first of `input_shape`.
        out_channels: number of keypoints; None takes `num_joints`.
        num_deconv_layers: transposed convolutions, each doubling the resolution.
        num_deconv_filters, num_deconv_kernels: channels (256) and kernel (4, 3 or 2) of each.
        extra: {final_conv_kernel: 1 or 3}; 1 if not given.
        upsample: factor of a ReLU and bilinear upsampling in place of transposed convolutions; 0 for none.
        lightweight: LPN's form: grouped transposed convolutions, each followed by a 1x1 convolution.
        num_joints: shared.
        input_shape: of the backbone; set by the architecture.
        flip_pairs, shift_heatmap, align_corners: PaddleDetection's keys; not used, the codec covers them.

    Raises:
        ConfigError: list lengths differ from `num_deconv_layers`, an unsupported kernel, or contradicting channels.
    """

    __shared__ = ["num_joints"]
    __repeats__ = {"out_channels": "num_joints"}

    def __init__(
        self,
        in_channels: Optional[int] = None,
        out_channels: Optional[int] = None,
        num_deconv_layers: int = 3,
        num_deconv_filters: Optional[Sequence[int]] = None,
        num_deconv_kernels: Optional[Sequence[int]] = None,
        extra: Optional[Mapping[str, Any]] = None,
        upsample: int = 0,
        lightweight: bool = False,
        num_joints: int = 17,
        input_shape: Optional[Sequence[ShapeSpec]] = None,
        flip_pairs: Optional[Sequence[Sequence[int]]] = None,
        shift_heatmap: bool = False,
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        filters = [256] * num_deconv_layers if num_deconv_filters is None else list(num_deconv_filters)
        kernels = [4] * num_deconv_layers if num_deconv_kernels is None else list(num_deconv_kernels)
        final_kernel = int((extra or {}).get("final_conv_kernel", 1))
        _check(num_deconv_layers, filters, kernels, final_kernel, extra, align_corners)
        self.num_joints = num_joints if out_channels is None else out_channels
        self.in_channels = input_channels("TopdownHeatmapSimpleHead", in_channels, input_shape)
        self.upsample = upsample
        self.scale = 2**num_deconv_layers * (upsample or 1)
        layers: List[nn.Layer] = []
        channels = self.in_channels
        for width, kernel in zip(filters, kernels):
            layers += _doubled(channels, width, kernel, lightweight)
            channels = width
        if layers:
            self.deconv_layers = nn.Sequential(*layers)
        self.final_layer = nn.Conv2D(
            channels, self.num_joints, final_kernel, padding=final_kernel // 2,
            weight_attr=normal_attr(0.001), bias_attr=constant_attr(0.0),
        )  # fmt: skip

    def forward(self, features: paddle.Tensor) -> paddle.Tensor:
        """(B, in_channels, H, W) -> (B, K, scale H, scale W)."""
        if self.upsample:
            features = F.interpolate(F.relu(features), scale_factor=self.upsample, mode="bilinear", align_corners=False)
        if "deconv_layers" in self._sub_layers:
            features = self.deconv_layers(features)
        return self.final_layer(features)


def _doubled(channels: int, width: int, kernel: int, lightweight: bool) -> List[nn.Layer]:
    """Transposed convolution of stride 2, norm, ReLU and, for LPN, 1x1 convolution, norm, ReLU."""
    padding, output_padding = {4: (1, 0), 3: (1, 1), 2: (0, 0)}[kernel]
    deconv = nn.Conv2DTranspose(
        channels, width, kernel, 2, padding, output_padding, groups=gcd(channels, width) if lightweight else 1,
        weight_attr=normal_attr(0.001), bias_attr=False,
    )  # fmt: skip
    layers = [deconv, batch_norm(width, decay=None), nn.ReLU()]
    if lightweight:
        layers += [plain_conv(width, width, 1), batch_norm(width, decay=None), nn.ReLU()]
    return layers


def _check(
    count: int, filters: Sequence[int], kernels: Sequence[int], final_kernel: int, extra: Any, align_corners: bool
) -> None:
    if not count == len(filters) == len(kernels):
        raise ConfigError(
            f"TopdownHeatmapSimpleHead: num_deconv_layers is {count}, but there are {len(filters)} filters and {len(kernels)} "
            "kernels; give one of each for every layer, or leave both lists out"
        )
    if not set(kernels) <= {2, 3, 4} or final_kernel not in (1, 3):
        raise ConfigError(
            f"TopdownHeatmapSimpleHead: kernels {list(kernels)} and final_conv_kernel {final_kernel} are not possible; "
            "transposed convolutions have 2, 3 or 4, the last convolution 1 or 3"
        )
    unknown = sorted(set(extra or {}) - {"final_conv_kernel"})
    if unknown or align_corners:
        what = "align_corners: true" if align_corners else f"extra.{unknown[0]}"
        raise ConfigError(f"TopdownHeatmapSimpleHead: {what} is not supported; remove it")

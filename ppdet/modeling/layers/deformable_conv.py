"""Modulated deformable convolution (DCNv2: Zhu et al., CVPR 2019).

Legend: B batch, C input channels, O output channels, H W input cells, h w output cells, k kernel side, T = k^2 taps.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import ParamAttr, nn
from paddle.vision.ops import DeformConv2D

from ppdet.core.errors import ConfigError
from ppdet.modeling.initializer import constant_attr, kaiming_normal_attr


class DeformableConv(nn.Layer):
    """Convolution whose taps are moved and weighted per output cell; keys ``conv_offset.*``, ``conv_dcn.*``.

    An ordinary convolution predicts 3 T channels: first (dy, dx) of each tap in input cells, tap by tap in row-major order,
    then the logits of the weights. Offsets start at 0 and weights at 1/2. Values between cells are bilinear; cells outside the
    map count as 0.

    Args:
        in_channels, out_channels, kernel, stride: of the convolution; "same" padding at stride 1.
        bias_attr: of the convolution's bias; False for none.
        weight_attr: initial weights; default: He normal.
        offset_bias_attr: of the bias of the predicted offsets; default: starts at 0.
    """

    conv_key = "conv_dcn"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        stride: int = 1,
        bias_attr: Any = False,
        weight_attr: Optional[ParamAttr] = None,
        offset_bias_attr: Optional[ParamAttr] = None,
    ) -> None:
        super().__init__()
        self._kernel, self._stride, self._padding = kernel, stride, (kernel - 1) // 2
        self.conv_offset = nn.Conv2D(
            in_channels,
            3 * kernel * kernel,
            kernel,
            stride=stride,
            padding=self._padding,
            weight_attr=constant_attr(0.0),
            bias_attr=offset_bias_attr or constant_attr(0.0),
        )
        conv = DeformConv2D(
            in_channels,
            out_channels,
            kernel,
            stride=stride,
            padding=self._padding,
            weight_attr=weight_attr or kaiming_normal_attr(),
            bias_attr=bias_attr,
        )
        self.add_sublayer(self.conv_key, conv)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        """(B, C, H, W) -> (B, O, h, w).

        Raises:
            ConfigError: exported with an input of unknown height or width.
        """
        taps = self._kernel * self._kernel
        predicted, conv = self.conv_offset(x), self._sub_layers[self.conv_key]
        moves, weights = predicted[:, : 2 * taps], F.sigmoid(predicted[:, 2 * taps :])
        if self._native(x):
            return conv(x, moves, weights)
        columns = sample_taps(x, moves, weights, self._kernel, self._stride, self._padding)
        out_channels, (height, width) = conv.weight.shape[0], moves.shape[2:]
        matrix = conv.weight.transpose([2, 3, 1, 0]).reshape([-1, out_channels])
        y = paddle.matmul(columns, matrix)
        if conv.bias is not None:
            y = y + conv.bias
        return y.transpose([0, 2, 1]).reshape([-1, out_channels, height, width])

    def _native(self, x: paddle.Tensor) -> bool:
        """Whether Paddle's operator computes it.

        Not in an exported graph: OpenVINO (2026.4) has no rule for ONNX's DeformConv. Not in training on a CPU: for
        (2, 64, 48, 80) cells on one core the operator's gradient takes 3.2 s, that of `sample_taps` 1.0 s. On a GPU the
        operator saves the memory of the samples.
        """
        if not paddle.in_dynamic_mode():
            return False
        return x.place.is_gpu_place() or not (self.training and paddle.is_grad_enabled())


def sample_taps(
    x: paddle.Tensor, moves: paddle.Tensor, weights: paddle.Tensor, kernel: int, stride: int, padding: int
) -> paddle.Tensor:
    """Weighted bilinear samples at the moved taps, by operators that every engine has.

    Cells become rows of C values, so that a sample is a weighted sum of four gathered rows. A ring of zeros surrounds the map
    and positions are clipped to it, so a tap far outside samples 0 and needs no mask.

    Args:
        x: (B, C, H, W).
        moves: (B, 2 T, h, w), dy and dx of each tap in cells.
        weights: (B, T, h, w).
        kernel, stride, padding: of the convolution.

    Returns:
        (B, h w, T C); T C counts taps in row-major order, channels fastest.

    Raises:
        ConfigError: height or width is unknown (an export with a free input size).
    """
    channels, height, width = x.shape[1:]
    if not (isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0):
        raise ConfigError("a network with deformable convolutions is exported for one input size: give its height and width")
    out_hw, taps = moves.shape[2:], kernel * kernel
    rows_y, rows_x = tap_positions(out_hw, kernel, stride, padding)
    moves = moves.astype("float32").reshape([-1, taps, 2, *out_hw])
    top, part_y = _cell_and_part(moves[:, :, 0] + rows_y, height)
    left, part_x = _cell_and_part(moves[:, :, 1] + rows_x, width)
    ring_width, ring_cells = width + 2, (height + 2) * (width + 2)
    cells = F.pad(x, [1, 1, 1, 1]).transpose([0, 2, 3, 1]).reshape([-1, channels])
    image = paddle.arange(0, paddle.shape(x)[0], 1, dtype="int64").reshape([-1, 1, 1, 1]) * ring_cells
    index = (image + (top + 1) * ring_width + (left + 1)).reshape([-1])

    def corner(step: int, share: paddle.Tensor) -> paddle.Tensor:
        return paddle.gather(cells, index + step) * (share * weights).reshape([-1, 1])

    samples = (
        corner(0, (1 - part_y) * (1 - part_x))
        + corner(1, (1 - part_y) * part_x)
        + corner(ring_width, part_y * (1 - part_x))
        + corner(ring_width + 1, part_y * part_x)
    )
    places = out_hw[0] * out_hw[1]
    return samples.reshape([-1, taps, places, channels]).transpose([0, 2, 1, 3]).reshape([-1, places, taps * channels])


def tap_positions(out_hw: Any, kernel: int, stride: int, padding: int) -> tuple:
    """Rows and columns of the taps before they move: two float32 tensors (T, h, 1) and (T, 1, w), in cells."""
    tap_y, tap_x = np.divmod(np.arange(kernel * kernel), kernel)
    rows, columns = (np.arange(side) * stride - padding for side in out_hw)
    y = (tap_y[:, None, None] + rows[None, :, None]).astype(np.float32)
    x = (tap_x[:, None, None] + columns[None, None, :]).astype(np.float32)
    return paddle.to_tensor(y), paddle.to_tensor(x)


def _cell_and_part(position: paddle.Tensor, side: int) -> tuple:
    """The cell (int64, -1 to side - 1) before a position, and how far the position is beyond it (0 to 1).

    The two clips are separate on purpose: Paddle Inference 3.2 takes the floor in place, also if its input is used again.
    """
    cell = paddle.floor(paddle.clip(position, -1.0, side - 1.0))
    part = paddle.clip(position, -1.0, float(side)) - cell
    return cell.astype("int64"), part

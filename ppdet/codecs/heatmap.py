"""The heatmap codec: one Gaussian per keypoint.

Legend: N people, B batch, K keypoints, h w heatmap cells; ``uv`` are heatmap cells, ``xy_input`` input pixels.

``uv = xy_input * factor``; the grid decides the factor:

``stride``
    heatmap size / input size: cell ``u`` is at input pixel ``u * stride`` (Xiao et al., ECCV 2018).
``unit``
    (heatmap size - 1) / (input size - 1): the outermost cells are at the outermost pixels (Huang et al., CVPR 2020).
"""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

from ppdet.codecs import peaks
from ppdet.codecs.base import Codec
from ppdet.codecs.gaussian import gaussian_heatmaps, reaches_map
from ppdet.core.config.registry import register
from ppdet.core.content_schema import list_of, mapping, number, one_of, optional, switch, whole
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.problem import short_repr
from ppdet.geometry.crop import ALIGNMENTS, Crop
from ppdet.skeletons import Skeleton

MAX_SIDE = 8192
MAX_BLUR_KERNEL = 255
TARGETS = ("rounded", "subpixel")
GRIDS = ("stride", "unit")
DECODERS = ("argmax", "quarter", "dark", "soft_argmax", "soft_argmax_quarter")


@register
class HeatmapCodec(Codec):
    """Crop, encode, decode and flip for heatmap networks.

    Args:
        input_wh: network input (width, height).
        heatmap_wh: network output (width, height); default: a quarter of the input.
        sigma: of the target Gaussian, in cells.
        target: ``rounded`` centres the Gaussian on the nearest cell (Xiao et al.), ``subpixel`` on the keypoint itself (DARK,
            Zhang et al., CVPR 2020).
        window: whether the target is cut off at 3 sigma. Default: only for rounded targets, as published.
        grid: ``stride`` or ``unit``, see the module text.
        alignment: of the crop, ``affine`` or ``udp``, see :mod:`ppdet.geometry.crop`.
        decoder: ``argmax``, ``quarter``, ``dark``, ``soft_argmax`` (mean of the cells under a softmax) or
            ``soft_argmax_quarter`` (plus the quarter step from the nearest cell, as in LPN's published results).
        blur_kernel: odd size of the blur before DARK; 1 for none.
        beta: factor on the map before the softmax of the soft decoders.
        flip_shift: cells by which the mirrored crop's map, mirrored back, is moved to the right before averaging. Default:
            what the grid requires, (stride - 1) / stride for ``stride`` and 0 for ``unit``.
        paddledet_exact: reproduce PaddleDetection's numbers: its un-warp, which is not the inverse of its UDP crop, a whole
            cell as flip shift, and its border rules. Only for comparison with published AP.

    Round trips (tests): cropping, encoding, decoding with ``dark`` and un-warping ``subpixel`` targets errs by less than 0.01
    input pixels, ``rounded`` targets by at most half a stride per axis.

    Raises:
        ConfigError: a value is not one of those listed, or out of range.
    """

    __renamed__ = {"crop": "alignment"}
    card_names = {"alignment": "crop"}
    content_rule = staticmethod(
        mapping(
            {
                "input_wh": list_of(whole(2, MAX_SIDE), length=2),
                "heatmap_wh": optional(list_of(whole(2, MAX_SIDE), length=2)),
                "sigma": number(0.001, 1000),
                "target": one_of(*TARGETS),
                "window": optional(switch()),
                "grid": one_of(*GRIDS),
                "alignment": one_of(*ALIGNMENTS),
                "decoder": one_of(*DECODERS),
                "blur_kernel": whole(1, MAX_BLUR_KERNEL),
                "beta": number(0.001, 1e6),
                "flip_shift": optional(number(0, 1)),
                "paddledet_exact": switch(),
            }
        )
    )

    def __init__(
        self,
        input_wh: Sequence[int],
        heatmap_wh: Optional[Sequence[int]] = None,
        sigma: float = 2.0,
        target: str = "subpixel",
        window: Optional[bool] = None,
        grid: str = "stride",
        alignment: str = "affine",
        decoder: str = "dark",
        blur_kernel: int = 3,
        beta: float = 100.0,
        flip_shift: Optional[float] = None,
        paddledet_exact: bool = False,
    ) -> None:
        self.input_wh = _size("input_wh", input_wh)
        self.heatmap_wh = _size("heatmap_wh", heatmap_wh or [s // 4 for s in self.input_wh])
        self.sigma = float(sigma)
        self.target = _one_of("target", target, TARGETS)
        self.window = target == "rounded" if window is None else bool(window)
        self.grid = _one_of("grid", grid, GRIDS)
        self.alignment = _one_of("alignment", alignment, ALIGNMENTS)
        self.decoder = _one_of("decoder", decoder, DECODERS)
        self.blur_kernel = int(blur_kernel)
        self.beta = float(beta)
        self.flip_shift = None if flip_shift is None else float(flip_shift)
        self.paddledet_exact = bool(paddledet_exact)
        if self.sigma <= 0:
            raise ConfigError(f"codec: sigma must be positive, given {sigma}")
        if self.beta <= 0:
            raise ConfigError(f"codec: beta must be positive, given {beta}")
        if self.flip_shift is not None and not 0 <= self.flip_shift <= 1:
            raise ConfigError(f"codec: flip_shift is a fraction of a cell from 0 to 1, given {flip_shift}")
        if not 1 <= self.blur_kernel <= MAX_BLUR_KERNEL or self.blur_kernel % 2 == 0:
            raise ConfigError(f"codec: blur_kernel must be odd, from 1 to {MAX_BLUR_KERNEL}, given {blur_kernel}")

    # ---------------------------------------------------------------- grid

    @property
    def cells_per_pixel(self) -> np.ndarray:
        """(2,) factor from input pixels to heatmap cells along x and y."""
        inset = 1 if self.grid == "unit" else 0
        return (np.array(self.heatmap_wh, np.float64) - inset) / (np.array(self.input_wh, np.float64) - inset)

    # ---------------------------------------------------------------- encode

    def encode(self, xy_input: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Target maps and weights.

        Args:
            xy_input: (N, K, 2) input pixels.
            visible: (N, K), greater than 0 for labelled keypoints.

        Returns:
            maps (N, K, h, w) float32, all zero if the weight is 0; weights (N, K) float32: 1 for labelled keypoints whose
            Gaussian reaches the map.
        """
        uv = np.asarray(xy_input, np.float64) * self.cells_per_pixel
        cells = np.floor(uv + 0.5)
        center = cells if self.target == "rounded" else uv
        weight = (np.asarray(visible) > 0) & reaches_map(center, self.heatmap_wh, self.sigma)
        maps = gaussian_heatmaps(center, self.heatmap_wh, self.sigma, cells if self.window else None)
        maps *= weight[..., None, None]
        return maps, weight.astype(np.float32)

    # ---------------------------------------------------------------- decode

    def decode(self, outputs: np.ndarray, crop: Crop) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints of a batch of maps, in pixels of the image that each crop was cut from.

        Args:
            outputs: (B, K, h, w) heatmaps; not changed.
            crop: the B crops that the network was given.

        Returns:
            xy_image (B, K, 2) float64 and scores (B, K) float32, the value of each peak.

        Raises:
            DataError: the maps have another size than the codec's, or hold NaN.
        """
        maps = np.asarray(outputs, np.float32)
        if maps.ndim != 4 or maps.shape[2:] != self.heatmap_wh[::-1] or len(maps) != len(crop):
            w, h = self.heatmap_wh
            raise DataError(
                f"decode: expected heatmaps ({len(crop)}, K, {h}, {w}) for {len(crop)} crops, given {maps.shape}; "
                "the codec's heatmap_wh must be the network's output size"
            )
        uv, scores = self.locate(maps)
        if self.paddledet_exact:
            return _paddledet_unwarp(uv, crop, self.heatmap_wh), scores
        return crop.to_image(uv / self.cells_per_pixel), scores

    def locate(self, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Peaks of (B, K, h, w) maps: uv (B, K, 2) float64 cells and (B, K) float32 values.

        Raises:
            DataError: the maps hold NaN.
        """
        flat = maps.reshape(-1, *maps.shape[2:])
        cells, value = peaks.find_peaks(flat)
        if np.isnan(value).any():
            raise DataError("heatmaps hold NaN: the weights are broken or half precision overflowed; nothing was decoded")
        if self.decoder == "argmax":
            uv = cells.astype(np.float64)
        elif self.decoder == "quarter":
            uv = peaks.quarter_offset(flat, cells, margin=2 if self.paddledet_exact else 1)
        elif self.decoder.startswith("soft_argmax"):
            uv, value = self._soft_argmax(flat)
        else:
            uv = self._dark(flat, cells)
        if self.paddledet_exact:
            uv = np.where((value > 0)[:, None], uv, 0.0)
        return uv.reshape(*maps.shape[:2], 2), value.reshape(maps.shape[:2])

    def _soft_argmax(self, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        uv = peaks.soft_argmax(maps, self.beta)
        cells = np.floor(uv + 0.5).astype(np.int64)
        if self.decoder == "soft_argmax_quarter":
            uv = uv + peaks.quarter_offset(maps, cells) - cells
        return uv, maps[np.arange(len(maps)), cells[:, 1], cells[:, 0]]

    def _dark(self, maps: np.ndarray, cells: np.ndarray) -> np.ndarray:
        offset, defined, is_peak = peaks.dark_step(maps, cells, self.blur_kernel)
        if self.paddledet_exact:
            return cells + np.where(defined[:, None], offset, 0.0)
        radius = self.blur_kernel // 2
        h, w = maps.shape[1:]
        # Near the border the blur lacks the values outside the map.
        clear = ((cells >= 2 + radius) & (cells < np.array([w, h]) - 2 - radius)).all(1)
        defined &= clear & is_peak
        offset = np.clip(peaks.unbias(offset, self.sigma, self.blur_kernel), -1, 1)
        at_border = np.flatnonzero(~clear)
        if len(at_border):
            offset[at_border], defined[at_border] = peaks.border_offset(maps[at_border], cells[at_border])
        return cells + np.where(defined[:, None], offset, 0.0)

    # ---------------------------------------------------------------- flip

    @property
    def shift_after_flip(self) -> float:
        """Cells by which the map of a mirrored crop, mirrored back, must move to the right to match the plain map.

        Mirroring takes input pixel x to W - 1 - x. On the stride grid (W - 1) / stride differs from w - 1, so the mirrored-back
        map is (stride - 1) / stride cells too far left; on the unit grid both ends coincide.
        """
        if self.flip_shift is not None:
            return self.flip_shift
        if self.paddledet_exact:
            return 1.0
        return float((self.input_wh[0] - 1) * self.cells_per_pixel[0] - (self.heatmap_wh[0] - 1))

    def merge_flipped(self, outputs: np.ndarray, outputs_of_mirrored: np.ndarray, skeleton: Skeleton) -> np.ndarray:
        """Mean of (B, K, h, w) maps and those of the mirrored crops, mirrored back and aligned."""
        back = np.asarray(outputs_of_mirrored)[:, skeleton.flip_permutation, :, ::-1]
        return (outputs + _shift_right(back, self.shift_after_flip)) * np.float32(0.5)

    # ---------------------------------------------------------------- card

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for YAML; ``HeatmapCodec.from_dict`` gives the same codec back."""
        return {
            "name": "HeatmapCodec",
            "input_wh": list(self.input_wh),
            "heatmap_wh": list(self.heatmap_wh),
            "sigma": self.sigma,
            "target": self.target,
            "window": self.window,
            "grid": self.grid,
            "alignment": self.alignment,
            "decoder": self.decoder,
            "blur_kernel": self.blur_kernel,
            "beta": self.beta,
            "flip_shift": self.flip_shift,
            "paddledet_exact": self.paddledet_exact,
        }


def _shift_right(maps: np.ndarray, cells: float) -> np.ndarray:
    """Move maps right by a whole or fractional number of cells in [0, 1]; the leftmost column is repeated."""
    if cells == 0:
        return maps
    shifted = maps.copy()
    shifted[..., 1:] = (1 - cells) * maps[..., 1:] + cells * maps[..., :-1]
    return shifted


def _paddledet_unwarp(uv: np.ndarray, crop: Crop, heatmap_wh: tuple[int, int]) -> np.ndarray:
    """Cells to image pixels by the inverse of an *edge-aligned* warp onto the heatmap, whatever warp made the crop; isotropic by
    the width, as PaddleDetection's ``transform_preds``."""
    scale = crop.size_wh[:, :1] / heatmap_wh[0]
    return (uv - np.array(heatmap_wh) / 2) * scale[:, None] + crop.center_xy[:, None]


def _size(name: str, value: Sequence[int]) -> tuple[int, int]:
    try:
        width, height = (int(side) for side in value)
    except (TypeError, ValueError):
        width, height = 0, 0
    if not (2 <= width <= MAX_SIDE and 2 <= height <= MAX_SIDE):
        raise ConfigError(f"codec: {name} is [width, height], both from 2 to {MAX_SIDE}; given {short_repr(value)}")
    return width, height


def _one_of(name: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise ConfigError(f"codec: {name} must be one of {', '.join(known)}; given {value!r}")
    return value

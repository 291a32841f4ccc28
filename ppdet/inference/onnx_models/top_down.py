"""The codec of a top-down ONNX model: what its outputs are relative to the crop."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppdet.codecs import Codec
from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference.model_card import codec_from_card
from ppdet.inference.onnx_models.refusal import refusal
from ppdet.inference.onnx_models.settings import HEATMAP_CODECS, OnnxSettings
from ppdet.inference.runtimes.onnx_header import OnnxHeader

SIMCC_RATIO = 2.0  # of RTMPose and all that is derived from it


def top_down_codec(header: OnnxHeader, settings: OnnxSettings) -> Codec:
    """The codec of a SimCC or heatmap model.

    Raises:
        ModelDirError: heatmaps whose codec neither the file nor the card says, or a codec that contradicts the outputs.
    """
    if settings.layout == "simcc":
        return _made(header, {"name": "SimCCCodec", "decoder": "argmax", **_simcc_sizes(header, settings), **_mapping(settings)})
    if settings.codec is None:
        raise refusal(header, "it gives heatmaps, and their codec cannot be seen. Write `layout: heatmap` and `codec: msra` "
                              "(HRNet, SimpleBaseline), `codec: udp` (ViTPose) or `codec: dark` into the card", "heatmap")
    name = settings.codec if isinstance(settings.codec, str) else None
    content = dict(HEATMAP_CODECS[name]) if name is not None else {}
    cells = heatmap_wh(header, settings.input_wh)
    if None not in cells:
        content["heatmap_wh"] = list(cells)
    return _made(header, {"name": "HeatmapCodec", "input_wh": list(settings.input_wh), **content, **_mapping(settings)})


def heatmap_wh(header: OnnxHeader, input_wh: tuple[int, int]) -> tuple[int | None, int | None]:
    """Width and height of the first output's heatmaps, as far as they are fixed."""
    only = header.outputs[0]
    first = 1 if has_channels_last_heatmaps(header, input_wh) else 2
    return only.side(first + 1), only.side(first)


def has_channels_last_heatmaps(header: OnnxHeader, input_wh: tuple[int, int]) -> bool:
    """Whether heatmaps come out as (N, h, w, K) and not as (N, K, h, w): they have the input's aspect.

    Raises:
        ModelDirError: the input has channels last, and the shape of the heatmaps does not tell.
    """
    only = header.outputs[0]
    if not header.has_channels_last or only.rank != 4:
        return False
    fitting = [first for first in (1, 2) if _has_aspect(only.side(first + 1), only.side(first), input_wh)]
    if len(fitting) != 1:
        flags = f"--inputs-as-nchw {header.image_input.name} --outputs-as-nchw {only.name}"
        raise refusal(header, f"its input has channels last, and whether its output {only} has as well cannot be seen: export "
                              f"both with channels first (tf2onnx: {flags})", "heatmap")
    return fitting == [1]


def _has_aspect(width: int | None, height: int | None, wh: tuple[int, int]) -> bool:
    return width is not None and height is not None and width * wh[1] == height * wh[0]


def _mapping(settings: OnnxSettings) -> dict[str, Any]:
    return dict(settings.codec) if isinstance(settings.codec, Mapping) else {}


def _simcc_sizes(header: OnnxHeader, settings: OnnxSettings) -> dict[str, Any]:
    """Input size and bins per pixel, from the widths of the two outputs."""
    outputs = {each.name: each for each in header.outputs}
    names = ("simcc_x", "simcc_y") if {"simcc_x", "simcc_y"} <= set(outputs) else tuple(each.name for each in header.outputs)[:2]
    if len(names) < 2:
        raise refusal(header, "layout simcc needs two outputs, one per axis", "simcc")
    bins = [outputs[name].side(2) for name in names]
    ratios = {None if count is None else count / side for count, side in zip(bins, settings.input_wh)} - {None}
    if len(ratios) > 1:
        raise refusal(header, f"its responses have {bins[0]} and {bins[1]} bins for an input of {settings.input_wh[0]} x "
                              f"{settings.input_wh[1]} pixels, which are not the same number per pixel", "simcc")
    return {"input_wh": list(settings.input_wh), "split_ratio": ratios.pop() if ratios else SIMCC_RATIO}


def _made(header: OnnxHeader, content: dict[str, Any]) -> Codec:
    try:
        return codec_from_card(content)
    except ConfigError as error:
        raise ModelDirError(f"{header.path}: {error}") from error

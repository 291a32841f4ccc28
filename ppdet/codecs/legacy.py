"""PaddleDetection's vocabulary of crops, targets and decoders, as one codec.

PaddleDetection spreads the alignment over four places: ``TopDownAffine {use_udp}`` (crop), ``ToHeatmapsTopDown*`` (grid and
target), ``TopDownHRNet.use_dark`` or ``VitPosePostProcess.use_dark`` (decoder) and ``TopDownHRNet.shift_heatmap`` (flip). The
table below is the only place that knows what they mean. Bottom-up models say theirs in ``RandomAffine``, ``EvalAffine``,
``ToHeatmaps``, ``TagGenerate`` and ``HrHRNetPostProcess``.
"""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Optional, Sequence

from ppdet.codecs.associative_embedding import AssociativeEmbeddingCodec
from ppdet.codecs.base import Codec
from ppdet.codecs.heatmap import HeatmapCodec
from ppdet.core.config.builder import Builder
from ppdet.core.config.load import Config
from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.core.problem import short_repr

#: target transform -> the codec's arguments
TARGET_OPS: Mapping[str, Mapping[str, Any]] = {
    "ToHeatmapsTopDown": {"target": "rounded", "grid": "stride"},
    "ToHeatmapsTopDown_DARK": {"target": "subpixel", "grid": "stride"},
    "ToHeatmapsTopDown_UDP": {"target": "subpixel", "grid": "unit", "window": True},
}
#: architecture -> arguments of its decoder when ``use_dark`` is on
DARK_KERNEL = {"TopDownHRNet": 3, "VitPose_TopDown": 11}
VITPOSE_POST = "VitPosePostProcess"
CROP_OPS = ("TopDownAffine", "TopDownEvalAffine")
#: what only HigherHRNet's readers have
BOTTOM_UP_TARGET, BOTTOM_UP_TAGS, BOTTOM_UP_CROP, BOTTOM_UP_FRAME = "ToHeatmaps", "TagGenerate", "RandomAffine", "EvalAffine"
BOTTOM_UP_POST = ("HrHRNetPostProcess", "HigherHRNet")
READERS = ("TrainReader", "EvalReader", "TestReader")

_log = get_logger(__name__)


def codec_from_config(config: Config, builder: Optional[Builder] = None) -> Optional[Codec]:
    """The codec of a config: its ``codec`` section, or what PaddleDetection's keys amount to.

    A top-level ``paddledet_exact: true`` switches on PaddleDetection's own un-warp and flip shift for either dialect.

    Returns:
        The codec; None for a config that has neither a ``codec`` section nor keypoint transforms (a detector's).

    Raises:
        ConfigError: the parts contradict each other in a way that cannot be trained or decoded.
    """
    if config.get("codec") is not None:
        section = config["codec"]
        if not isinstance(section, dict):
            raise ConfigError(f"codec is {short_repr(section)}, expected a mapping with `name` and its arguments")
        section = section.copy()
        if config.get("paddledet_exact") is not None:
            section["paddledet_exact"] = config["paddledet_exact"]
        if not isinstance(section.get("name"), str) or not section["name"]:
            raise ConfigError("codec: `name` is missing; it is HeatmapCodec (top-down) or "
                              "AssociativeEmbeddingCodec (bottom-up)")
        codec = (builder or Builder(config)).build(section)
        if not isinstance(codec, Codec):
            raise ConfigError(f"codec: {section['name']!r} is a {type(codec).__name__}, not a codec; use HeatmapCodec "
                              "or AssociativeEmbeddingCodec")
        return codec
    return _from_paddledet(config)


def _from_paddledet(config: Config) -> Optional[Codec]:
    crops = [(reader, args) for reader, name, args in _ops(config) if name in CROP_OPS]
    if not crops:
        return _bottom_up_from_paddledet(config)
    targets = [(name, args) for _, name, args in _ops(config) if name in TARGET_OPS]
    model: Mapping[str, Any] = config.get(str(config.get("architecture")), {}) or {}
    input_wh = _agreed("trainsize", [args.get("trainsize") for _, args in crops])
    # The test reader's crop is the deployment's; the network was trained with the others'.
    trained = [args for reader, args in crops if reader != "TestReader"] or [args for _, args in crops]
    use_udp = bool(_agreed("use_udp", [bool(args.get("use_udp", False)) for args in trained]))
    sigma: Any = 2.0
    heatmap_wh = None
    target: dict[str, Any] = {}
    if targets:
        target = dict(TARGET_OPS[_agreed("the heatmap transform", [name for name, _ in targets])])
        heatmap_wh = _agreed("hmsize", [args.get("hmsize") for _, args in targets])
        sigma = _agreed("sigma", [args.get("sigma", 2.0) for _, args in targets])
    # ViTPose says it in its post-processing; HRNet's section of that kind is not read, in PaddleDetection either.
    post: Mapping[str, Any] = config.get(VITPOSE_POST, {}) or {}
    use_dark = bool(model.get("use_dark", post.get("use_dark", True)))
    codec = HeatmapCodec(
        input_wh=input_wh,
        heatmap_wh=heatmap_wh,
        sigma=float(sigma),
        alignment="udp" if use_udp else "affine",
        decoder="dark" if use_dark else "quarter",
        blur_kernel=DARK_KERNEL.get(str(config.get("architecture")), 3),
        paddledet_exact=bool(config.get("paddledet_exact", False)),
        **target,
    )
    if use_udp and codec.grid == "stride" and not codec.paddledet_exact:
        _log.info(
            "%s: crops are aligned by pixel centres (use_udp), targets by edges; decoded by the true inverse of both. "
            "PaddleDetection's own, biased un-warp: -o paddledet_exact=true",
            config.name,
        )
    return codec


def _bottom_up_from_paddledet(config: Config) -> Optional[Codec]:
    if config.get("architecture") != "HigherHRNet":
        return None
    named: dict[str, list[Mapping[str, Any]]] = {}
    for _, name, args in _ops(config):
        named.setdefault(name, []).append(args)
    sizes = [_square(args.get("trainsize")) for args in named.get(BOTTOM_UP_CROP, ())]
    sizes += [_square(args.get("size")) for args in named.get(BOTTOM_UP_FRAME, ())]
    input_wh = _agreed("the input size (RandomAffine.trainsize, EvalAffine.size)", sizes)
    chosen: dict[str, Any] = {"input_wh": input_wh, "paddledet_exact": bool(config.get("paddledet_exact", False))}
    targets = [*named.get(BOTTOM_UP_CROP, ()), *named.get(BOTTOM_UP_TARGET, ())]
    if any(args.get("hmsize") is not None for args in targets):
        cells = [_square(side)[0] for side in _agreed("hmsize", [args.get("hmsize") for args in targets])]
        chosen["strides"] = _whole_strides(input_wh[0], cells)
        chosen["sigma"] = max(cells[0] // 64, 1)  # unless stated
    post = [config.get(section, {}) or {} for section in BOTTOM_UP_POST]
    stated = {
        "sigma": [args.get("sigma") for args in named.get(BOTTOM_UP_TARGET, ())],
        "max_people": [args.get("max_people") for args in named.get(BOTTOM_UP_TAGS, ())]
        + [p.get("max_num_people") for p in post],
        "detection_threshold": [p.get("heat_thresh") for p in post],
        "tag_threshold": [p.get("tag_thresh") for p in post],
    }
    chosen.update({key: _agreed(key, values) for key, values in stated.items() if any(v is not None for v in values)})
    return AssociativeEmbeddingCodec(**chosen)


def _square(side: Any) -> Any:
    """[w, h] of a side or of [w, h]; None stays None."""
    return [side, side] if isinstance(side, int) else side


def _whole_strides(side: int, cells: Sequence[int]) -> list[int]:
    if any(side % count for count in cells):
        raise ConfigError(f"hmsize {list(cells)} does not divide the training size {side}; HigherHRNet has a quarter and a half")
    return [side // count for count in cells]


def _ops(config: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(reader, transform name, arguments) of every sample transform of a config."""
    for reader in READERS:
        section = config.get(reader)
        if isinstance(section, Mapping):
            for entry in section.get("sample_transforms") or ():
                if isinstance(entry, Mapping):
                    for name, args in entry.items():
                        yield reader, str(name), args if isinstance(args, Mapping) else {}


def _agreed(what: str, values: Sequence[Any]) -> Any:
    """The one value all readers state; those that state none do not count."""
    stated = [list(v) if isinstance(v, Sequence) and not isinstance(v, str) else v for v in values if v is not None]
    if not stated:
        raise ConfigError(f"{what}: no reader states it; give a `codec` section, or `trainsize` and `hmsize` in the transforms")
    if any(value != stated[0] for value in stated[1:]):
        raise ConfigError(f"{what} differs between the readers: {', '.join(map(str, stated))}; training, evaluation and "
                          "deployment must use one")
    return stated[0]

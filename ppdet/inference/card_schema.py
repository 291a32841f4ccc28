"""What an `infer_cfg.yml` may hold. A card is checked once, when it is read; what uses it afterwards trusts it.

The keys and their meaning are PaddleDetection's (its `deploy/python`), then ours; see `ppdet.inference.model_card`.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ppdet.core.content_schema import (
    Rule,
    anything,
    either,
    list_of,
    mapping,
    number,
    one_of,
    optional,
    switch,
    text,
    whole,
)

MAX_SIDE = 8192
"""Pixels along a side of a network input: far beyond any detector, and 800 MB as a tensor."""

_SIDE = whole(1, MAX_SIDE)
_SIZE = list_of(_SIDE, length=2)
_STRIDE = whole(-1, 4096)  # 0 and -1 are PaddleDetection's ways to say "no padding"

OPERATIONS: dict[str, Rule] = {
    "Resize": mapping({"target_size": either(_SIDE, _SIZE), "keep_ratio": switch(), "interp": whole(0, 4)},
                      required=("target_size",)),
    "LetterBoxResize": mapping({"target_size": either(_SIDE, _SIZE)}, required=("target_size",)),
    "NormalizeImage": mapping({
        "mean": list_of(number(-1e6, 1e6), length=3),
        "std": list_of(number(1e-6, 1e6), length=3),
        "is_scale": switch(),
        "norm_type": optional(one_of("mean_std", "none")),
        "to_bgr": switch(),
    }),
    "PadStride": mapping({"stride": _STRIDE}),
    "PadBatch": mapping({"pad_to_stride": _STRIDE}),
    "TopDownEvalAffine": mapping({"trainsize": _SIZE, "use_udp": switch()}),
    "EvalAffine": mapping({"size": _SIDE, "stride": whole(1, 4096)}),
}  # fmt: skip


def _operation(value: Any, place: str) -> Iterator[str]:
    problems = list(mapping({"type": text()}, required=("type",))(value, place))
    yield from problems
    if not problems and value["type"] in OPERATIONS:
        yield from OPERATIONS[value["type"]](value, f"{place} ({value['type']})")
    if not problems and value["type"] == "NormalizeImage" and value.get("norm_type", "mean_std") != "none":
        yield from (f"{place} (NormalizeImage).{key} is missing" for key in ("mean", "std") if key not in value)


_NMS = mapping({
    "score_threshold": number(0, 1),
    "nms_threshold": number(0, 1),
    "nms_top_k": whole(-1, 10_000_000),
    "keep_top_k": whole(-1, 10_000_000),
    "name": text(),
    "post_threshold": number(0, 1),
    "use_gaussian": switch(),
    "gaussian_sigma": number(0, 1e6),
    "normalized": switch(),
    "background_label": whole(-1, 1_000_000),
})  # fmt: skip

CARD_RULE = mapping(
    {
        "arch": text(),
        "Preprocess": list_of(_operation, most=100),
        "label_list": optional(list_of(either(whole(), number(), switch(), text()), most=100_000)),
        "mode": optional(text()),
        "draw_threshold": optional(number(0, 1)),
        "metric": optional(text()),
        "use_dynamic_shape": optional(switch()),
        "min_subgraph_size": optional(whole(0, 1_000_000)),
        "NMS": optional(_NMS),
        "fpn_stride": optional(list_of(whole(1, 4096), least=1, most=32)),
        "precision": optional(text()),
        "versions": optional(mapping({}, others=either(number(), text()))),
        "input_wh": optional(_SIZE),
        "heatmap_wh": optional(_SIZE),
        "codec": optional(mapping({"name": text()})),
        "skeleton": optional(either(mapping({}), text())),
        "model_name": optional(text()),
        "padding": optional(number(0.1, 10)),
        "score_calibration": optional(
            mapping({"temperature": number(1e-3, 1e3), "shift": number(-100, 100)}, required=("temperature",), only_known=True)
        ),
    },
    others=anything(),
)

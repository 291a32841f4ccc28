"""Layouts of ViTPose: to PaddleDetection's names, with transposed linear layers.

The authors extended mmpose 0.x and kept the names of the pre-training. mmpose 1.x uses mmpretrain's backbone, with other names,
and a position embedding without the row of the class token, which PaddleDetection and the authors add to every patch.
"""

from __future__ import annotations

from typing import Mapping

from ppdet.engine.converters.key_rule import KeyRule, transposed, with_token_row
from ppdet.engine.converters.layout import Layout, Network, Shape

_BLOCK = "backbone.blocks.{i}."
_BACKBONE = (
    KeyRule("pos_embed", "backbone.pos_embed", whole=True),
    KeyRule("patch_embed.proj", "backbone.patch_embed.proj"),
    KeyRule("blocks.{i}.norm{n}", _BLOCK + "norm{n}"),
    KeyRule("blocks.{i}.attn.qkv", _BLOCK + "attn.qkv", weight=transposed),
    KeyRule("blocks.{i}.attn.proj", _BLOCK + "attn.proj", weight=transposed),
    KeyRule("blocks.{i}.mlp.fc{n}", _BLOCK + "mlp.fc{n}", weight=transposed),
    KeyRule("last_norm", "backbone.last_norm"),
)
_MMPRETRAIN = (
    KeyRule("pos_embed", "backbone.pos_embed", weight=with_token_row, whole=True),
    KeyRule("patch_embed.projection", "backbone.patch_embed.proj"),
    KeyRule("layers.{i}.ln{n}", _BLOCK + "norm{n}"),
    KeyRule("layers.{i}.attn.qkv", _BLOCK + "attn.qkv", weight=transposed),
    KeyRule("layers.{i}.attn.proj", _BLOCK + "attn.proj", weight=transposed),
    KeyRule("layers.{i}.ffn.layers.0.0", _BLOCK + "mlp.fc1", weight=transposed),
    KeyRule("layers.{i}.ffn.layers.1", _BLOCK + "mlp.fc2", weight=transposed),
    KeyRule("ln1", "backbone.last_norm"),
)
_HEAD = (
    KeyRule("deconv_layers.{i}", "head.deconv_layers.{i}"),
    KeyRule("final_layer", "head.final_layer"),
)
_SIZES = {384: "small", 768: "base", 1024: "large", 1280: "huge"}


def _describe(shapes: Mapping[str, Shape], home: str) -> Network:
    keypoints, channels = int(shapes["final_layer.weight"][0]), int(shapes["pos_embed"][2])
    simple = "deconv_layers.0.weight" not in shapes
    size = _SIZES.get(channels, f"of {channels} channels")
    config = "vitpose_base_simple_coco_256x192" if simple else "vitpose_base_coco_256x192"
    configs = (config,) if (size, keypoints) == ("base", 17) else ()
    return Network(f"ViTPose-{size}{' simple' if simple else ''}, {keypoints} keypoints", keypoints, configs)


LAYOUTS = (
    Layout(
        "vitpose", "ViTPose (authors)",
        (*_BACKBONE, *_HEAD),
        has=("pos_embed", "blocks.{i}.attn.qkv.weight", "final_layer.weight"), lacks=(),
        describe=_describe, home="vitpose", mmpose_home="vitpose",
        dropped={"cls_token": "of the pre-training, which ViTPose does not use"},
    ),
    Layout(
        "vitpose_mmpose", "ViTPose (mmpose 1.x, whose backbone is mmpretrain's)",
        (*_MMPRETRAIN, *_HEAD),
        has=("pos_embed", "layers.{i}.attn.qkv.weight", "layers.{i}.ffn.layers.1.weight", "final_layer.weight"),
        lacks=("cls_token",),
        describe=_describe, home="vitpose", mmpose_home="vitpose",
    ),
)  # fmt: skip

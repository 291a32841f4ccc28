"""ViTPose (authors' code, which is mmpose's) to PaddleDetection's names; linear layers are transposed."""

from __future__ import annotations

from typing import Mapping

from ppdet.engine.converters.key_rule import KeyRule, transposed
from ppdet.engine.converters.layout import Layout, Network, Shape

_BACKBONE = (
    KeyRule("pos_embed", "backbone.pos_embed", whole=True),
    KeyRule("patch_embed.proj", "backbone.patch_embed.proj"),
    KeyRule("blocks.{i}.norm{n}", "backbone.blocks.{i}.norm{n}"),
    KeyRule("blocks.{i}.attn.qkv", "backbone.blocks.{i}.attn.qkv", weight=transposed),
    KeyRule("blocks.{i}.attn.proj", "backbone.blocks.{i}.attn.proj", weight=transposed),
    KeyRule("blocks.{i}.mlp.fc{n}", "backbone.blocks.{i}.mlp.fc{n}", weight=transposed),
    KeyRule("last_norm", "backbone.last_norm"),
)
_SIZES = {384: "small", 768: "base", 1024: "large", 1280: "huge"}


def _describe(shapes: Mapping[str, Shape], home: str) -> Network:
    joints, channels = int(shapes["final_layer.weight"][0]), int(shapes["pos_embed"][2])
    simple = "deconv_layers.0.weight" not in shapes
    size = _SIZES.get(channels, f"of {channels} channels")
    config = "vitpose_base_simple_coco_256x192" if simple else "vitpose_base_coco_256x192"
    configs = (config,) if (size, joints) == ("base", 17) else ()
    return Network(f"ViTPose-{size}{' simple' if simple else ''}, {joints} keypoints", joints, configs)


LAYOUTS = (
    Layout(
        "vitpose", "ViTPose (authors)",
        (
            *_BACKBONE,
            KeyRule("deconv_layers.{i}", "head.deconv_layers.{i}"),
            KeyRule("final_layer", "head.final_layer"),
        ),
        has=("pos_embed", "blocks.{i}.attn.qkv.weight", "final_layer.weight"), lacks=(),
        describe=_describe, home="vitpose", mmpose_home="vitpose",
    ),
)  # fmt: skip

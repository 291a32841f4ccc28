"""MMPose's RTMPose, whose names we share; linear layers are transposed.

Its backbone alone, as MMPose and MMDetection publish it after another training, converts as well.
"""

from __future__ import annotations

from typing import Mapping, Optional, Tuple

from ppdet.engine.converters.key_rule import KeyRule, transposed
from ppdet.engine.converters.layout import Layout, Network, Shape

_BACKBONE = (
    KeyRule("stem.*", "backbone.stem.*"),
    *(KeyRule(f"stage{number}.*", f"backbone.stage{number}.*") for number in (1, 2, 3, 4)),
)
_HEAD = (
    KeyRule("final_layer", "head.final_layer"),
    KeyRule("mlp.0.g", "head.mlp.0.g", whole=True),
    KeyRule("mlp.1", "head.mlp.1", weight=transposed),
    *(KeyRule(f"gau.{name}", f"head.gau.{name}", whole=True) for name in ("gamma", "beta", "ln.g", "res_scale.scale")),
    *(KeyRule(f"gau.{name}", f"head.gau.{name}", weight=transposed) for name in ("uv", "o")),
    *(KeyRule(f"cls_{axis}", f"head.cls_{axis}", weight=transposed) for axis in "xy"),
)
#: channels of the last stage, blocks of the second -> name
_SIZES: Mapping[Tuple[int, int], str] = {(384, 1): "t", (512, 2): "s", (768, 4): "m", (1024, 6): "l", (1280, 8): "x"}


def _size(shapes: Mapping[str, Shape]) -> Optional[str]:
    blocks = len({key.split(".")[3] for key in shapes if key.startswith("stage2.1.blocks.")})
    return _SIZES.get((int(shapes["stage4.0.conv.weight"][0]), blocks))


def _rtmpose(shapes: Mapping[str, Shape], home: str) -> Network:
    size, joints = _size(shapes), int(shapes["final_layer.weight"][0])
    bins = [int(shapes[f"cls_{axis}.weight"][0]) for axis in "xy"]
    published = joints == 17 and bins == [384, 512] and size in ("t", "s", "m")
    name = f"RTMPose-{size or '?'} with {bins[0]} x {bins[1]} bins, {joints} keypoints"
    return Network(name, joints, (f"rtmpose_{size}_256x192",) if published else ())


def _cspnext(shapes: Mapping[str, Shape], home: str) -> Network:
    size = _size(shapes)
    configs = (f"rtmpose_{size}_256x192",) if size in ("t", "s", "m") else ()
    return Network(f"CSPNeXt-{size or '?'}, backbone alone", 0, configs)


_TRUNK = ("stem.2.conv.weight", "stage4.2.attention.fc.weight")
LAYOUTS = (
    Layout(
        "rtmpose", "RTMPose (mmpose)",
        (*_BACKBONE, *_HEAD),
        has=(*_TRUNK, "gau.uv.weight", "cls_x.weight"), lacks=("gau.w", "mlp2.*", "neck.*"),
        describe=_rtmpose, home="rtmpose", mmpose_home="rtmpose",
    ),
    Layout(
        "cspnext", "CSPNeXt's backbone, from a heatmap network or a classifier (mmpose, mmdetection)",
        _BACKBONE,
        has=_TRUNK, lacks=("gau.*",),
        describe=_cspnext, home="rtmpose", mmpose_home="rtmpose",
        dropped={"final_layer.*": "of the heatmap head", "deconv_layers.*": "of the heatmap head", "fc.*": "of the classifier"},
        absent=("head.",),
    ),
)  # fmt: skip

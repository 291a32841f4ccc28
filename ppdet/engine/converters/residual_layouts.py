"""Layouts of networks that use torchvision's ResNet names: Simple Baselines, SimplePose and LPN."""

from __future__ import annotations

from typing import Mapping, Tuple

from ppdet.engine.converters.key_rule import KeyRule, flattened, pointwise
from ppdet.engine.converters.layout import Layout, Network, Shape

_TRUNK = (
    KeyRule("conv1", "backbone.conv1"),
    KeyRule("bn1", "backbone.bn1"),
    KeyRule("layer{r}.{i}.conv{c}", "backbone.layer{r}.{i}.conv{c}"),
    KeyRule("layer{r}.{i}.bn{c}", "backbone.layer{r}.{i}.bn{c}"),
    KeyRule("layer{r}.{i}.downsample.{c}", "backbone.layer{r}.{i}.downsample.{c}"),
)
_HEAD = (
    KeyRule("deconv_layers.{i}", "head.deconv_layers.{i}"),
    KeyRule("final_layer", "head.final_layer"),
)
_SHUFFLES = (
    KeyRule("duc_layers.{i}.conv", "head.duc_layers.{i}.conv"),
    KeyRule("duc_layers.{i}.bn", "head.duc_layers.{i}.bn"),
)
_GATE = (
    KeyRule("layer{r}.{i}.se.fc.{c}", "backbone.layer{r}.{i}.se.fc.{c}"),
)  # fmt: skip
_ATTENTION = "layer{r}.{i}.att."
_CONTEXT = (
    KeyRule(_ATTENTION + "conv_mask", "backbone." + _ATTENTION + "conv_mask"),
    KeyRule(_ATTENTION + "channel_add_conv.0", "backbone." + _ATTENTION + "channel_add_conv.0"),
    KeyRule(_ATTENTION + "channel_add_conv.1", "backbone." + _ATTENTION + "channel_add_conv.1", flattened, flattened),
    KeyRule(_ATTENTION + "channel_add_conv.3", "backbone." + _ATTENTION + "channel_add_conv.3"),
)
_EXCITATION = (
    KeyRule(_ATTENTION + "fc.{c}", "backbone." + _ATTENTION + "fc.{c}", weight=pointwise),
)  # fmt: skip
_DEPTHS: Mapping[Tuple[int, ...], int] = {
    (2, 2, 2, 2): 18, (3, 4, 6, 3): 50, (3, 4, 23, 3): 101, (3, 8, 36, 3): 152, (3, 13, 30, 3): 100,
}  # fmt: skip


def _depth(shapes: Mapping[str, Shape]) -> str:
    rows = tuple(len({k.split(".")[1] for k in shapes if k.startswith(f"layer{r}.")}) for r in (1, 2, 3, 4))
    basic = not any(key.endswith(".conv3.weight") for key in shapes)
    return "34" if basic and rows == (3, 4, 6, 3) else str(_DEPTHS.get(rows, "?"))


def _resnet(shapes: Mapping[str, Shape], home: str) -> Network:
    keypoints, depth = int(shapes["final_layer.weight"][0]), _depth(shapes)
    se = any(".se.fc." in key for key in shapes)
    duc = any(key.startswith("duc_layers.") for key in shapes)
    if se or duc or home == "simple_pose":
        kind = ("se_" if se else "") + ("duc" if duc else "dconv")
        name = f"SimplePose ResNet-{depth} {kind.upper().replace('_', ' + ')}, {keypoints} keypoints"
        return Network(name, keypoints, (f"resnet{depth}_{kind}_256x192",) if keypoints == 17 else ())
    name = f"Simple Baselines ResNet-{depth}, {keypoints} keypoints"
    if home == "microsoft_caffe":
        return Network(f"{name}, Caffe style", keypoints, (f"resnet{depth}_caffe_256x192",) if keypoints == 17 else ())
    endings = {17: ("256x192", "384x288"), 16: ("256x256_mpii", "384x384_mpii")}.get(keypoints, ())
    return Network(name, keypoints, tuple(f"resnet{depth}_{ending}" for ending in endings))


def _imagenet(shapes: Mapping[str, Shape], home: str) -> Network:
    return Network(f"ResNet-{_depth(shapes)} trained on ImageNet, backbone alone", 0)


def _lpn(shapes: Mapping[str, Shape], home: str) -> Network:
    keypoints, depth = int(shapes["final_layer.weight"][0]), _depth(shapes)
    paired = depth in ("18", "34") and shapes["layer1.0.conv1.weight"][1] == 2
    name = f"{depth}{'h' if paired else ''}"
    if any(".att.fc." in key for key in shapes):
        return Network(f"LPN-{name} with LPN.attention=SE, {keypoints} keypoints", keypoints)
    return Network(f"LPN-{name}, {keypoints} keypoints", keypoints, (f"lpn_{name}_256x192",) if keypoints == 17 else ())


_TRUNK_NAMES = ("conv1.weight", "layer4.{i}.conv1.weight", "final_layer.weight")
LAYOUTS = (
    Layout(
        "pose_resnet", "Simple Baselines (Microsoft, forks of it, mmpose)",
        (*_TRUNK, *_HEAD),
        has=(*_TRUNK_NAMES, "deconv_layers.6.weight"),
        lacks=("layer{r}.{i}.att.*", "deconv_layers.9.weight", "layer{r}.{i}.se.fc.*"),
        describe=_resnet, home="microsoft",
    ),
    Layout(
        "simple_pose", "SimplePose's DUC and SE networks (liangheming)",
        (*_TRUNK, *_GATE, *_HEAD, *_SHUFFLES),
        has=_TRUNK_NAMES, lacks=("layer{r}.{i}.att.*", "deconv_layers.9.weight", "transition{t}.*"),
        describe=_resnet, home="simple_pose",
    ),
    Layout(
        "lpn", "LPN (zhang943, cavalleria)",
        (*_TRUNK, *_CONTEXT, *_EXCITATION, *_HEAD),
        has=(*_TRUNK_NAMES, "deconv_layers.9.weight"), lacks=(),
        describe=_lpn, home="zhang943",
    ),
    Layout(
        "resnet_imagenet", "ResNet's backbone, from ImageNet (torchvision)",
        _TRUNK,
        has=("conv1.weight", "layer4.{i}.conv1.weight", "fc.weight"), lacks=("final_layer.weight",),
        describe=_imagenet, home="torchvision",
        dropped={"fc.*": "of the ImageNet classifier"},
        absent=("head.",),
    ),
)  # fmt: skip

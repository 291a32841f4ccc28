"""Layouts of HRNet and networks built on it: from the authors' names (leoxiaobin, HRNet organisation, mmpose) to
PaddleDetection's."""

from __future__ import annotations

from typing import Mapping, Sequence, Tuple

from ppdet.engine.converters.key_rule import KeyRule, conv_norm, one_more
from ppdet.engine.converters.layout import Layout, Network, Shape

_FUSE = "stage{s}.{m}.fuse_layers.{i}.{j}"
_OUR_FUSE = "backbone.st{s}.stage_st{s}_{m+1}.fuse_func.residual_st{s}_{m+1}_layer_{i+1}_{j+1}"
_OUR_BRANCH = "backbone.st{s}.stage_st{s}_{m+1}.branches_func.bb_st{s}_{m+1}_branch_layer_{b+1}_{k+1}"

BACKBONE = (
    *conv_norm("conv1", "bn1", "backbone.conv_layer1_1"),
    *conv_norm("conv2", "bn2", "backbone.conv_layer1_2"),
    *conv_norm("layer1.{i}.conv{c}", "layer1.{i}.bn{c}", "backbone.la1.block_layer2_{i+1}.conv{c}"),
    *conv_norm("layer1.{i}.downsample.0", "layer1.{i}.downsample.1", "backbone.la1.block_layer2_{i+1}.conv_down"),
    # an existing branch whose width changes
    *conv_norm("transition{t}.{i}.0", "transition{t}.{i}.1", "backbone.tr{t}.transition_tr{t}_layer_{i+1}"),
    # a new branch
    *conv_norm("transition{t}.{i}.0.0", "transition{t}.{i}.0.1", "backbone.tr{t}.transition_tr{t}_layer_{i+1}"),
    *conv_norm("stage{s}.{m}.branches.{b}.{k}.conv{c}", "stage{s}.{m}.branches.{b}.{k}.bn{c}", _OUR_BRANCH + ".conv{c}"),
    # from a coarser branch; from a finer one, in steps
    *conv_norm(_FUSE + ".0", _FUSE + ".1", _OUR_FUSE),
    *conv_norm(_FUSE + ".{k}.0", _FUSE + ".{k}.1", _OUR_FUSE + "_{k+1}"),
)
_HIGHER = (
    KeyRule("final_layers.0", "hrhrnet_head.conv1"),
    KeyRule("final_layers.1", "hrhrnet_head.conv2"),
    KeyRule("deconv_layers.0.0.0", "hrhrnet_head.deconv.0"),
    KeyRule("deconv_layers.0.0.1", "hrhrnet_head.deconv.1"),
    *(
        rule
        for k in range(4)
        for rule in conv_norm(
            f"deconv_layers.0.{k + 1}.0.conv{{c}}", f"deconv_layers.0.{k + 1}.0.bn{{c}}", f"hrhrnet_head.blocks.{k}.conv{{c}}"
        )
    ),
)
#: the authors' branch predicts scale - 1, PaddleDetection's the scale
_SCALES = (
    KeyRule("conv_scale_layers.{i}.0", "hrhrnet_head.scalelayer{i}.0"),
    KeyRule("conv_scale_layers.{i}.1", "hrhrnet_head.scalelayer{i}.1"),
    KeyRule("conv_scale_layers.{i}.3", "hrhrnet_head.scalelayer{i}.3", bias=one_more),
)
_CLASSIFIER = "of the ImageNet classifier"


def width(shapes: Mapping[str, Shape]) -> int:
    """Number of channels of the finest branch."""
    return int(shapes["stage4.0.branches.0.0.conv1.weight"][0])


#: home -> names of its configs for COCO and MPII, with a placeholder for the width
_CONFIGS: Mapping[str, Tuple[Sequence[str], Sequence[str]]] = {
    "leoxiaobin": (
        ("hrnet_w{}_256x192_authors", "hrnet_w{}_384x288_authors", "hrnet_w{}_256x192", "hrnet_w{}_384x288"),
        ("hrnet_w{}_256x256_mpii_authors", "hrnet_w{}_256x256_mpii"),
    ),
    "darkpose": (
        ("darkpose_hrnet_w{}_256x192", "darkpose_hrnet_w{}_384x288"), ("darkpose_hrnet_w{}_256x256_mpii",)
    ),
    "simple_pose": (("hrnet_w{}_dark_256x192",), ()),
}  # fmt: skip


def _pose(shapes: Mapping[str, Shape], home: str) -> Network:
    channels, keypoints = width(shapes), int(shapes["final_layer.weight"][0])
    if not any(key.startswith("stage4.2.") for key in shapes):
        version = 1 if channels == 16 else 2
        small = (f"hrnet_w18_small_v{version}_256x192",) if keypoints == 17 else ()
        return Network(f"HRNet-W18 small v{version}, {keypoints} keypoints", keypoints, small)
    coco, mpii = _CONFIGS.get(home, _CONFIGS["leoxiaobin"])
    names = {17: coco, 16: mpii}.get(keypoints, ())
    return Network(f"HRNet-W{channels}, {keypoints} keypoints", keypoints, tuple(name.format(channels) for name in names))


def _imagenet(shapes: Mapping[str, Shape], home: str) -> Network:
    return Network(f"HRNet-W{width(shapes)} trained on ImageNet, backbone alone", 0)


def _higher(shapes: Mapping[str, Shape], home: str) -> Network:
    keypoints = int(shapes["final_layers.1.weight"][0])
    scaled = any(key.startswith("conv_scale_layers.") for key in shapes)
    data = {17: "", 14: "_crowdpose"}.get(keypoints)
    swahr = "_swahr" if scaled else ""
    names = () if data is None else tuple(f"higherhrnet_hrnet_w{width(shapes)}_{size}{swahr}{data}" for size in (512, 640))
    return Network(f"{'SWAHR' if scaled else 'HigherHRNet'}-W{width(shapes)}, {keypoints} keypoints", keypoints, names)


_NAMES = ("stage4.*", "transition{t}.*")
LAYOUTS = (
    Layout(
        "hrnet", "HRNet for top-down pose (authors, DarkPose, cavalleria, SimplePose, mmpose)",
        (*BACKBONE, KeyRule("final_layer", "final_conv")),
        has=(*_NAMES, "final_layer.weight"), lacks=("classifier.*", "incre_modules.*", "deconv_layers.*", "stem.*"),
        describe=_pose, home="leoxiaobin",
    ),
    Layout(
        "hrnet_imagenet", "HRNet's backbone, from ImageNet",
        BACKBONE,
        has=_NAMES, lacks=("final_layer.weight", "final_layers.*", "stem.*"),
        describe=_imagenet, home="hrnet_imagenet",
        dropped={
            "incre_modules.*": _CLASSIFIER, "downsamp_modules.*": _CLASSIFIER, "final_layer.*": _CLASSIFIER,
            "classifier.*": _CLASSIFIER, "head.*": _CLASSIFIER,
        },
        absent=("final_conv.", "hrhrnet_head."),
        # the last exchange outputs four resolutions in the classifier, but only the finest in a pose network
        surplus=tuple(f"backbone.st4.stage_st4_{{m}}.fuse_func.residual_st4_{{n}}_layer_{i}_*" for i in (2, 3, 4)),
    ),
    Layout(
        "higherhrnet", "HigherHRNet",
        (*BACKBONE, *_HIGHER),
        has=(*_NAMES, "final_layers.0.weight"), lacks=("conv_scale_layers.*",),
        describe=_higher, home="higherhrnet",
    ),
    Layout(
        "swahr", "SWAHR (HigherHRNet with scale prediction)",
        (*BACKBONE, *_HIGHER, *_SCALES),
        has=(*_NAMES, "final_layers.0.weight", "conv_scale_layers.*"), lacks=(),
        describe=_higher, home="swahr",
    ),
)  # fmt: skip

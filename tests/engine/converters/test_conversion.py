"""Every tensor of every layout finds its place, keeps its numbers, and nothing is silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np
import pytest
from support.key_lists import Shapes, paddledet, upstream
from support.torch_writer import random_state, write_legacy, write_zip

from ppdet.core.errors import CheckpointError
from ppdet.engine.converters.conversion import LAYOUTS, Conversion, check_targets, convert
from ppdet.engine.converters.feeds import FEEDS, RGB_MEAN, RGB_STD
from ppdet.engine.weights.torch_file import TorchFile
from ppdet.modeling import LPN, LiteHRNet, PoseResNet, SimpleBaseline, TopdownHeatmapSimpleHead, TopDownHRNet


def _model(model: Any) -> Shapes:
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}


def _resnet(depth: int = 50, keypoints: int = 17) -> Shapes:
    backbone = PoseResNet(depth)
    return _model(SimpleBaseline(backbone, TopdownHeatmapSimpleHead(backbone.out_shape[0].channels, num_joints=keypoints)))


def _lpn(network: str = "50", attention: Optional[str] = "GC") -> Shapes:
    return _model(SimpleBaseline(LPN(network, attention), TopdownHeatmapSimpleHead(512, num_deconv_layers=2, lightweight=True)))


def _convert(folder: Path, value: Any, write: Callable[[Path, Any], Path] = write_zip, **options: Any) -> Conversion:
    return convert(TorchFile(write(folder / "w.pth", value)), **options)


#: upstream's list -> layout, network, our list
CASES: Dict[str, Tuple[str, str, Callable[[], Shapes]]] = {
    "hrnet_w32": ("hrnet", "HRNet-W32, 17 keypoints", lambda: paddledet("hrnet_w32_256x192")),
    "higherhrnet_w32": ("higherhrnet", "HigherHRNet-W32, 17 keypoints", lambda: paddledet("higherhrnet_hrnet_w32_512")),
    "swahr_w32": ("swahr", "SWAHR-W32, 17 keypoints", lambda: paddledet("higherhrnet_hrnet_w32_512_swahr")),
    "litehrnet_18_coco_256x192": (
        "lite_hrnet", "LiteHRNet-18, 17 keypoints", lambda: paddledet("lite_hrnet_18_256x192_coco"),
    ),
    "litehrnet_30_coco_256x192": (
        "lite_hrnet", "LiteHRNet-30, 17 keypoints", lambda: paddledet("lite_hrnet_30_256x192_coco"),
    ),
    "wider_naive_litehrnet_18_coco_256x192": (
        "lite_hrnet", "LiteHRNet wider_naive, 17 keypoints", lambda: paddledet("wider_naive_hrnet_18_256x192_coco"),
    ),
    "naive_litehrnet_18_coco_256x192": (
        "lite_hrnet", "LiteHRNet naive, 17 keypoints", lambda: _model(TopDownHRNet(LiteHRNet("naive", return_idx=[0]))),
    ),
    "pose_resnet50": ("pose_resnet", "Simple Baselines ResNet-50, 17 keypoints", _resnet),
    "lpn50": ("lpn", "LPN-50, 17 keypoints", _lpn),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_upstream_layouts_convert_whole(name: str, tmp_path: Path) -> None:
    """As the authors save them while training: under state_dict, with module. before every key."""
    layout, network, targets = CASES[name]
    shapes = upstream(name)
    if name.startswith("naive"):  # its list is of the official config, whose head takes 40 channels from a backbone of 30
        shapes["keypoint_head.final_layer.weight"] = (17, 30, 1, 1)
    state = random_state(shapes)
    conversion = _convert(tmp_path, {"epoch": 1, "state_dict": {f"module.{k}": v for k, v in state.items()}})
    checked = check_targets(conversion, targets(), name)
    assert (conversion.layout.name, conversion.network.name) == (layout, network)
    assert checked.remarks[-1].startswith(f"checked against {name}: {len(conversion.weights)} of its {len(conversion.weights)}")
    renaming = conversion.renaming
    assert set(renaming.targets) | set(renaming.dropped) == set(state)
    assert all(key.endswith("num_batches_tracked") for key in renaming.dropped)
    assert (conversion.feed.color_order == "bgr") == (layout in ("pose_resnet", "lpn")) and not conversion.swapped
    for key, target in renaming.targets.items():
        expected = state[key].reshape(-1) if ".att.channel_add_conv.1." in key else state[key]
        expected = expected + 1 if layout == "swahr" and key.startswith("conv_scale") and key.endswith("3.bias") else expected
        np.testing.assert_array_equal(conversion.weights[target], expected, err_msg=key)


@pytest.mark.parametrize("name", CASES)
def test_each_list_is_known_as_one_layout(name: str) -> None:
    """Apart from the order in which layouts are tried, which only parts Simple Baselines from its extensions."""
    from ppdet.engine.converters.layout import without_mmpose

    fitting = [layout.name for layout in LAYOUTS if layout.fits(without_mmpose(list(upstream(name))))]
    assert fitting[0] == CASES[name][0]
    assert set(fitting[1:]) <= {"simple_pose"}


def test_mmpose_wraps_the_same_names(tmp_path: Path) -> None:
    state = random_state(upstream("hrnet_w32"))
    for head in ("keypoint_head", "head"):
        wrapped = {(f"{head}.{k}" if k.startswith("final_layer") else f"backbone.{k}"): v for k, v in state.items()}
        conversion = check_targets(_convert(tmp_path, {"state_dict": wrapped}), paddledet("hrnet_w32_256x192"), "w32")
        assert (conversion.layout.name, conversion.home) == ("hrnet", "mmpose")
        np.testing.assert_array_equal(conversion.weights["final_conv.weight"], state["final_layer.weight"])


def test_mpii_is_recognised_by_its_number_of_keypoints(tmp_path: Path) -> None:
    shapes = {**upstream("hrnet_w32"), "final_layer.weight": (16, 32, 1, 1), "final_layer.bias": (16,)}
    conversion = _convert(tmp_path, random_state(shapes))
    check_targets(conversion, paddledet("hrnet_w32_256x256_mpii"), "mpii")
    assert conversion.network.keypoints == 16
    assert "configs/keypoint/hrnet/hrnet_w32_256x256_mpii.yml" in conversion.network.configs
    with pytest.raises(CheckpointError, match=r"final_conv.weight: \[16, 32, 1, 1\] in the file, \[17, 32, 1, 1\]"):
        check_targets(conversion, paddledet("hrnet_w32_256x192"), "coco")


def test_imagenet_backbone_leaves_the_head_alone(tmp_path: Path) -> None:
    shapes = {k: s for k, s in upstream("hrnet_w32").items() if not k.startswith("final_layer")}
    extra = {k.replace("stage4.1.", "stage4.2."): s for k, s in shapes.items() if k.startswith("stage4.1.fuse_layers.")}
    classifier = {
        "incre_modules.0.0.conv1.weight": (32, 32, 1, 1), "downsamp_modules.0.0.weight": (256, 128, 3, 3),
        "final_layer.0.weight": (2048, 1024, 1, 1), "final_layer.0.bias": (2048,), "final_layer.1.running_mean": (2048,),
        "classifier.weight": (10, 2048), "classifier.bias": (10,),
    }  # fmt: skip
    conversion = _convert(tmp_path, random_state({**shapes, **extra, **classifier}))
    assert conversion.layout.name == "hrnet_imagenet" and conversion.network.keypoints == 0
    assert {k for k, why in conversion.renaming.dropped.items() if "classifier" in why} == set(classifier)
    remark = check_targets(conversion, paddledet("hrnet_w32_256x192"), "w32").remarks[-1]
    assert "1460 of its 1462 tensors" in remark and "2 of the head keep their initial values" in remark
    assert "of the file's serve resolutions" in remark
    missing = dict(list(conversion.weights.items())[1:])
    with pytest.raises(CheckpointError, match="missing in the file"):
        check_targets(Conversion(**{**vars(conversion), "weights": missing}), paddledet("hrnet_w32_256x192"), "w32")


VITPOSE = ["vitpose_base_coco_256x196", pytest.param("vitpose_base_simple_coco_256x192", marks=pytest.mark.slow)]


@pytest.mark.parametrize("name", VITPOSE)
def test_vitpose_turns_linear_layers(name: str, tmp_path: Path) -> None:
    wanted = paddledet(name)
    rename = (("head.", "keypoint_head."), ("_mean", "running_mean"), ("_variance", "running_var"))
    shapes: Shapes = {}
    for key, shape in wanted.items():
        linear = key.endswith("weight") and (".attn." in key or ".mlp." in key)
        theirs = key
        for ours, other in rename:
            theirs = theirs.replace(ours, other)
        shapes[theirs] = shape[::-1] if linear else shape
    state = random_state(shapes)
    conversion = check_targets(_convert(tmp_path, {"state_dict": state}), wanted, name)
    assert (conversion.layout.name, conversion.home) == ("vitpose", "vitpose")
    assert conversion.network.name == f"ViTPose-base{' simple' if 'simple' in name else ''}, 17 keypoints"
    key = "backbone.blocks.3.attn.proj.weight"  # square, so that shapes cannot tell
    np.testing.assert_array_equal(conversion.weights[key], state[key].T)


def _mmpose_1(ours: Shapes) -> Shapes:
    """Keys and shapes of mmpose 1.x (TopdownPoseEstimator with mmpretrain's VisionTransformer) for a network of ours."""
    rename = (
        ("backbone.last_norm.", "backbone.ln1."), ("patch_embed.proj.", "patch_embed.projection."), ("blocks.", "layers."),
        (".norm", ".ln"), (".mlp.fc1.", ".ffn.layers.0.0."), (".mlp.fc2.", ".ffn.layers.1."), ("._mean", ".running_mean"),
        ("._variance", ".running_var"),
    )  # fmt: skip
    shapes: Shapes = {}
    for key, shape in ours.items():
        theirs = key
        for mine, other in rename:
            theirs = theirs.replace(mine, other)
        linear = key.endswith("weight") and (".attn." in key or ".mlp." in key)
        shapes[theirs] = shape[::-1] if linear else shape
    _, patches, channels = shapes["backbone.pos_embed"]
    shapes["backbone.pos_embed"] = (1, patches - 1, channels)
    return shapes


@pytest.mark.parametrize("name", VITPOSE)
def test_vitpose_of_mmpose_1(name: str, tmp_path: Path) -> None:
    wanted = paddledet(name)
    state = random_state(_mmpose_1(wanted))
    assert {"backbone.layers.11.ffn.layers.0.0.weight", "backbone.layers.0.ln2.bias", "backbone.ln1.weight"} < set(state)
    conversion = check_targets(_convert(tmp_path, {"meta": {"epoch": 210}, "state_dict": state}), wanted, name)
    assert (conversion.layout.name, conversion.home) == ("vitpose_mmpose", "vitpose")
    assert conversion.network.name == f"ViTPose-base{' simple' if 'simple' in name else ''}, 17 keypoints"
    assert not conversion.renaming.dropped
    weights = conversion.weights
    np.testing.assert_array_equal(weights["backbone.blocks.3.attn.proj.weight"], state["backbone.layers.3.attn.proj.weight"].T)
    np.testing.assert_array_equal(weights["backbone.blocks.3.mlp.fc2.bias"], state["backbone.layers.3.ffn.layers.1.bias"])
    np.testing.assert_array_equal(weights["backbone.pos_embed"][:, 1:], state["backbone.pos_embed"])
    assert not weights["backbone.pos_embed"][:, 0].any()  # it is added to every patch
    with pytest.raises(CheckpointError, match="cls_token"):
        _convert(tmp_path, {**state, "backbone.cls_token": np.zeros((1, 1, 768), np.float32)}, layout="vitpose_mmpose")


def test_the_authors_class_token_is_left_out(tmp_path: Path) -> None:
    """Some of their files keep the pre-training's; their network has no use for it."""
    shapes = {
        "backbone.cls_token": (1, 1, 8), "backbone.pos_embed": (1, 13, 8), "backbone.patch_embed.proj.weight": (8, 3, 16, 16),
        "backbone.blocks.0.attn.qkv.weight": (24, 8), "keypoint_head.final_layer.weight": (17, 8, 3, 3),
    }  # fmt: skip
    renaming = _convert(tmp_path, {"state_dict": random_state(shapes)}).renaming
    assert renaming.dropped == {"backbone.cls_token": "of the pre-training, which ViTPose does not use"}


@pytest.mark.parametrize("network", ["18", "18h", "50"])
def test_lpn_with_squeeze_and_excitation(network: str, tmp_path: Path) -> None:
    """The authors' gate is two linear layers without bias, ours two 1x1 convolutions."""
    wanted = _lpn(network, "SE")
    shapes: Shapes = {}
    for key, shape in wanted.items():
        theirs = key.replace("backbone.", "").replace("head.", "")
        theirs = theirs.replace("._mean", ".running_mean").replace("._variance", ".running_var")
        shapes[theirs] = shape[:2] if ".att.fc." in key else shape
    assert shapes["layer4.0.att.fc.0.weight"] == (32, 512) and shapes["layer1.0.att.fc.2.weight"] == (64, 16)
    state = random_state(shapes)
    conversion = check_targets(_convert(tmp_path, state), wanted, "LPN-SE")
    assert conversion.layout.name == "lpn"
    assert conversion.network.name == f"LPN-{network} with LPN.attention=SE, 17 keypoints"
    key = "layer2.1.att.fc.2.weight"
    np.testing.assert_array_equal(conversion.weights[f"backbone.{key}"][..., 0, 0], state[key])
    with pytest.raises(CheckpointError, match=r"with LPN.attention=SE, 17 keypoints does not fit LPN-GC"):
        check_targets(conversion, _lpn(network), "LPN-GC")


def test_simple_pose_is_known_by_ema(tmp_path: Path) -> None:
    conversion = _convert(tmp_path, {"epoch": 179, "ema": random_state(upstream("pose_resnet50"))})
    assert (conversion.layout.name, conversion.home) == ("pose_resnet", "simple_pose")
    assert conversion.feed.std == (1.0, 1.0, 1.0) and not conversion.swapped


def test_simple_pose_attention_and_shuffles(tmp_path: Path) -> None:
    from ppdet.modeling import PixelShuffleHead

    shapes = {k: s for k, s in upstream("pose_resnet50").items() if "deconv" not in k}
    for row, channels in enumerate((256, 512, 1024, 2048), start=1):
        for c in (0, 2):
            shapes[f"layer{row}.0.se.fc.{c}.weight"] = (channels, channels, 1, 1)
            shapes[f"layer{row}.0.se.fc.{c}.bias"] = (channels,)
    for i, channels in ((1, 512), (2, 256)):
        shapes[f"duc_layers.{i}.conv.weight"] = (channels * 2, channels, 3, 3)
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"duc_layers.{i}.bn.{leaf}"] = (channels * 2,)
    shapes["final_layer.weight"] = (17, 128, 3, 3)
    conversion = _convert(tmp_path, {"ema": random_state(shapes)})
    model = SimpleBaseline(PoseResNet(50, se_first=True), PixelShuffleHead(2048))
    check_targets(conversion, _model(model), "SE + DUC")
    assert conversion.network.name == "SimplePose ResNet-50 SE + DUC, 17 keypoints"


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_half_and_double_become_float32(write: Callable[[Path, Any], Path], tmp_path: Path) -> None:
    state = random_state(upstream("lpn50"))
    dtypes = {"weight": np.float16, "bias": np.float64}
    halves = {key: value.astype(dtypes.get(key.rpartition(".")[2], value.dtype)) for key, value in state.items()}
    conversion = _convert(tmp_path, halves, write)
    assert {value.dtype for value in conversion.weights.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(conversion.weights["backbone.bn1.bias"], state["bn1.bias"])
    np.testing.assert_array_equal(conversion.weights["backbone.bn1.weight"], state["bn1.weight"].astype(np.float16))


def test_turned_to_rgb_a_convolution_sees_the_same(tmp_path: Path) -> None:
    """BGR pixels, their mean and std, the old weights; RGB pixels, the note's mean and std, the new ones."""
    state = random_state(upstream("pose_resnet50"))
    turned, kept = _convert(tmp_path, state, to_rgb=True), _convert(tmp_path, state)
    pixels_rgb = np.random.default_rng(0).random((7, 7, 3))
    old = (pixels_rgb[..., ::-1] - RGB_MEAN) / RGB_STD
    new = (pixels_rgb - np.array(turned.feed.mean)) / np.array(turned.feed.std)
    key = "backbone.conv1.weight"
    before = np.einsum("hwc,ochw->o", old, kept.weights[key])
    np.testing.assert_allclose(np.einsum("hwc,ochw->o", new, turned.weights[key]), before, rtol=1e-5, atol=1e-5)
    assert (kept.feed.color_order, turned.feed.color_order) == ("bgr", "rgb")
    assert {k for k in kept.weights if not np.array_equal(kept.weights[k], turned.weights[k])} == {key}


@pytest.mark.parametrize(
    ("name", "home", "config"),
    [
        ("hrnet_w32", None, "hrnet/hrnet_w32_256x192_authors"),
        ("hrnet_w32", "darkpose", "dark/darkpose_hrnet_w32_256x192"),
        ("hrnet_w32", "simple_pose", "simple_pose/hrnet_w32_dark_256x192"),
        ("pose_resnet50", None, "simple_baseline/resnet50_256x192"),
        ("pose_resnet50", "microsoft_caffe", "simple_baseline/resnet50_caffe_256x192"),
        ("pose_resnet50", "simple_pose", "simple_pose/resnet50_dconv_256x192"),
        ("lpn50", None, "lpn/lpn_50_256x192"),
        ("litehrnet_30_coco_256x192", None, "lite_hrnet/lite_hrnet_30_256x192_coco"),
        ("naive_litehrnet_18_coco_256x192", None, "lite_hrnet/naive_hrnet_18_256x192_coco"),
    ],
)
def test_the_config_that_fits_is_named(name: str, home: Optional[str], config: str, tmp_path: Path) -> None:
    shapes = upstream(name)
    conversion = _convert(tmp_path, random_state(shapes), home=home)
    assert conversion.network.configs[0] == f"configs/keypoint/{config}.yml"


def test_numbers_that_are_not_finite_are_told(tmp_path: Path) -> None:
    state = random_state(upstream("lpn50"))
    state["bn1.bias"][3] = np.nan
    assert "not finite numbers in backbone.bn1.bias" in _convert(tmp_path, state).remarks[0]


def test_codecs_of_all_homes_can_be_built() -> None:
    from ppdet.inference.model_card import codec_from_card

    for feed in FEEDS.values():
        if feed.codec:
            assert codec_from_card({"input_wh": list(feed.input_wh[0]), **feed.codec}).kind == "top_down"
    assert {layout.home for layout in LAYOUTS} | {layout.mmpose_home for layout in LAYOUTS} <= set(FEEDS)


# ---------------------------------------------------------------- what does not fit


def test_an_unknown_tensor_is_an_error(tmp_path: Path) -> None:
    state = {**random_state(upstream("lpn50")), "layer9.bias": np.zeros(1, np.float32)}
    with pytest.raises(CheckpointError, match=r"1 of its tensors are not known to the layout 'lpn': layer9.bias"):
        _convert(tmp_path, state)


def test_another_network_is_an_error(tmp_path: Path) -> None:
    state = {"features.0.weight": np.zeros((4, 3, 3, 3), np.float32), "features.0.bias": np.zeros(4, np.float32)}
    with pytest.raises(CheckpointError, match="2 tensors of a network that is not known: features.0.weight.*Known are hrnet"):
        _convert(tmp_path, state)
    with pytest.raises(CheckpointError, match="nothing in .* is named as in HRNet"):
        _convert(tmp_path, state, layout="hrnet")
    with pytest.raises(CheckpointError, match="--layout resnet is not known; choose one of hrnet"):
        _convert(tmp_path, state, layout="resnet")


def test_a_part_of_a_network_is_an_error(tmp_path: Path) -> None:
    state = random_state({k: s for k, s in upstream("lpn50").items() if not k.startswith("final_layer")})
    with pytest.raises(CheckpointError, match="not known"):
        _convert(tmp_path, state)
    with pytest.raises(CheckpointError, match="not a whole LPN.*final_layer.weight"):
        _convert(tmp_path, state, layout="lpn")


def test_a_network_of_another_depth_is_an_error(tmp_path: Path) -> None:
    conversion = _convert(tmp_path, random_state(upstream("pose_resnet50")))
    with pytest.raises(CheckpointError, match="does not fit ResNet-101:\n.*missing in the file"):
        check_targets(conversion, _resnet(101), "ResNet-101")


def test_an_unknown_home_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="--home google is not known; choose one of microsoft"):
        _convert(tmp_path, random_state(upstream("lpn50")), home="google")

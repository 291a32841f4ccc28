"""The published values of systems besides PaddleDetection's HRNet, Lite-HRNet and TinyPose."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.core.config.load import load_config

KEYPOINT = Path(__file__).resolve().parents[2] / "configs" / "keypoint"
READERS = ("TrainReader", "EvalReader", "TestReader")
LEAVES = sorted(KEYPOINT.rglob("*.yml"))


def load(name: str) -> dict:
    return load_config(KEYPOINT / f"{name}.yml")


@pytest.mark.parametrize(
    ("name", "sigma", "target", "crop", "grid", "decoder", "blur"),
    [
        ("simple_baseline/resnet50_256x192", 2, "rounded", "affine", "stride", "quarter", None),
        ("simple_baseline/resnet152_384x288", 3, "rounded", "affine", "stride", "quarter", None),
        ("simple_baseline/resnet101_384x384_mpii", 3, "rounded", "affine", "stride", "quarter", None),
        ("simple_pose/resnet50_se_duc_256x192", 2, "subpixel", "affine", "stride", "dark", 11),
        ("simple_pose/hrnet_w32_dark_256x192", 2, "subpixel", "affine", "stride", "dark", 11),
        ("xray/xray_foot_resnet50_384x288", 2, "rounded", "affine", "stride", "quarter", None),
        ("xray/xray_resnet50_256x256", 2, "subpixel", "udp", "unit", "dark", 11),
        ("xray/xray_resnet50_384x384", 3, "subpixel", "udp", "unit", "dark", 17),
        ("xray/xray_tinypose_384x384", 3, "subpixel", "udp", "stride", "dark", 3),
        ("lpn/lpn_50_256x192", 2, "rounded", "affine", "stride", "soft_argmax_quarter", None),
        ("hrnet/hrnet_w32_384x288_authors", 3, "rounded", "affine", "stride", "quarter", 3),
        ("hrnet/hrnet_w32_256x256_mpii", 2, "rounded", "affine", "stride", "dark", 3),
        ("hrnet/hrnet_w18_small_v2_softargmax_256x192", 2, "rounded", "affine", "stride", "soft_argmax_quarter", 3),
        ("dark/darkpose_hrnet_w32_256x192", 2, "subpixel", "udp", "unit", "dark", 11),
        ("dark/darkpose_hrnet_w48_384x288", 3, "subpixel", "udp", "unit", "dark", 17),
        ("tiny_pose/tinypose_256x256_hand", 2, "subpixel", "udp", "stride", "dark", 3),
        ("vit_pose/vitpose_base_coco_256x192", 2, "subpixel", "udp", "unit", "dark", 11),
    ],
)
def test_codec(name, sigma, target, crop, grid, decoder, blur):
    codec = load(name)["codec"]
    assert [codec[key] for key in ("sigma", "target", "alignment", "grid", "decoder")] == [sigma, target, crop, grid, decoder]
    assert codec.get("blur_kernel") == blur
    assert codec.get("beta") == (160 if decoder.startswith("soft") else None)


@pytest.mark.parametrize(
    ("name", "lr", "batch", "epoch", "milestones", "scale", "rot", "half"),
    [
        ("simple_baseline/resnet50_256x192", 1e-3, 32, 140, [90, 120], 0.3, 40, 0),
        ("simple_baseline/resnet50_256x256_mpii", 1e-3, 32, 140, [90, 120], 0.25, 30, 0),
        ("lpn/lpn_18h_256x192", 1e-3, 128, 150, [90, 120], 0.35, 45, 0.3),
        ("lpn/lpn_152_256x192", 1e-3, 32, 150, [90, 120], 0.3, 40, 0),
        ("hrnet/hrnet_w48_256x192", 1e-3, 32, 210, [170, 200], 0.35, 45, 0.3),
        ("hrnet/hrnet_w48_256x256_mpii", 1e-3, 32, 210, [170, 200], 0.25, 30, 0),
        ("hrnet/hrnet_w32_256x256_mpii", 5e-4, 64, 210, [170, 200], 0.5, 40, 0.3),
        ("hrnet/hrnet_w18_small_v1_256x192", 1e-3, 128, 210, [170, 200], 0.35, 45, 0.3),
        ("dark/darkpose_hrnet_w32_384x288", 1e-3, 32, 210, [170, 200], 0.35, 45, 0.3),
        ("vit_pose/vitpose_base_simple_coco_256x192", 5e-4, 64, 210, [170, 200], 0.5, 40, 0.3),
    ],
)
def test_recipe(name, lr, batch, epoch, milestones, scale, rot, half):
    config = load(name)
    assert (config["LearningRate"]["base_lr"], config["TrainReader"]["batch_size"], config["epoch"]) == (lr, batch, epoch)
    assert config["LearningRate"]["schedulers"][0]["milestones"] == milestones
    augment = config["TrainReader"]["sample_transforms"][0]["RandomFlipHalfBodyTransform"]
    assert (augment["scale"], augment["rot"], augment["prob_half_body"]) == (scale, rot, half)


def test_simple_pose_draws_uniformly_from_ragged_boxes():
    config = load("simple_pose/resnet50_duc_256x192")
    assert (config["epoch"], config["LearningRate"]["schedulers"][0]["milestones"]) == (180, [120, 160])
    assert config["TrainReader"]["sample_transforms"][:3] == [
        {"TopDownRandomBoxCrop": {"part_prob": 0.15}},
        {"TopDownGetRandomScaleRotation": {"scale_factor": 0.3, "rot_factor": 40, "rot_prob": 1.0, "distribution": "uniform"}},
        {"TopDownRandomFlip": {"flip_prob": 0.5}},
    ]
    assert config["SimpleBaseline"]["flip"] is False  # its scores are without flip test


@pytest.mark.parametrize(
    ("name", "std", "to_bgr"),
    [
        ("simple_baseline/resnet50_256x192", 0.229, True),
        ("simple_baseline/resnet152_384x384_mpii", 0.229, True),
        ("simple_pose/resnet50_dconv_256x192", 1.0, False),
        ("lpn/lpn_50_256x192", 0.229, False),
        ("lpn/lpn_101_256x192", 0.229, True),
        ("hrnet/hrnet_w48_256x192", 0.229, False),
    ],
)
def test_colours(name, std, to_bgr):
    normalize = load(name)["EvalReader"]["batch_transforms"][0]["NormalizeImage"]
    assert (normalize["std"][0], normalize.get("to_bgr", False)) == (std, to_bgr)
    assert normalize["mean"] == [0.485, 0.456, 0.406]


@pytest.mark.parametrize("path", LEAVES, ids=[path.stem for path in LEAVES])
def test_training_evaluation_and_deployment_see_the_same_pixels(path):
    config = load_config(path)
    seen = [config[reader]["batch_transforms"] for reader in READERS]
    assert seen[0] == seen[1] == seen[2]
    assert "NormalizeImage" in seen[0][0] and "Permute" in seen[0][1]
    assert not any("NormalizeImage" in step for reader in READERS for step in config[reader]["sample_transforms"])


def test_mpii_configs_score_pckh_of_sixteen_keypoints():
    for path in LEAVES:
        if path.stem.endswith(("_mpii", "_mpii_authors")):
            config = load_config(path)
            assert (config["metric"], config["skeleton"]) == ("KeyPointTopDownMPIIEval", "mpii16")
            assert {config[role]["name"] for role in ("TrainDataset", "EvalDataset")} == {"KeypointTopDownMPIIDataset"}

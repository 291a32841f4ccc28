"""Our own YAML files: sound, complete, and with their published values."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.core.config.load import load_config

ROOT = Path(__file__).resolve().parents[2]
LEAVES = sorted(path for path in (ROOT / "configs").rglob("*.yml") if "_base_" not in path.parts)
NAMES = [str(path.relative_to(ROOT / "configs")) for path in LEAVES]
BOTTOM_UP = [path for path in LEAVES if "higherhrnet" in path.parts]
TOPDOWN = [path for path in LEAVES if "keypoint" in path.parts and path not in BOTTOM_UP]


@pytest.fixture(scope="module")
def filled_registry():
    pytest.importorskip("paddle")
    from ppdet.engine.components import import_components

    return import_components()


@pytest.mark.parametrize("path", LEAVES, ids=NAMES)
def test_every_config_is_sound(path, filled_registry):
    from ppdet.engine.configs.check import check_config

    assert [str(problem) for problem in check_config(load_config(path), filled_registry)] == []


@pytest.mark.parametrize("path", LEAVES, ids=NAMES)
def test_every_config_opens_with_its_record(path):
    head = path.read_text().split("_BASE_")[0]
    for word in ("# Paper", "# Data:", "# Published:", "# Command:"):
        assert word in head, f"{path}: the record lacks {word!r}"
    assert "# Not measured here:" in head or "# Measured here:" in head, f"{path}: the record does not say what was measured"
    assert path.relative_to(ROOT).as_posix() in head, "the command names another file"
    assert "weights" not in load_config(path)  # what training it leaves; a config derived from it has its own


def test_weights_are_those_of_the_configs_own_runs(tmp_path):
    pytest.importorskip("paddle")
    from ppdet.engine.weights.load import trained_weights

    leaf = tmp_path / "mine.yml"
    leaf.write_text(f"_BASE_: {ROOT / 'configs/keypoint/tiny_pose/tinypose_128x96.yml'}\n")
    assert trained_weights(load_config(leaf)) == Path("output/mine/best_model")
    assert trained_weights(load_config(leaf, ["save_dir=runs"])) == Path("runs/mine/best_model")


@pytest.mark.parametrize("path", TOPDOWN, ids=[path.stem for path in TOPDOWN])
def test_sizes_agree_with_each_other_and_with_the_file_name(path):
    config = load_config(path)
    width, height = config["codec"]["input_wh"]
    misspelt = path.stem == "vitpose_base_coco_256x196"  # PaddleDetection's file name
    assert f"{height}x{width}" in path.stem or misspelt
    assert config["TestReader"]["sample_transforms"][1] == {"TopDownEvalAffine": {}}  # the codec's, as everywhere


@pytest.mark.parametrize("path", BOTTOM_UP, ids=[path.stem for path in BOTTOM_UP])
def test_bottom_up_sizes_and_data_agree_with_the_file_name(path):
    config, words = load_config(path), path.stem.split("_")
    assert config["codec"]["input_wh"] == [int(words[3])] * 2
    assert (config["HRNet"]["width"], config["HrHRNetHead"]["width"]) == (int(words[2][1:]),) * 2
    assert bool(config["HrHRNetHead"].get("swahr")) == bool(config.get("HrHRNetLoss", {}).get("swahr")) == ("swahr" in words)
    assert config["skeleton"] == ("crowdpose14" if "crowdpose" in words else "coco17")
    assert config["TestReader"]["sample_transforms"][1] == config["EvalReader"]["sample_transforms"][0] == {"EvalAffine": {}}
    assert f"hrnet_w{config['HRNet']['width']}_c_pretrained" in config["pretrain_weights"].lower()
    assert (config["LearningRate"]["base_lr"], config["epoch"]) == (1e-3, 300)
    assert config["TrainReader"]["batch_size"] == (10 if "w48" in words else 16 if "swahr" in words else 20)


@pytest.mark.parametrize("size", ["codec.input_wh=[64, 96]", "codec.input_wh=[64, 96] codec.heatmap_wh=[16, 24]"])
def test_one_option_changes_the_size_everywhere(size, filled_registry):
    from ppdet.engine.assembly import Assembly

    options = [f"codec.{part}" for part in size.split("codec.") if part]
    assembly = Assembly(load_config(ROOT / "configs/keypoint/tiny_pose/tinypose_128x96.yml", options))
    assert tuple(assembly.codec.heatmap_wh) == (16, 24)
    card = assembly.task.deployed_form(assembly, assembly.model()).card
    assert {"type": "TopDownEvalAffine", "trainsize": [64, 96]} in card.preprocess
    assert (card.input_wh, card.heatmap_wh) == ((64, 96), (16, 24))


@pytest.mark.parametrize(
    ("name", "sigma", "target", "crop", "decoder", "lr", "batch", "epoch", "scale", "warmup"),
    [
        ("tiny_pose/tinypose_128x96", 1, "subpixel", "udp", "dark", 8e-3, 512, 420, 0.25, 500),
        ("tiny_pose/tinypose_256x192", 2, "subpixel", "udp", "dark", 2e-3, 128, 420, 0.25, 500),
        ("hrnet/hrnet_w32_256x192", 2, "rounded", "affine", "dark", 5e-4, 64, 210, 0.5, 1000),
        ("hrnet/hrnet_w32_384x288", 2, "rounded", "affine", "dark", 5e-4, 64, 210, 0.5, 1000),
        ("hrnet/dark_hrnet_w32_256x192", 2, "subpixel", "affine", "dark", 5e-4, 64, 210, 0.5, 1000),
        ("hrnet/dark_hrnet_w32_384x288", 2, "subpixel", "affine", "dark", 5e-4, 32, 210, 0.5, 1000),
        ("hrnet/dark_hrnet_w48_256x192", 2, "subpixel", "affine", "dark", 5e-4, 64, 210, 0.5, 1000),
        ("lite_hrnet/lite_hrnet_18_256x192_coco", 2, "rounded", "affine", "quarter", 2e-3, 64, 210, 0.25, 500),
        ("lite_hrnet/lite_hrnet_18_384x288_coco", 3, "rounded", "affine", "quarter", 2e-3, 32, 210, 0.25, 500),
        ("lite_hrnet/lite_hrnet_30_256x192_coco", 2, "rounded", "affine", "quarter", 2e-3, 64, 210, 0.25, 500),
        ("lite_hrnet/lite_hrnet_30_384x288_coco", 3, "rounded", "affine", "quarter", 2e-3, 32, 210, 0.25, 500),
        ("lite_hrnet/wider_naive_hrnet_18_256x192_coco", 2, "rounded", "affine", "quarter", 2e-3, 64, 210, 0.25, 500),
    ],
)
def test_published_values(name, sigma, target, crop, decoder, lr, batch, epoch, scale, warmup):
    config = load_config(ROOT / "configs" / "keypoint" / f"{name}.yml")
    codec = config["codec"]
    assert (codec["sigma"], codec["target"], codec["alignment"], codec["decoder"]) == (sigma, target, crop, decoder)
    assert codec["grid"] == "stride"
    assert (config["LearningRate"]["base_lr"], config["TrainReader"]["batch_size"], config["epoch"]) == (lr, batch, epoch)
    assert config["LearningRate"]["schedulers"][1]["steps"] == warmup
    augment = config["TrainReader"]["sample_transforms"][0]["RandomFlipHalfBodyTransform"]
    assert (augment["scale"], augment["rot"]) == (scale, 40 if scale == 0.5 else 30)


def test_one_option_moves_both_datasets_of_the_small_recipe():
    path = ROOT / "configs/keypoint/tiny_pose/tinypose_128x96_coco_person.yml"
    config = load_config(path, ["dataset_dir=/data/mine"])
    assert config["TrainDataset"]["dataset_dir"] == config["EvalDataset"]["dataset_dir"] == "/data/mine"
    assert config["TrainDataset"]["name"] == "KeypointTopDownCocoDataset"
    assert load_config(path)["TrainDataset"]["dataset_dir"] == "dataset/coco_person"


def test_one_option_moves_every_size_of_a_detector():
    path = ROOT / "configs/picodet/application/pedestrian_detection/picodet_s_192_lcnet_pedestrian.yml"
    config = load_config(path, ["eval_height=256", "eval_width=320"])
    assert config["eval_size"] == [256, 320] and config["TestReader"]["inputs_def"]["image_shape"] == [1, 3, 256, 320]
    assert config["TestReader"]["sample_transforms"][1]["Resize"]["target_size"] is config["eval_size"]

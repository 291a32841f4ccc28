"""What `check_config` finds by building the codec, and what commands refuse before they load data."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
LEAF = ROOT / "configs" / "keypoint" / "tiny_pose" / "tinypose_128x96.yml"


def problems(path=LEAF, *options):
    pytest.importorskip("paddle")
    from ppdet.engine.components import import_components
    from ppdet.engine.configs.check import check_config

    return [str(problem) for problem in check_config(load_config(path, options), import_components())]


@pytest.mark.parametrize(
    "option, expected",
    [
        ("codec.input_wh=[64]", "codec: input_wh is [width, height], both from 2 to 8192; given [64]"),
        ("codec.input_wh=64", "codec"),
        ("codec.input_wh=[65,64]", "LiteHRNet takes sides that are multiples of 32, such as [64, 64]"),
        ("codec.input_wh=[64,80]", "multiples of 32, such as [64, 64]"),
        ("codec.decoder=drak", "codec: decoder must be one of argmax, quarter, dark"),
        ("codec.sigma=-1", "codec: sigma must be positive"),
        ("codec.blur_kernel=2", "codec: blur_kernel must be odd"),
        ("TrainReader.batch_size=0", "TrainReader.batch_size expects a whole number from 1 on, not 0"),
        ("TopDownHRNet.use_dark=false", "codec.decoder is dark, which decides: set codec.decoder=quarter"),
        ("TopDownHRNet.use_dark=abc", "TopDownHRNet.use_dark expects true or false"),
        ("TrainReader.sample_transforms.RandomFlipHalfBodyTransform.rot_prob=60", "rot_prob is 60; expected a probability"),
        ("epoch=abc", "epoch expects a whole number, not 'abc'"),
        ("skeleton=coco71", "coco71"),
        ("dataset_dir=mine", "set TrainDataset.dataset_dir, EvalDataset.dataset_dir"),
    ],
)
def test_the_line_and_the_mistake(option, expected):
    (text,) = problems(LEAF, option)
    assert expected in text and text.startswith(f"-o {option}: error: ")


def test_lpn_takes_multiples_of_16():
    leaf = ROOT / "configs" / "keypoint" / "lpn" / "lpn_18_256x192.yml"
    (text,) = problems(leaf, "codec.input_wh=[100,136]")
    assert "LPN takes sides that are multiples of 16, such as [96, 128]" in text
    assert problems(leaf, "codec.input_wh=[80,112]") == []


def test_a_vit_has_one_size():
    leaf = ROOT / "configs" / "keypoint" / "vit_pose" / "vitpose_base_simple_coco_256x192.yml"
    (text,) = problems(leaf, "codec.input_wh=[96,128]")
    assert "ViT.img_size is [256, 192] (height, width), but codec.input_wh is [96, 128] (width, height)" in text
    assert problems(leaf, "codec.input_wh=[96,128]", "ViT.img_size=[128,96]") == []


CROWD = LEAF.parents[1] / "higherhrnet" / "higherhrnet_hrnet_w32_512.yml"


@pytest.mark.parametrize(
    "leaf, option, expected",
    [
        (CROWD, "HrHRNetHead.swahr=true", "HrHRNetHead.swahr is true, but HrHRNetLoss.swahr is false"),
        (CROWD, "HrHRNetLoss.swahr=true", "HrHRNetLoss.swahr is true, but HrHRNetHead.swahr is false"),
        (CROWD, "EvalDataset.name=KeypointTopDownCocoDataset", "but HigherHRNet finds people in whole images"),
        (LEAF, "TrainDataset.name=KeypointBottomUpCocoDataset", "but TopDownHRNet looks at one person at a time"),
        (LEAF, "EvalDataset.name=COCODataSet", "EvalDataset is a COCODataSet, but TopDownHRNet looks at one person at a time"),
        (CROWD, "EvalDataset.name=COCODataSet", "EvalDataset is a COCODataSet, but HigherHRNet finds people in whole images"),
    ],
)
def test_parts_of_two_kinds(leaf, option, expected):
    (text,) = [problem for problem in problems(leaf, option) if "has no argument" not in problem]
    assert expected in text and "error" in text


@pytest.mark.parametrize(
    "option, expected",
    [
        ("TopDownHRNet.backbone=KeyPointMSELoss", "is KeyPointMSELoss, of ppdet.modeling.losses; expected one of CSP"),
        ("TopDownHRNet.backbone=null", "TopDownHRNet.backbone is null, and TopDownHRNet cannot be without: name a component"),
        ("TopDownHRNet.loss=LiteHRNet", "TopDownHRNet.loss is LiteHRNet, of ppdet.modeling.backbones; expected one of AE"),
        ("architecture=LiteHRNet", "architecture is LiteHRNet, of ppdet.modeling.backbones; expected one of CenterNet"),
        ("TrainReader.sample_transforms=[KeyPointMSELoss]", "TrainReader.sample_transforms[0] is KeyPointMSELoss, of"),
        ("metric=5", "metric is 5; expected a name, or figures such as [EPE, PCK, AP]"),
    ],
)
def test_components_in_the_wrong_place(option, expected):
    (text,) = problems(LEAF, option)
    assert expected in text and text.startswith(f"-o {option}: error: ")


def test_the_figure_that_selects_the_best_model():
    (text,) = problems(LEAF, "metric=[EPE]", "best_metric=EPEE")
    assert "there is no metric 'EPEE'; did you mean 'EPE'? Names are PCK," in text
    assert problems(LEAF, "metric=[EPE]", "best_metric=AP") == []


def test_an_option_for_a_network_that_is_not_there():
    (text,) = problems(LEAF, "LPN.attention=SE")
    assert text.startswith("-o LPN.attention=SE: error: nothing in this config is a LPN; it has ") and "LiteHRNet" in text
    assert problems(LEAF, "TopDownHRNet.loss=KeyPointOHKMMSELoss", "KeyPointOHKMMSELoss.topk=4") == []


def test_the_line_of_a_file(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text(f"_BASE_: {LEAF}\ncodec:\n  sigma: 2.0\n  decoder: drak\n")
    (text,) = problems(path)
    assert text.startswith(f"{path}:4: error: codec: decoder must be one of")


def test_sizes_that_contradict_the_codec(tmp_path):
    path = tmp_path / "mine.yml"
    path.write_text(
        f"_BASE_: {LEAF}\ncodec:\n  input_wh: [64, 64]\nTestReader:\n  inputs_def: {{image_shape: [3, 128, 96]}}\n"
        "  sample_transforms:\n  - Decode: {}\n  - TopDownEvalAffine: {trainsize: [96, 128]}\n"
        "EvalDataset: {trainsize: [96, 128]}\n"
    )
    shape, crop, data = problems(path)
    assert shape.startswith(f"{path}:5:") and "[3, 128, 96]" in shape and "codec.input_wh is [64, 64]" in shape
    assert crop.startswith(f"{path}:8:") and "TopDownEvalAffine.trainsize is [96, 128], but codec.input_wh is [64, 64]" in crop
    assert data.startswith(f"{path}:9:") and "EvalDataset.trainsize is [96, 128]" in data
    from ppdet.engine.assembly import Assembly

    with pytest.raises(ConfigError, match="trainsize is \\[96, 128\\], but codec.input_wh"):
        Assembly(load_config(path))


VIT = LEAF.parents[1] / "vit_pose" / "vitpose_base_simple_coco_256x192.yml"
PICODET = LEAF.parents[2] / "picodet" / "picodet_s_320_coco_lcnet.yml"


@pytest.mark.parametrize(
    "leaf, option, expected",
    [
        (LEAF, "TopDownHRNet.num_joints=21", "TopDownHRNet.num_joints is 21, but skeleton 'coco17' has 17 keypoints; make"),
        (LEAF, "TrainDataset.num_joints=21", "KeypointTopDownCocoDataset.num_joints is 21, but skeleton 'coco17' has 17"),
        (LEAF, "TopDownHRNet.flip_perm=[[2,1]]", "TopDownHRNet.flip_perm has the pairs [[1, 2]], but the mirror pairs of"),
        (LEAF, "TopDownHRNet.flip_perm=7", "TopDownHRNet.flip_perm"),
        (VIT, "TopdownHeatmapSimpleHead.out_channels=16", "SimpleHead.out_channels is 16, but skeleton 'coco17' has 17"),
        (CROWD, "HrHRNetHead.num_joints=3", "HrHRNetHead.num_joints is 3, but skeleton 'coco17' has 17 keypoints"),
        (CROWD, "HigherHRNet.flip_perm=[0,1]", "HigherHRNet.flip_perm has the pairs [], but the mirror pairs of skeleton"),
        (PICODET, "PicoHeadV2.num_classes=3", "PicoHeadV2.num_classes is 3, but num_classes at the top level is 80"),
    ],
)
def test_facts_that_a_component_repeats(leaf, option, expected):
    (text,) = problems(leaf, option)
    assert expected in text and text.startswith(f"-o {option}: error: ")


def test_repeated_facts_that_agree():
    pairs = "[[2,1],[3,4],[5,6],[7,8],[9,10],[11,12],[13,14],[15,16]]"
    assert problems(LEAF, f"TopDownHRNet.flip_perm={pairs}", "TopDownHRNet.num_joints=17", "EvalDataset.num_joints=17") == []
    assert problems(CROWD, "HigherHRNet.flip_perm=[0,2,1,4,3,6,5,8,7,10,9,12,11,14,13,16,15]") == []


def test_mirror_pairs_in_a_component_alone():
    options = ("skeleton=null", "num_joints=5", "TopDownHRNet.flip_perm=[[1,2]]")
    (text,) = problems(LEAF, *options)
    assert "warning: TopDownHRNet.flip_perm is given, but neither flip_perm nor skeleton at the top level" in text

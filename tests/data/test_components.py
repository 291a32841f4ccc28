"""The names PaddleDetection's YAML uses are known, and its blocks build."""

from __future__ import annotations

import textwrap

import pytest
from shared_data import shared

from ppdet.codecs import codec_from_config
from ppdet.core.builder import Builder
from ppdet.core.config import load_config
from ppdet.core.registry import registry
from ppdet.data import components  # noqa: F401  (fills the registry)
from ppdet.skeletons import get_skeleton

NAMES = """
KeypointTopDownCocoDataset KeypointTopDownMPIIDataset KeypointTopDownCocoWholeBodyHandDataset COCODataSet ImageFolder
TrainReader EvalReader TestReader RandomFlipHalfBodyTransform AugmentationbyInformantionDropping TopDownAffine
TopDownEvalAffine ToHeatmapsTopDown ToHeatmapsTopDown_DARK ToHeatmapsTopDown_UDP TopDownRandomFlip
TopDownRandomShiftBboxCenter TopDownGetRandomScaleRotation NormalizeImage Permute Decode Resize PadBatch EncodeHeatmap
ColorJitter TopDownRandomPerspective TopDownRandomBoxCrop
""".split()  # noqa: SIM905

DIALECT = """
    architecture: TopDownHRNet
    num_classes: 1
    num_joints: &num_joints 17
    trainsize: &trainsize [96, 128]
    hmsize: &hmsize [24, 32]
    flip_perm: &flip_perm [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12], [13, 14], [15, 16]]
    TrainDataset: !KeypointTopDownCocoDataset
        image_dir: images
        anno_path: annotations/person_keypoints_val.json
        dataset_dir: dataset/coco
        num_joints: *num_joints
        trainsize: *trainsize
        pixel_std: 200
        use_gt_bbox: True
    TrainReader:
        sample_transforms:
            - RandomFlipHalfBodyTransform:
                scale: 0.25
                rot: 30
                num_joints_half_body: 8
                prob_half_body: 0.3
                pixel_std: 200
                trainsize: *trainsize
                upper_body_ids: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
                flip_pairs: *flip_perm
            - AugmentationbyInformantionDropping: {prob_cutout: 0.5, offset_factor: 0.05, num_patch: 1, trainsize: *trainsize}
            - TopDownAffine: {trainsize: *trainsize, use_udp: true}
            - ToHeatmapsTopDown_DARK: {hmsize: *hmsize, sigma: 1}
        batch_transforms:
            - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}
            - Permute: {}
        batch_size: 64
        shuffle: true
        drop_last: false
    TestReader:
        inputs_def: {image_shape: [3, 128, 96]}
        sample_transforms:
            - Decode: {}
            - TopDownEvalAffine: {trainsize: *trainsize}
            - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}
            - Permute: {}
        batch_size: 1
        fuse_normalize: false
"""


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    assert name in registry


def test_paddledetections_blocks_build_and_run(tmp_path):
    file = tmp_path / "tinypose.yml"
    file.write_text(textwrap.dedent(DIALECT), encoding="utf-8")
    root = shared("data", "coco_person")
    config = load_config(file, [f"TrainDataset.dataset_dir={root}", "TrainReader.batch_size=8"])
    builder = Builder(config, shared={"codec": codec_from_config(config), "skeleton": get_skeleton("coco17")})
    loader = builder.build("TrainReader")(builder.build("TrainDataset"))
    batch = next(iter(loader))
    assert batch["image"].shape == (8, 3, 128, 96) and batch["target"].shape == (8, 17, 32, 24)
    assert builder.build("TestReader").inputs_def == {"image_shape": [3, 128, 96]}

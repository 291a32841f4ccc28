"""The names PaddleDetection's YAML uses are known, and its blocks build."""

from __future__ import annotations

import textwrap

import pytest
from support.shared_data import shared

from ppdet.codecs import codec_from_config
from ppdet.core.config.builder import Builder
from ppdet.core.config.load import load_config
from ppdet.core.config.registry import registry
from ppdet.data import components  # noqa: F401  (fills the registry)
from ppdet.skeletons import get_skeleton

NAMES = """
KeypointTopDownCocoDataset KeypointTopDownMPIIDataset KeypointTopDownCocoWholeBodyHandDataset COCODataSet ImageFolder
TrainReader EvalReader TestReader RandomFlipHalfBodyTransform AugmentationbyInformantionDropping TopDownAffine
TopDownEvalAffine ToHeatmapsTopDown ToHeatmapsTopDown_DARK ToHeatmapsTopDown_UDP TopDownRandomFlip
TopDownRandomShiftBboxCenter TopDownGetRandomScaleRotation NormalizeImage Permute Decode Resize PadBatch EncodeHeatmap
ColorJitter TopDownRandomPerspective TopDownRandomBoxCrop KeypointBottomUpCocoDataset KeypointBottomUpCrowdPoseDataset
RandomAffine KeyPointFlip ToHeatmaps TagGenerate NormalizePermute EvalAffine
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

BOTTOM_UP = """
    architecture: HigherHRNet
    metric: COCO
    IouType: keypoints
    num_classes: 1
    num_joints: &num_joints 17
    codec: {name: AssociativeEmbeddingCodec, input_wh: [256, 256]}
    flip_perm: &flip_perm [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    input_size: &input_size 256
    hm_size: &hm_size 64
    hm_size_2x: &hm_size_2x 128
    max_people: &max_people 30
    TrainDataset: !KeypointBottomUpCocoDataset
        image_dir: images
        anno_path: annotations/person_keypoints_val.json
        dataset_dir: dataset/coco
        num_joints: *num_joints
        return_bbox: False
        return_area: False
        return_class: False
    EvalDataset: !KeypointBottomUpCocoDataset
        image_dir: images
        anno_path: annotations/person_keypoints_val.json
        dataset_dir: dataset/coco
        num_joints: *num_joints
        test_mode: true
        return_bbox: False
        return_area: False
        return_class: False
    TrainReader:
        sample_transforms:
            - RandomAffine:
                max_degree: 30
                scale: [0.75, 1.5]
                max_shift: 0.2
                hmsize: [*hm_size, *hm_size_2x]
                trainsize: *input_size
            - KeyPointFlip: {flip_prob: 0.5, flip_permutation: *flip_perm, hmsize: [*hm_size, *hm_size_2x]}
            - ToHeatmaps: {num_joints: *num_joints, hmsize: [*hm_size, *hm_size_2x], sigma: 2}
            - TagGenerate: {num_joints: *num_joints, max_people: *max_people}
            - NormalizePermute: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}
        batch_size: 4
        shuffle: true
        drop_last: true
        use_shared_memory: true
    EvalReader:
        sample_transforms:
            - EvalAffine: {size: *input_size}
            - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}
            - Permute: {}
        batch_size: 1
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


def test_paddledetections_bottom_up_blocks_build_and_run(tmp_path):
    file = tmp_path / "higherhrnet.yml"
    file.write_text(textwrap.dedent(BOTTOM_UP), encoding="utf-8")
    root = shared("data", "coco_person")
    config = load_config(file, [f"TrainDataset.dataset_dir={root}", f"EvalDataset.dataset_dir={root}"])
    builder = Builder(config, shared={"codec": codec_from_config(config), "skeleton": get_skeleton("coco17")})
    batch = next(iter(builder.build("TrainReader")(builder.build("TrainDataset"), worker_num=1)))
    assert batch["image"].shape == (4, 3, 256, 256) and batch["heatmap_2x"].shape == (4, 17, 128, 128)
    assert 0 < batch["mask_1x"].mean() < 1 and batch["tag_joints"][..., 1].sum() > 10
    dataset = builder.build("EvalDataset")
    assert len(dataset) == 100
    batch = next(iter(builder.build("EvalReader")(dataset)))
    assert batch["image"].shape[:2] == (1, 3) and batch["image"].shape[2] % 64 == 0 and batch["image_wh"].shape == (1, 2)

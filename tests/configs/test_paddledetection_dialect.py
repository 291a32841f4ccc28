"""PaddleDetection's spellings, in a small config of our own writing: legal, checked, and buildable."""

from __future__ import annotations

import pytest

from ppdet.core.config.builder import Builder
from ppdet.core.config.load import load_config

TEXT = """\
use_gpu: true
log_iter: 5
snapshot_epoch: 1
snapshot_epoch: 10
save_dir: output
weights: output/x/model_final
epoch: 2
num_joints: &num_joints 17
pixel_std: &pixel_std 200
metric: KeyPointTopDownCOCOEval
num_classes: 1
train_height: &train_height 64
train_width: &train_width 48
trainsize: &trainsize [*train_width, *train_height]
hmsize: &hmsize [12, 16]
flip_perm: &flip_perm [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12], [13, 14], [15, 16]]

architecture: TopDownHRNet
TopDownHRNet:
  backbone: LiteHRNet
  post_process: HRNetPostProcess
  flip_perm: *flip_perm
  num_joints: *num_joints
  width: &width 40
  loss: KeyPointMSELoss
  use_dark: true
LiteHRNet: {network_type: wider_naive, freeze_at: -1, freeze_norm: false, return_idx: [0]}
KeyPointMSELoss: {use_target_weight: true, loss_scale: 1.0}

LearningRate:
  base_lr: 0.008
  schedulers:
  - !PiecewiseDecay {milestones: [1], gamma: 0.1}
  - !LinearWarmup
    start_factor: 0.001
    steps: 5
OptimizerBuilder:
  optimizer: {type: Adam}
  regularizer: None

TrainDataset:
  !KeypointTopDownCocoDataset
    image_dir: ""
    anno_path: train.json
    dataset_dir: dataset
    num_joints: *num_joints
    trainsize: *trainsize
    pixel_std: *pixel_std
    use_gt_bbox: True
TestDataset:
  !ImageFolder
    anno_path: list.txt

worker_num: 2
global_mean: &global_mean [0.485, 0.456, 0.406]
global_std: &global_std [0.229, 0.224, 0.225]
TrainReader:
  sample_transforms:
    - RandomFlipHalfBodyTransform:
        scale: 0.25
        rot: 30
        num_joints_half_body: 8
        prob_half_body: 0.3
        pixel_std: *pixel_std
        trainsize: *trainsize
        upper_body_ids: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        flip_pairs: *flip_perm
    - AugmentationbyInformantionDropping: {prob_cutout: 0.5, offset_factor: 0.05, num_patch: 1, trainsize: *trainsize}
    - TopDownAffine: {trainsize: *trainsize, use_udp: true}
    - ToHeatmapsTopDown_DARK: {hmsize: *hmsize, sigma: 1}
  batch_transforms:
    - NormalizeImage: {mean: *global_mean, std: *global_std, is_scale: true}
    - Permute: {}
  batch_size: 4
  shuffle: true
  drop_last: false
EvalReader:
  sample_transforms:
    - TopDownAffine: {trainsize: *trainsize, use_udp: true}
  batch_transforms:
    - NormalizeImage: {mean: *global_mean, std: *global_std, is_scale: true}
    - Permute: {}
  batch_size: 4
TestReader:
  inputs_def:
    image_shape: [3, *train_height, *train_width]
  sample_transforms:
    - Decode: {}
    - TopDownEvalAffine: {trainsize: *trainsize}
    - NormalizeImage: {mean: *global_mean, std: *global_std, is_scale: true}
    - Permute: {}
  batch_size: 1
  fuse_normalize: false
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "dialect.yml"
    file.write_text(TEXT)
    return file


@pytest.fixture(scope="module")
def filled_registry():
    pytest.importorskip("paddle")
    from ppdet.engine.components import import_components

    return import_components()


def test_is_legal_but_for_the_key_given_twice(path, filled_registry):
    from ppdet.engine.configs.check import check_config

    found = [(p.severity, p.mark.line) for p in check_config(load_config(path), filled_registry)]
    assert found == [("warning", 4)]


def test_builds_scheduler_optimizer_and_transforms(path, filled_registry):
    config = load_config(path, ["LearningRate.schedulers.LinearWarmup.steps=7"])
    builder = Builder(config)
    assert builder.build("LearningRate").warmup.steps == 7
    builder.build("OptimizerBuilder")
    assert config["OptimizerBuilder"]["regularizer"] is None
    operations = builder.build_list(config["EvalReader"]["batch_transforms"])
    assert [type(operation).__name__ for operation in operations] == ["NormalizeImage", "Permute"]


def test_one_option_resizes_everything(path):
    config = load_config(path, ["train_height=128", "train_width=96", "hmsize=[24,32]", "num_joints=21"])
    assert config["TrainDataset"]["trainsize"] is config["trainsize"] == [96, 128]
    transforms = config["TrainReader"]["sample_transforms"]
    assert transforms[3]["ToHeatmapsTopDown_DARK"]["hmsize"] == [24, 32]
    assert config["TestReader"]["inputs_def"]["image_shape"] == [3, 128, 96]
    assert config["TopDownHRNet"]["num_joints"] == config["TrainDataset"]["num_joints"] == 21


def test_datasets_can_be_overridden(path):
    config = load_config(path, ["TrainDataset.use_gt_bbox=False", "TrainDataset.bbox_file=bbox.json"])
    assert config["TrainDataset"].tag == "KeypointTopDownCocoDataset"
    assert config["TrainDataset"]["use_gt_bbox"] is False and config["TrainDataset"]["anno_path"] == "train.json"

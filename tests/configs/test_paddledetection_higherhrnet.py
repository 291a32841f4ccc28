"""PaddleDetection's HigherHRNet spellings, in a small config of our own writing: legal, buildable, and what they mean."""

from __future__ import annotations

import pytest

pytest.importorskip("paddle")

from ppdet.core.config.load import load_config  # noqa: E402
from ppdet.engine.assembly import Assembly  # noqa: E402
from ppdet.engine.components import import_components  # noqa: E402
from ppdet.engine.configs.check import check_config  # noqa: E402

TEXT = """\
epoch: 3
num_joints: &num_joints 17
flip_perm: &flip_perm [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
input_size: &input_size 128
hm_size: &hm_size 32
hm_size_2x: &hm_size_2x 64
max_people: &max_people 12
metric: COCO
IouType: keypoints
num_classes: 1
architecture: HigherHRNet
HigherHRNet:
  backbone: HRNet
  hrhrnet_head: HrHRNetHead
  post_process: HrHRNetPostProcess
  flip_perm: *flip_perm
  eval_flip: true
  max_num_people: *max_people
HRNet: {width: &width 18, freeze_at: -1, freeze_norm: false, return_idx: [0]}
HrHRNetHead: {num_joints: *num_joints, width: *width, loss: HrHRNetLoss, swahr: true}
HrHRNetLoss: {num_joints: *num_joints, swahr: true}
HrHRNetPostProcess: {max_num_people: *max_people, heat_thresh: 0.2, tag_thresh: 0.9}
LearningRate:
  base_lr: 0.001
  schedulers:
  - !PiecewiseDecay {milestones: [1], gamma: 0.1}
OptimizerBuilder:
  optimizer: {type: Adam}
  regularizer: None
TrainDataset:
  !KeypointBottomUpCocoDataset
    image_dir: ""
    anno_path: train.json
    dataset_dir: dataset
    num_joints: *num_joints
    return_bbox: False
    return_area: False
    return_class: False
TestDataset:
  !ImageFolder
    anno_path: list.txt
TrainReader:
  sample_transforms:
    - RandomAffine:
        max_degree: 30
        scale: [0.75, 1.5]
        max_shift: 0.2
        trainsize: [*input_size, *input_size]
        hmsize: [*hm_size, *hm_size_2x]
    - KeyPointFlip: {flip_prob: 0.5, flip_permutation: *flip_perm, hmsize: [*hm_size, *hm_size_2x]}
    - ToHeatmaps: {num_joints: *num_joints, hmsize: [*hm_size, *hm_size_2x], sigma: 1.5}
    - TagGenerate: {num_joints: *num_joints, max_people: *max_people}
    - NormalizePermute: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
  batch_size: 2
  shuffle: true
  drop_last: true
  use_shared_memory: true
TestReader:
  sample_transforms:
    - Decode: {}
    - EvalAffine: {size: *input_size}
    - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}
    - Permute: {}
  batch_size: 1
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "dialect.yml"
    file.write_text(TEXT)
    return file


def test_is_legal(path):
    assert [str(problem) for problem in check_config(load_config(path), import_components())] == []


def test_what_its_words_mean(path):
    assembly = Assembly(load_config(path))
    codec, model = assembly.codec, assembly.model()
    assert (codec.input_wh, codec.strides, codec.sigma, codec.max_people) == ((128, 128), (4, 2), 1.5, 12)
    assert (codec.detection_threshold, codec.tag_threshold) == (0.2, 0.9)
    assert model.strides == codec.strides and model.num_joints == 17
    assert model.hrhrnet_head.swahr and model.hrhrnet_head.loss.swahr
    assert len(assembly.builder.build_list(assembly.config["TrainReader"]["sample_transforms"])) == 5


@pytest.mark.parametrize("exact", [False, True])
def test_one_switch_for_codec_loss_and_initial_scales(path, exact):
    assembly = Assembly(load_config(path, [f"paddledet_exact={exact}"]))
    loss = assembly.model().hrhrnet_head.loss
    parts = (loss.heatmap_error, loss.tag_error, assembly.codec)
    assert [part.paddledet_exact for part in parts] == [exact] * 3
    bias = assembly.model().hrhrnet_head.scalelayer0[3].bias.numpy()
    assert set(bias) == {0.0 if exact else 1.0}

"""PaddleDetection's PP-YOLOv2 spellings, in files of our own writing: includes, aliases, batch transforms, and what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("paddle")

import paddle  # noqa: E402

from ppdet.core.config.builder import Builder  # noqa: E402
from ppdet.core.config.load import load_config  # noqa: E402
from ppdet.engine.assembly import Assembly  # noqa: E402
from ppdet.engine.components import import_components  # noqa: E402
from ppdet.engine.configs.check import check_config  # noqa: E402
from ppdet.modeling.initializer import parameter_count  # noqa: E402

FILES = {
    "datasets/coco_detection.yml": """\
metric: COCO
num_classes: 80
TrainDataset:
  name: COCODataSet
  image_dir: train2017
  anno_path: annotations/instances_train2017.json
  dataset_dir: dataset/coco
  data_fields: ['image', 'gt_bbox', 'gt_class', 'is_crowd']
EvalDataset:
  name: COCODataSet
  image_dir: val2017
  anno_path: annotations/instances_val2017.json
  dataset_dir: dataset/coco
  allow_empty: true
TestDataset:
  name: ImageFolder
  anno_path: annotations/instances_val2017.json
  dataset_dir: dataset/coco
""",
    "runtime.yml": """\
use_gpu: true
use_xpu: false
log_iter: 20
save_dir: output
snapshot_epoch: 1
print_flops: false
print_params: false
export:
  post_process: True
  nms: True
  benchmark: False
  fuse_conv_bn: False
""",
    "ppyolo/_base_/ppyolov2_r50vd_dcn.yml": """\
architecture: YOLOv3
pretrain_weights: https://paddledet.bj.bcebos.com/models/pretrained/ResNet50_vd_ssld_pretrained.pdparams
norm_type: sync_bn
use_ema: true
ema_decay: 0.9998
YOLOv3:
  backbone: ResNet
  neck: PPYOLOPAN
  yolo_head: YOLOv3Head
  post_process: BBoxPostProcess
ResNet: {depth: 50, variant: d, return_idx: [1, 2, 3], dcn_v2_stages: [3], freeze_at: -1, freeze_norm: false, norm_decay: 0.}
PPYOLOPAN: {drop_block: true, block_size: 3, keep_prob: 0.9, spp: true}
YOLOv3Head:
  anchors: [[10, 13], [16, 30], [33, 23], [30, 61], [62, 45], [59, 119], [116, 90], [156, 198], [373, 326]]
  anchor_masks: [[6, 7, 8], [3, 4, 5], [0, 1, 2]]
  loss: YOLOv3Loss
  iou_aware: true
  iou_aware_factor: 0.5
YOLOv3Loss:
  ignore_thresh: 0.7
  downsample: [32, 16, 8]
  label_smooth: false
  scale_x_y: 1.05
  iou_loss: IouLoss
  iou_aware_loss: IouAwareLoss
IouLoss: {loss_weight: 2.5, loss_square: true}
IouAwareLoss: {loss_weight: 1.0}
BBoxPostProcess:
  decode: {name: YOLOBox, conf_thresh: 0.01, downsample_ratio: 32, clip_bbox: true, scale_x_y: 1.05}
  nms: {name: MatrixNMS, keep_top_k: 100, score_threshold: 0.01, post_threshold: 0.01, nms_top_k: -1, background_label: -1}
""",
    "ppyolo/_base_/optimizer_365e.yml": """\
epoch: 365
LearningRate:
  base_lr: 0.005
  schedulers:
  - !PiecewiseDecay
    gamma: 0.1
    milestones:
    - 243
  - !LinearWarmup
    start_factor: 0.
    steps: 4000
OptimizerBuilder:
  clip_grad_by_norm: 35.
  optimizer: {momentum: 0.9, type: Momentum}
  regularizer: {factor: 0.0005, type: L2}
""",
    "ppyolo/_base_/ppyolov2_reader.yml": """\
worker_num: 2
TrainReader:
  inputs_def:
    num_max_boxes: 100
  sample_transforms:
    - Decode: {}
    - Mixup: {alpha: 1.5, beta: 1.5}
    - RandomDistort: {}
    - RandomExpand: {fill_value: [123.675, 116.28, 103.53]}
    - RandomCrop: {}
    - RandomFlip: {}
  batch_transforms:
    - BatchRandomResize: {target_size: [320, 352, 384], random_size: True, random_interp: True, keep_ratio: False}
    - NormalizeBox: {}
    - PadBox: {num_max_boxes: 100}
    - BboxXYXY2XYWH: {}
    - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: True}
    - Permute: {}
    - Gt2YoloTarget: {anchor_masks: [[6, 7, 8], [3, 4, 5], [0, 1, 2]], anchors: [[10, 13], [16, 30], [33, 23], [30, 61],
        [62, 45], [59, 119], [116, 90], [156, 198], [373, 326]], downsample_ratios: [32, 16, 8]}
  batch_size: 12
  shuffle: true
  drop_last: true
  mixup_epoch: 25000
  use_shared_memory: true
EvalReader:
  sample_transforms:
    - Decode: {}
    - Resize: {target_size: [640, 640], keep_ratio: False, interp: 2}
    - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: True}
    - Permute: {}
  batch_size: 8
TestReader:
  inputs_def:
    image_shape: [3, 640, 640]
  sample_transforms:
    - Decode: {}
    - Resize: {target_size: [640, 640], keep_ratio: False, interp: 2}
    - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: True}
    - Permute: {}
  batch_size: 1
""",
    "ppyolo/ppyolov2_r50vd_dcn_365e_coco.yml": """\
_BASE_: [
  '../datasets/coco_detection.yml',
  '../runtime.yml',
  './_base_/ppyolov2_r50vd_dcn.yml',
  './_base_/optimizer_365e.yml',
  './_base_/ppyolov2_reader.yml',
]
snapshot_epoch: 8
weights: output/ppyolov2_r50vd_dcn_365e_coco/model_final
""",
}


@pytest.fixture(scope="module")
def leaf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("configs")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "ppyolo" / "ppyolov2_r50vd_dcn_365e_coco.yml"


def test_nothing_is_missing_or_wrong(leaf: Path) -> None:
    assert [str(problem) for problem in check_config(load_config(leaf), import_components())] == []


def test_it_means_the_published_network_and_recipe(leaf: Path) -> None:
    assembly = Assembly(load_config(leaf))
    with paddle.LazyGuard():
        model = assembly.model()
    assert parameter_count(model) / 1e6 == pytest.approx(54.579, abs=1e-3)
    assert model.yolo_head.iou_aware_factor == 0.5 and model.yolo_head.loss_function.iou_loss.loss_weight == 2.5
    settings = model.post_process.nms.settings()
    assert (settings["name"], settings["background_label"], settings["normalized"]) == ("MatrixNMS", -1, False)
    assert assembly.task.input_wh(assembly) == (640, 640) and assembly.task.kind == "detection"
    reader = Builder(assembly.config).build("TrainReader")
    assert reader.mixing_epochs["mixup_epoch"] == 25000 and reader.batch_transforms[-1].num_classes == 80
    curve = assembly.builder.build("LearningRate").curve(steps_per_epoch=100)
    assert curve is not None


def test_one_class_and_a_small_input_by_options(leaf: Path) -> None:
    options = ["num_classes=1", "TestReader.sample_transforms.Resize.target_size=[192, 256]", "ResNet.scale=0.125",
               "PPYOLOPAN.scale=0.125"]  # fmt: skip
    assembly = Assembly(load_config(leaf, options))
    model = assembly.model()
    assert [conv.weight.shape[0] for conv in model.yolo_head.yolo_output] == [21, 21, 21]
    assert assembly.task.input_wh(assembly) == (256, 192)
    card = assembly.task.deployed_form(assembly, model).card
    assert card.label_list == ["person"] and card.arch == "YOLO"

"""Configs for evaluator, exporter and predictor tests, in PaddleDetection's words, over the shared data or over none."""

from __future__ import annotations

from pathlib import Path

TINYPOSE = """
use_gpu: true
log_iter: 5
save_dir: output
snapshot_epoch: 10
weights: output/tinypose/model_final
epoch: 2
num_joints: &num_joints 17
pixel_std: &pixel_std 200
metric: KeyPointTopDownCOCOEval
num_classes: 1
train_height: &train_height {height}
train_width: &train_width {width}
trainsize: &trainsize [*train_width, *train_height]
hmsize: &hmsize [{cells_w}, {cells_h}]
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
LiteHRNet:
  network_type: wider_naive
  freeze_at: -1
  freeze_norm: false
  return_idx: [0]
KeyPointMSELoss:
  use_target_weight: true
  loss_scale: 1.0
EvalDataset:
  !KeypointTopDownCocoDataset
    image_dir: {image_dir}
    anno_path: annotations/person_keypoints_val.json
    dataset_dir: {dataset_dir}
    num_joints: *num_joints
    trainsize: *trainsize
    pixel_std: *pixel_std
    use_gt_bbox: true
    image_thre: 0.5
TestDataset:
  !ImageFolder
    anno_path: keypoint_imagelist.txt
worker_num: 0
global_mean: &global_mean [0.485, 0.456, 0.406]
global_std: &global_std [0.229, 0.224, 0.225]
EvalReader:
  sample_transforms:
    - TopDownAffine:
        trainsize: *trainsize
        use_udp: true
    - ToHeatmapsTopDown_DARK:
        hmsize: *hmsize
        sigma: {sigma}
  batch_transforms:
    - NormalizeImage:
        mean: *global_mean
        std: *global_std
        is_scale: true
    - Permute: {{}}
  batch_size: 16
TestReader:
  inputs_def:
    image_shape: [3, *train_height, *train_width]
  sample_transforms:
    - Decode: {{}}
    - TopDownEvalAffine:
        trainsize: *trainsize
    - NormalizeImage:
        mean: *global_mean
        std: *global_std
        is_scale: true
    - Permute: {{}}
  batch_size: 1
  fuse_normalize: false
"""

PICODET = """
use_gpu: true
log_iter: 20
save_dir: output
snapshot_epoch: 1
metric: COCO
num_classes: 1
weights: output/picodet/model_final
architecture: PicoDet
export:
  post_process: {post_process}
  nms: {nms}
PicoDet:
  backbone: LCNet
  neck: LCPAN
  head: PicoHeadV2
LCNet:
  scale: 0.75
  feature_maps: [3, 4, 5]
LCPAN:
  out_channels: 96
  use_depthwise: true
  num_features: 4
PicoHeadV2:
  conv_feat:
    name: PicoFeat
    feat_in: 96
    feat_out: 96
    num_convs: 2
    num_fpn_stride: 4
    norm_type: bn
    share_cls_reg: true
    use_se: true
  fpn_stride: [8, 16, 32, 64]
  feat_in_chan: 96
  prior_prob: 0.01
  reg_max: 7
  cell_offset: 0.5
  grid_cell_scale: 5.0
  nms:
    name: MultiClassNMS
    nms_top_k: 1000
    keep_top_k: 100
    score_threshold: 0.025
    nms_threshold: 0.6
EvalDataset:
  !COCODataSet
    image_dir: {image_dir}
    anno_path: annotations/person_keypoints_val.json
    dataset_dir: {dataset_dir}
TestDataset:
  !ImageFolder
    anno_path: annotations/person_keypoints_val.json
    dataset_dir: {dataset_dir}
worker_num: 0
eval_height: &eval_height {size}
eval_width: &eval_width {size}
eval_size: &eval_size [*eval_height, *eval_width]
EvalReader:
  sample_transforms:
    - Decode: {{}}
    - Resize: {{interp: 2, target_size: *eval_size, keep_ratio: false}}
    - NormalizeImage: {{is_scale: true, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}}
    - Permute: {{}}
  batch_transforms:
    - PadBatch: {{pad_to_stride: 32}}
  batch_size: 8
  shuffle: false
TestReader:
  inputs_def:
    image_shape: [1, 3, *eval_height, *eval_width]
  sample_transforms:
    - Decode: {{}}
    - Resize: {{interp: 2, target_size: *eval_size, keep_ratio: false}}
    - NormalizeImage: {{is_scale: true, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}}
    - Permute: {{}}
  batch_size: 1
"""


def write_tinypose(folder: Path, dataset_dir: str | Path = "nowhere", image_dir: str = "images", small: bool = True) -> Path:
    """TinyPose 128x96, or 256x192 when not `small`; returns the file."""
    width, height = (96, 128) if small else (192, 256)
    text = TINYPOSE.format(
        width=width, height=height, cells_w=width // 4, cells_h=height // 4, sigma=1 if small else 2,
        image_dir=image_dir, dataset_dir=dataset_dir,
    )  # fmt: skip
    path = folder / ("tinypose_128x96.yml" if small else "tinypose_256x192.yml")
    path.write_text(text)
    return path


def write_picodet(
    folder: Path,
    dataset_dir: str | Path = "nowhere",
    image_dir: str = "images",
    size: int = 192,
    post_process: bool = True,
    nms: bool = True,
) -> Path:
    """PicoDet-S (LCNet) for one class; returns the file."""
    text = PICODET.format(
        image_dir=image_dir, dataset_dir=dataset_dir, size=size, post_process=str(post_process).lower(), nms=str(nms).lower()
    )
    path = folder / f"picodet_s_{size}_lcnet_pedestrian.yml"
    path.write_text(text)
    return path

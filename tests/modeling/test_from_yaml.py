"""PaddleDetection's sections build the models, and wrong ones are explained."""

from __future__ import annotations

from pathlib import Path

import paddle
import pytest

from ppdet.core.config.builder import Builder
from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.components import import_components

TINYPOSE = """
num_joints: &num_joints 21
architecture: TopDownHRNet
TopDownHRNet:
  backbone: LiteHRNet
  post_process: HRNetPostProcess
  flip_perm: [[1, 2]]
  num_joints: *num_joints
  width: 40
  loss: KeyPointMSELoss
  use_dark: true
LiteHRNet: {network_type: wider_naive, freeze_at: -1, freeze_norm: false, return_idx: [0]}
KeyPointMSELoss: {use_target_weight: true, loss_scale: 1.0}
"""

PICODET = """
num_classes: 1
architecture: PicoDet
eval_size: [320, 320]
PicoDet: {backbone: LCNet, neck: LCPAN, head: PicoHeadV2, nms_cpu: false}
LCNet: {scale: 0.75, feature_maps: [3, 4, 5]}
LCPAN: {out_channels: 96, use_depthwise: true, num_features: 4}
PicoHeadV2:
  conv_feat: {name: PicoFeat, feat_in: 96, feat_out: 96, num_convs: 2, num_fpn_stride: 4, norm_type: bn,
              share_cls_reg: true, use_se: true}
  fpn_stride: [8, 16, 32, 64]
  feat_in_chan: 96
  prior_prob: 0.01
  reg_max: 7
  cell_offset: 0.5
  grid_cell_scale: 5.0
  static_assigner_epoch: 100
  use_align_head: true
  static_assigner: {name: ATSSAssigner, topk: 9, force_gt_matching: false}
  assigner: {name: TaskAlignedAssigner, topk: 13, alpha: 1.0, beta: 6.0}
  loss_class: {name: VarifocalLoss, use_sigmoid: false, iou_weighted: true, loss_weight: 1.0}
  loss_dfl: {name: DistributionFocalLoss, loss_weight: 0.5}
  loss_bbox: {name: GIoULoss, loss_weight: 2.5}
  nms: {name: MultiClassNMS, nms_top_k: 1000, keep_top_k: 100, score_threshold: 0.025, nms_threshold: 0.6}
"""

PICODET_LEGACY = """
num_classes: 1
architecture: PicoDet
PicoDet: {backbone: ESNet, neck: CSPPAN, head: PicoHead}
ESNet:
  scale: 0.75
  feature_maps: [4, 11, 14]
  act: hard_swish
  channel_ratio: [0.875, 0.5, 0.5, 0.5, 0.625, 0.5, 0.625, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
CSPPAN: {out_channels: 96, use_depthwise: true, num_csp_blocks: 1, num_features: 4}
PicoHead:
  conv_feat: {name: PicoFeat, feat_in: 96, feat_out: 96, num_convs: 2, num_fpn_stride: 4, norm_type: bn, share_cls_reg: true}
  fpn_stride: [8, 16, 32, 64]
  feat_in_chan: 96
  prior_prob: 0.01
  reg_max: 7
  cell_offset: 0.5
  loss_class: {name: VarifocalLoss, use_sigmoid: true, iou_weighted: true, loss_weight: 1.0}
  loss_dfl: {name: DistributionFocalLoss, loss_weight: 0.25}
  loss_bbox: {name: GIoULoss, loss_weight: 2.0}
  assigner: {name: SimOTAAssigner, candidate_topk: 10, iou_weight: 6}
  nms: {name: MultiClassNMS, nms_top_k: 1000, keep_top_k: 100, score_threshold: 0.025, nms_threshold: 0.6}
"""


def _build(text: str, folder: Path, *overrides: str):
    import_components()
    path = folder / "model.yml"
    path.write_text(text)
    config = load_config(str(path), list(overrides))
    return Builder(config).build(config["architecture"])


def test_tinypose(tmp_path: Path) -> None:
    model = _build(TINYPOSE, tmp_path)
    assert model.final_conv.weight.shape == [21, 40, 1, 1]
    ones = paddle.ones([1, 21, 4, 4])
    losses = model.loss({"heatmap": paddle.zeros_like(ones)}, {"target": ones, "target_weight": paddle.ones([1, 21])})
    assert float(losses["loss"]) == pytest.approx(1.0)  # loss_scale 1, not the default of .5


def test_num_joints_is_shared_from_the_top_level(tmp_path: Path) -> None:
    model = _build(TINYPOSE.replace("  num_joints: *num_joints\n", ""), tmp_path, "num_joints=5")
    assert model.num_joints == 5


def test_picodet(tmp_path: Path) -> None:
    model = _build(PICODET, tmp_path)
    assert model.head.nms.score_threshold == 0.025
    assert [s.channels for s in model.neck.out_shape] == [96] * 4
    assert model.head.num_classes == 1


def test_picodet_neck_fits_another_scale(tmp_path: Path) -> None:
    model = _build(PICODET, tmp_path, "LCNet.scale=0.35")
    assert model.neck.conv_t.convs[0].conv.weight.shape == [96, 48, 1, 1]


def test_picodet_legacy(tmp_path: Path) -> None:
    assert _build(PICODET_LEGACY, tmp_path).head.head_cls0.weight.shape == [33, 96, 1, 1]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("LCPAN.num_features=3", r"strides \[8, 16, 32\].*\[8, 16, 32, 64\]"),
        ("LCPAN.num_features=6", "num_features 6"),
        ("PicoHeadV2.fpn_stride=[8,16,32]", "num_fpn_stride is 4"),
        ("LCNet.scales=1", "no argument 'scales'.*scale"),
    ],
)
def test_contradictions_are_explained(override: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        _build(PICODET, tmp_path, override)

"""Keys and names that PaddleDetection's published YAML files contain: legal, or reported as missing, never as typos.

The files below are our own, in the same dialect.
"""

from __future__ import annotations

import pytest

from ppdet.core.config.builder import Builder
from ppdet.core.config.load import load_config
from ppdet.core.config.paddledet_names import PADDLEDETECTION_NAMES
from ppdet.engine.configs.check import check_config

pytest.importorskip("paddle")

HAND_DATA = """\
num_joints: &num_joints 21
trainsize: &trainsize [64, 64]
hmsize: &hmsize [16, 16]
flip_perm: &flip_perm []
metric: KeyPointTopDownCOCOWholeBadyHandEval
TrainDataset: !KeypointTopDownCocoWholeBodyHandDataset {num_joints: *num_joints, trainsize: *trainsize, pixel_std: 200}
architecture: TopDownHRNet
TopDownHRNet: {backbone: LiteHRNet, num_joints: *num_joints, flip_perm: *flip_perm, width: 40, flip: true}
LiteHRNet: {network_type: lite_18, freeze_at: -1, freeze_norm: false, return_idx: [0]}
TrainReader:
  sample_transforms:
  - TopDownRandomShiftBboxCenter: {shift_prob: 0.3, shift_factor: 0.16}
  - TopDownRandomFlip: {flip_prob: 0.5, flip_perm: *flip_perm}
  - TopDownGetRandomScaleRotation: {rot_prob: 0.6, rot_factor: 90, scale_factor: 0.3}
  - TopDownAffine: {trainsize: *trainsize, use_udp: true}
  - ToHeatmapsTopDown_DARK: {hmsize: *hmsize, sigma: 2}
  batch_size: 2
  use_shared_memory: true
EvalReader:
  sample_transforms: [{TopDownAffine: {trainsize: *trainsize, use_udp: true}}]
  batch_size: 1
  drop_empty: false
  bufsize: 32
  memsize: 3G
  use_process: true
"""

DETECTOR = """\
metric: VOC
map_type: 11point
num_classes: 1
export_post_process: false
keep_best_weight: true
pruning_steps: 300
slim: Distill
slim_method: FGD
architecture: PicoDet
PicoDet: {backbone: LCNet, neck: CSPPAN, head: PicoHead}
LCNet: {scale: 0.35, act: relu6}
CSPPAN: {out_channels: 96, use_depthwise: true, num_features: 4, act: relu6}
PicoHead:
  conv_feat: {name: PicoFeat, feat_in: 96, feat_out: 96, num_convs: 2, num_fpn_stride: 4, share_cls_reg: true, act: relu6}
  fpn_stride: [8, 16, 32, 64]
  feat_in_chan: 96
  reg_max: 7
  loss_qfl: {name: QualityFocalLoss, beta: 2.0}
TrainDataset: {name: VOCDataSet, label_list: label_list.txt}
LearningRate:
  schedulers:
  - name: CosineDecay
    max_epochs: 5
  - name: LinearWarmup
    steps: 3
TrainReader:
  sample_transforms: [{Decode: {}}, {Mosaic: {prob: 0.6}}]
  batch_transforms: [{PadGT: {}}]
  mosaic_epoch: 3
  collate_batch: false
"""


@pytest.fixture(scope="module")
def filled_registry():
    from ppdet.engine.components import import_components

    return import_components()


@pytest.fixture
def load(tmp_path):
    def write(text, *options):
        path = tmp_path / "x.yml"
        path.write_text(text)
        return load_config(path, options)

    return write


def findings(config, registry, **further):
    return [(p.severity, p.message.split(" ", 1)[0]) for p in check_config(config, registry, **further)]


def test_hand_recipe_and_reader_keys_are_legal_and_build(load, filled_registry):
    config = load(HAND_DATA)
    assert findings(config, filled_registry) == []
    from ppdet.engine.assembly import Assembly

    builder = Assembly(config).builder
    turn = builder.build("TrainReader").sample_transforms[2]
    assert (turn.rot_factor, turn.scale_factor, turn.rot_prob) == (90, 0.3, 0.6)
    assert builder.build("EvalReader").batch_size == 1


def test_detector_names_only_what_is_not_here(load, filled_registry):
    found = findings(load(DETECTOR), filled_registry)
    assert sorted(found) == sorted(("missing", name) for name in ("VOC", "QualityFocalLoss", "VOCDataSet"))


def test_activation_of_the_detector_is_used(load, filled_registry):
    import paddle

    builder = Builder(load(DETECTOR))
    network = builder.build("PicoDet")
    network.eval()
    with paddle.no_grad():
        maps = network.backbone(paddle.full([1, 3, 64, 64], 50.0))
    assert all(float(m.min()) >= 0 and float(m.max()) <= 6 for m in maps)


EARLY = """
    PAN ESPAN CustomPAN YOLOPHead YOLOPLoss YOLOPBox Gt2YoloTargetPlain Gt2PPMOTTarget Gt2TTMOTTarget PETRCocoDataset
    NormalizeImages ResizeImages SMPL3DHRHeatmapNet SMPLPostProcess ZeroshotCOCO ByteTracker
"""


def test_early_names_are_known():
    assert set(EARLY.split()) <= PADDLEDETECTION_NAMES


def test_a_section_nobody_knows_is_missing_where_it_is_named(load, filled_registry):
    text = "architecture: Novelty\nNovelty: {neck: NovelNeck, head: LCNet}\nNovelNeck: {out_channels: 3}\nLCNet: {scal: 1}\n"
    found = [(p.severity, p.mark.line, p.message) for p in check_config(load(text), filled_registry)]
    assert [each[:2] for each in found] == [("missing", 1), ("missing", 2), ("error", 4)]
    assert found[1][2] == "NovelNeck is not a component of this toolkit"


def test_a_section_misspelt_in_both_places_is_a_typo(load, filled_registry):
    text = "architecture: TopDownHRNet\nTopDownHRNet: {backbone: LiteHRNett}\nLiteHRNett: {network_type: lite_18}\n"
    found = [(p.severity, p.mark.line, p.message) for p in check_config(load(text), filled_registry)]
    assert found == [("error", 2, "there is no component 'LiteHRNett'; did you mean 'LiteHRNet'?")]


@pytest.mark.parametrize(
    "text",
    [
        "metric: COCO\nTrainDataset: !COCODataSet {}\n",
        "epoch: 3\nLearningRate: {base_lr: 0.1}\n",
        "slim: QAT\nQAT: {print_model: false}\nTrainReader: {batch_size: 2}\n",
        "use_gpu: true\nuse_xpu: false\nexport: {post_process: true, fuse_conv_bn: false}\n",
    ],
)
def test_a_part_of_a_config_needs_no_architecture(load, tmp_path, capsys, filled_registry, text):
    from ppdet.engine.configs.report import report_configs

    config = load(text)
    assert ("error", "the") in findings(config, filled_registry)  # a command cannot run it
    assert ("error", "the") not in findings(config, filled_registry, part=True)
    report_configs([str(config.path)])
    assert "warning: a part of a config" in capsys.readouterr().out


def test_a_whole_config_needs_one(load, capsys):
    from ppdet.engine.configs.report import report_configs

    assert report_configs([str(load("TrainDataset: !COCODataSet {}\nTrainReader: {batch_size: 2}\n").path)]) == 1
    assert "error: the config names no architecture" in capsys.readouterr().out

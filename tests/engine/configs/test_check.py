"""`check_config`: everything that is wrong, at once, with its place and the nearest right name. Uses no Paddle."""

from __future__ import annotations

import pytest

from ppdet.core.config.load import load_config
from ppdet.core.config.registry import Registry
from ppdet.core.errors import ConfigError
from ppdet.engine.configs.check import check_config, require_sound

registry = Registry()


@registry.add
class TopDownHRNet:
    __inject__ = ["backbone", "loss"]

    def __init__(self, backbone, loss="KeyPointMSELoss", post_process=None, num_joints=17, head=None):
        pass


@registry.add
class HRNet:
    def __init__(self, width=18, return_idx=()):
        pass


@registry.add
class KeyPointMSELoss:
    def __init__(self, loss_scale=0.5):
        pass


@registry.add
class KeypointTopDownCocoDataset:
    def __init__(self, dataset_dir="", trainsize=None):
        pass


@registry.add
class TopDownAffine:
    def __init__(self, trainsize=None, use_udp=None):
        pass


@registry.add
class Permute:
    pass


@registry.add
class RandomSelect:
    def __init__(self, transforms1, transforms2):
        pass


@registry.add
class TrainReader:
    def __init__(self, sample_transforms=(), batch_transforms=(), batch_size=1, **further):
        pass


@registry.add
class LinearWarmup:
    def __init__(self, steps=500):
        pass


@registry.add
class LearningRate:
    def __init__(self, base_lr=0.01, schedulers=None):
        pass


@pytest.fixture
def problems(tmp_path):
    def check(text: str, *options: str):
        path = tmp_path / "x.yml"
        path.write_text(text)
        return [
            (p.severity, p.mark.line if p.mark else None, p.message) for p in check_config(load_config(path, options), registry)
        ]

    return check


GOOD = """\
architecture: TopDownHRNet
num_joints: &num_joints 17
trainsize: &trainsize [192, 256]
my_own_constant: &mine 3
TopDownHRNet: {backbone: HRNet, post_process: HRNetPostProcess, num_joints: *num_joints}
HRNet: {width: *mine}
LearningRate: {schedulers: [!LinearWarmup {steps: 3}]}
TrainDataset: !KeypointTopDownCocoDataset {trainsize: *trainsize}
EvalDataset: {name: KeypointTopDownCocoDataset}
TrainReader:
  sample_transforms:
  - TopDownAffine: {trainsize: *trainsize}
  - RandomSelect: {transforms1: [Permute: {}], transforms2: [Permute: {}, TopDownAffine: {}]}
  batch_transforms:
  - Permute: {}
  - Permute
  - !Permute
"""


def test_a_sound_config_has_no_problems(problems):
    assert problems(GOOD) == []


def test_all_problems_at_once_in_order_of_lines(problems):
    found = problems(
        "architecture: TopDownHRNet\n"
        "epocs: 3\n"
        "odd_key: 1\n"
        "TopDownHRNet:\n"
        "  backbone: HRNett\n"
        "  los: KeyPointMSELoss\n"
        "  head: {name: VitPosePostProcess}\n"
        "KeyPointMSELoss: {lossscale: 1}\n"
        "TrainDataset: !KeypointTopDownCocoDatset {}\n"
        "EvalDataset: {dataset_dir: x}\n"
        "TrainReader:\n"
        "  sample_transforms:\n"
        "  - TopDownAffine:\n"
        "    trainsize: 1\n"
        "  - RandomSelect: {transforms1: [Permut: {}, TopDownAffine: {useudp: 1}], transforms2: []}\n"
        "  batch_transforms: {Permute: {}}\n"
        "LearningRate:\n"
        "  schedulers:\n"
        "  - !LinearWarmup {step: 3}\n"
        "  - !ExpWarmup {power: 2}\n"
    )
    expected = [
        ("error", 2, "did you mean 'epoch'"),
        ("warning", 3, "nothing reads the top-level key 'odd_key'"),
        ("error", 5, "there is no component 'HRNett'; did you mean 'HRNet'"),
        ("error", 6, "TopDownHRNet has no argument 'los'; did you mean 'loss'"),
        ("missing", 7, "VitPosePostProcess is a component of PaddleDetection"),
        ("error", 8, "KeyPointMSELoss has no argument 'lossscale'; did you mean 'loss_scale'"),
        ("error", 9, "did you mean 'KeypointTopDownCocoDataset'"),
        ("error", 10, "EvalDataset names a dataset"),
        ("error", 13, "has 2 keys where one operation is expected; indent trainsize below TopDownAffine"),
        ("error", 15, "TopDownAffine has no argument 'useudp'; did you mean 'use_udp'"),
        ("error", 15, "there is no component 'Permut'; did you mean 'Permute'"),
        ("error", 16, "TrainReader.batch_transforms is a list of operations"),
        ("error", 19, "LinearWarmup has no argument 'step'; did you mean 'steps'"),
        ("missing", 20, "ExpWarmup is a component of PaddleDetection"),
    ]
    assert [(kind, line) for kind, line, _ in found] == [(kind, line) for kind, line, _ in expected]
    for (_, _, message), (_, _, words) in zip(found, expected):
        assert words in message


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("epoch: 3", "error", "names no architecture"),
        ("architecture: TopDownHRnet", "error", "did you mean 'TopDownHRNet'"),
        ("architecture: PETR", "missing", "PETR is a component of PaddleDetection"),
        ("architecture: !HRNet {widht: 3}", "error", "did you mean 'width'"),
        ("HRNet: 3", "error", "the section HRNet is a mapping"),
        ("TrainReader: [1]", "error", "TrainReader is a mapping"),
        ("TrainReader: {sample_transforms: [3]}", "error", "sample_transforms[0] is one operation"),
        ("TrainReader: {sample_transforms: [TopDownAffine: 3]}", "error", "the arguments of TopDownAffine are a mapping"),
        ("TrainDataset: [1]", "error", "TrainDataset names a dataset"),
        ("TrainDataset: {name: 3}", "error", "'name' is the name of a class"),
        ("metric: KeyPointTopDownCOCOEvl", "error", "did you mean 'KeyPointTopDownCOCOEval'"),
        ("metric: Pose3DEval", "missing", "Pose3DEval is a component"),
        ("skeleton: coco71", "error", "coco17"),
        ("x: [{y: !HRNt {}}]", "error", "there is no component 'HRNt'"),
        ("codec: {sigma: 2}", "error", "the codec section needs a name"),
        ("zeta: 3", "warning", "nothing reads"),
    ],
)
def test_single_mistakes(problems, text, kind, words):
    base = "" if text.startswith(("arch", "epoch")) else "architecture: HRNet\n"
    found = [(severity, message) for severity, _, message in problems(base + text) if words in message]
    assert found and found[0][0] == kind


def test_options_are_checked_like_files(problems):
    found = problems(GOOD, "HRNet.widht=3", "TrainReader.sample_transforms.TopDownAffine.udp=1", "num_joints=21")
    assert [(kind, line) for kind, line, _ in found] == [("error", 0), ("error", 0)]


def test_missing_components_report_their_parts_too(problems):
    found = problems("architecture: YOLOv3\nYOLOv3: {backbone: ResNet, neck: HRNet}\nHRNet: {widht: 1}\nResNet: {x: 1}\n")
    assert [(kind, line) for kind, line, _ in found] == [("missing", 1), ("missing", 2), ("error", 3)]


def test_strings_that_are_not_injected_are_not_followed(problems):
    assert problems("architecture: TopDownHRNet\nTopDownHRNet: {backbone: HRNet, post_process: NoSuchThing}\n") == []


def test_require_sound_stops_at_errors_only(tmp_path, capsys):
    path = tmp_path / "x.yml"
    path.write_text("architecture: HRNet\nTrainDataset: !COCODataSet {}\nzeta: 3\n")
    require_sound(load_config(path), registry)
    assert "COCODataSet" in capsys.readouterr().err
    path.write_text("architecture: HRNet\nHRNet: {a: 1, b: 2}\n")
    with pytest.raises(ConfigError, match="2 problems"):
        require_sound(load_config(path), registry)

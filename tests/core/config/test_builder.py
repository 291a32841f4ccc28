"""Building: injection, sharing, one anchor one object, and errors that say where."""

from __future__ import annotations

import pytest

from ppdet.core.config.builder import Builder
from ppdet.core.config.registry import Registry
from ppdet.core.config.yaml_loader import parse_yaml
from ppdet.core.errors import ConfigError, DataError

registry = Registry()


@registry.add
class Body:
    def __init__(self, width=18, act="relu"):
        self.width, self.act = width, act
        self.out_shape = [width]


@registry.add
class Neck:
    def __init__(self, input_shape, out=8):
        self.input_shape, self.out = input_shape, out


@registry.add
class Loss:
    def __init__(self, scale=0.5):
        self.scale = scale


@registry.add
class Net:
    __shared__ = ["codec", "num_joints"]
    __inject__ = ["backbone", "neck", "losses"]

    def __init__(self, backbone, neck=None, losses="Loss", codec=None, num_joints=17, extra=None):
        self.backbone, self.neck, self.losses = backbone, neck, losses
        self.codec, self.num_joints, self.extra = codec, num_joints, extra


@registry.add
class NetByParts(Net):
    @classmethod
    def build_parts(cls, build, args):
        backbone = build(args["backbone"])
        neck = build(args["neck"], input_shape=backbone.out_shape) if args.get("neck") else None
        return {**args, "backbone": backbone, "neck": neck}


@registry.add
class Data:
    def __init__(self, folder, num_joints=17):
        if folder == "bad":
            raise DataError("no such folder")
        self.folder, self.num_joints = folder, num_joints


@registry.add
class Open:
    def __init__(self, **kwargs):
        self.kwargs = kwargs


@registry.add
class Select:
    @classmethod
    def build_parts(cls, build, args):
        return {name: build(value) for name, value in args.items()}

    def __init__(self, one, two):
        self.one, self.two = one, two


@registry.add
class Bare:
    pass


def builder(text, **shared):
    return Builder(parse_yaml(text, "f.yml"), shared, registry)


def test_a_name_takes_its_section_and_injects():
    net = builder("Net: {backbone: Body}\nBody: {width: 40}\nLoss: {scale: 1.0}").build("Net")
    assert net.backbone.width == 40 and net.backbone.act == "relu"
    assert net.losses.scale == 1.0  # the default of an injected argument is a name too


def test_named_mapping_over_section_without_changing_it():
    make = builder("Net: {backbone: {name: Body, act: gelu}, losses: null}\nBody: {width: 40}")
    net = make.build("Net")
    assert (net.backbone.width, net.backbone.act, net.losses) == (40, "gelu", None)
    assert make.build("Body").act == "relu"


def test_lists_of_components_are_injected_one_by_one():
    net = builder("Net: {backbone: Body, losses: [Loss, !Loss {scale: 2}, {name: Loss, scale: 3}]}").build("Net")
    assert [loss.scale for loss in net.losses] == [0.5, 2, 3]


def test_shared_values_explicit_then_given_then_top_level_then_default():
    assert builder("Net: {backbone: Body}").build("Net").num_joints == 17
    assert builder("Net: {backbone: Body}\nnum_joints: 21").build("Net").num_joints == 21
    assert builder("Net: {backbone: Body}\nnum_joints: 21", num_joints=14).build("Net").num_joints == 14
    assert builder("Net: {backbone: Body, num_joints: 3}\nnum_joints: 21", num_joints=14).build("Net").num_joints == 3
    codec = object()
    assert builder("Net: {backbone: Body}", codec=codec).build("Net").codec is codec


def test_build_parts_builds_one_part_from_another():
    net = builder("NetByParts: {backbone: Body, neck: {name: Neck, out: 4}}\nBody: {width: 40}").build("NetByParts")
    assert net.neck.input_shape == [40] and net.neck.out == 4 and net.losses.scale == 0.5


def test_a_spec_is_built_once_and_its_aliases_are_one_object():
    make = builder("A: &a !Data {folder: x}\nB: *a\nC: !Data {folder: x}\nOpen: {a: *a, l: [*a, {k: *a}]}")
    first = make.build("A")
    assert make.build("B") is first is make.build(make.config["A"])
    assert make.build("C") is not first
    inside = make.build("Open").kwargs
    assert inside["a"] is first is inside["l"][0] is inside["l"][1]["k"]
    assert make.build("A", num_joints=3) is not first


def test_top_level_keys_that_name_a_component():
    make = builder("TrainDataset: {name: Data, folder: x}\nEvalDataset: !Data {folder: y}\nTestDataset: !Data [z, 3]")
    assert make.build("TrainDataset").folder == "x" and make.build("EvalDataset").folder == "y"
    assert (make.build("TestDataset").folder, make.build("TestDataset").num_joints) == ("z", 3)


def test_operation_lists_in_all_spellings():
    items = builder("l: [{Body: {width: 1}}, {Body: }, Body, !Body {width: 3}, {name: Body, width: 4}]")
    assert [op.width for op in items.build_list(items.config["l"])] == [1, 18, 18, 3, 4]
    nested = builder("l: [{Select: {one: [{Body: {}}], two: [{Body: {}}, {Loss: {}}]}}]")
    select = nested.build(nested.config["l"])[0]
    assert len(select.one) == 1 and isinstance(select.two[1], Loss)


def test_objects_own_their_arguments():
    make = builder("size: &s [1, 2]\nA: !Open {size: *s}\nB: !Open {size: *s}")
    make.build("A").kwargs["size"].append(3)
    assert make.build("B").kwargs["size"] == [1, 2] and make.config["size"] == [1, 2]
    assert type(make.build("B").kwargs["size"]) is list


def test_what_is_built_already_passes_through():
    body = Body()
    make = builder("Net: {losses: null}")
    assert make.build(body) is body and make.build(None) is None
    assert make.build("Net", backbone=body).backbone is body


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("Net: {backbone: Bdy}", "Net", "there is no component 'Bdy'; did you mean 'Body'"),
        ("x: 1", "HigherHRNet", "HigherHRNet is a component of PaddleDetection that this toolkit does not have"),
        ("Net:\n  backbone: Body\n  lossess: Loss", "Net", "f.yml:3: Net has no argument 'lossess'; did you mean 'losses'"),
        ("D: !Data {}", "D", "f.yml:1: Data needs folder"),
        ("D: !Data {folder: bad}", "D", r"no such folder\n  while building Data \(f.yml:1\)"),
        ("D: !Data [a, b, c]", "D", "takes 2 arguments, 3 are given"),
        ("Bare: {x: 1}", "Bare", "has no argument 'x'; it takes none"),
        ("Net: {backbone: {width: 3}, neck: {name: 3}}", "Net", "a component is a class name or a mapping with 'name'"),
        ("Body: [1]", "Body", "the section Body is a mapping"),
    ],
)
def test_errors(text, value, words):
    with pytest.raises((ConfigError, DataError), match=words):
        builder(text).build(value)


def test_all_unknown_arguments_of_a_section_at_once():
    with pytest.raises(ConfigError) as caught:
        builder("Body:\n  widht: 1\n  atc: 2\n").build("Body", input_shape=1)
    assert [str(problem.mark) for problem in caught.value.problems] == ["f.yml:2", "f.yml:3", "f.yml:1"]


@pytest.mark.parametrize("item", ["{Body: {}, width: 1}", "{Body: 3}", "{}"])
def test_malformed_operations(item):
    make = builder(f"l: [{item}]")
    with pytest.raises(ConfigError, match="f.yml:1"):
        make.build_list(make.config["l"])

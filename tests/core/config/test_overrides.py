"""``-o``: where paths lead, what they leave alone, and what they say when they lead nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.core.config.load import load_config
from ppdet.core.config.overrides import apply_overrides
from ppdet.core.config.yaml_loader import parse_yaml
from ppdet.core.errors import ConfigError

TEXT = """
epoch: 420
num_joints: &num_joints 17
width: &width 96
trainsize: &trainsize [*width, 128]
Net:
  backbone: Body
  num_joints: *num_joints
  post: {name: Post, k: 1}
Body: {width: 40}
LearningRate:
  base_lr: 0.008
  schedulers:
  - !PiecewiseDecay {milestones: [380, 410], gamma: 0.1}
  - !LinearWarmup
    steps: 500
TrainDataset: &data
  !Data
    dataset_dir: dataset
    num_joints: *num_joints
    trainsize: *trainsize
EvalDataset: *data
TestDataset: {name: Data, dataset_dir: other, trainsize: *trainsize}
TrainReader:
  sample_transforms:
  - Flip: {trainsize: *trainsize}
  - TopDownAffine: {trainsize: *trainsize, use_udp: true}
  - Noise: {}
  - Noise: {}
  - Permute:
  - name: Blur
    k: 1
  batch_size: 512
classes: {0: person, 1: dog}
"""


def root():
    return parse_yaml(TEXT, "f.yml")


def over(*options):
    return apply_overrides(root(), options)


def test_values_are_yaml():
    config = over("epoch=3", "LearningRate.base_lr=1e-3", "Body={width: 18}", "TrainReader.batch_size=", "Net.note=a=b=c")
    assert config["epoch"] == 3 and config["LearningRate"]["base_lr"] == 0.001 and config["Body"] == {"width": 18}
    assert config["TrainReader"]["batch_size"] is None
    assert config["Net"]["note"] == "a=b=c"


def test_options_that_share_a_prefix_do_not_wipe_each_other():
    config = over("Net.post.k=2", "Net.post.j=3", "Net.post.k=4", "New.a.b.c=1", "New.a.b.d=2")
    assert config["Net"]["post"] == {"name": "Post", "k": 4, "j": 3}
    assert config["New"] == {"a": {"b": {"c": 1, "d": 2}}}


def test_into_tagged_datasets_named_sections_and_list_items():
    config = over(
        "TestDataset.dataset_dir=d2",
        "LearningRate.schedulers.0.milestones=[1,2]",
        "LearningRate.schedulers[1].steps=7",
        "LearningRate.schedulers.PiecewiseDecay.gamma=0.5",
        "TrainReader.sample_transforms.TopDownAffine.use_udp=false",
        "TrainReader.sample_transforms.Permute.x=1",
        "TrainReader.sample_transforms.Blur.k=3",
        "TrainReader.sample_transforms.-4={Salt: {p: 1}}",
    )
    decay, warmup = config["LearningRate"]["schedulers"]
    assert decay.tag == "PiecewiseDecay" and dict(decay) == {"milestones": [1, 2], "gamma": 0.5}
    assert warmup.tag == "LinearWarmup" and warmup["steps"] == 7
    transforms = config["TrainReader"]["sample_transforms"]
    assert transforms[1] == {"TopDownAffine": {"trainsize": [96, 128], "use_udp": False}}
    assert transforms[4] == {"Permute": {"x": 1}} and transforms[5] == {"name": "Blur", "k": 3}
    assert transforms[2] == {"Noise": {}, "Salt": {"p": 1}}  # a mapping over a mapping merges, as everywhere
    assert config["TestDataset"] == {"name": "Data", "dataset_dir": "d2", "trainsize": [96, 128]}


def test_numeric_keys_of_mappings():
    assert over("classes.0=cat")["classes"] == {0: "cat", 1: "dog"}


def test_the_home_of_an_anchor_changes_every_alias():
    config = over("num_joints=21", "trainsize=[48,64]")
    assert config["Net"]["num_joints"] == 21 and config["TrainDataset"]["num_joints"] == 21
    places = [config["TrainDataset"], config["TestDataset"], config["TrainReader"]["sample_transforms"][0]["Flip"]]
    assert all(place["trainsize"] is config["trainsize"] for place in places) and config["trainsize"] == [48, 64]
    assert config["TrainDataset"] is config["EvalDataset"]


def test_an_anchor_inside_an_anchor_follows_too():
    config = over("width=48")
    assert config["trainsize"] == [48, 128]
    assert config["TestDataset"]["trainsize"] is config["trainsize"]
    assert config["TrainReader"]["sample_transforms"][1]["TopDownAffine"]["trainsize"] is config["trainsize"]


def test_inside_the_home_of_an_anchor_changes_every_alias_and_later_options_still_do():
    config = over("TrainDataset.dataset_dir=new", "TrainDataset.num_joints=3")
    assert config["EvalDataset"] is config["TrainDataset"]
    assert config["EvalDataset"]["dataset_dir"] == "new" and config["EvalDataset"]["num_joints"] == 3


def test_through_an_alias_changes_that_place_only():
    config = over("EvalDataset.dataset_dir=val", "EvalDataset.trainsize.0=1")
    assert config["TrainDataset"]["dataset_dir"] == "dataset"
    assert config["EvalDataset"]["dataset_dir"] == "val" and config["EvalDataset"].tag == "Data"
    assert config["EvalDataset"]["trainsize"] == [1, 128]
    assert config["trainsize"] == config["TrainDataset"]["trainsize"] == config["TestDataset"]["trainsize"] == [96, 128]


def test_the_loaded_config_itself_is_never_changed():
    before = root()
    untouched = repr(before)
    after = apply_overrides(before, ["num_joints=21", "EvalDataset.a=1", "TrainReader.sample_transforms.0.Flip.b=1"])
    assert repr(before) == untouched and after != before


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("epoch", "key=value"),
        ("a..b=1", "empty component"),
        ("=1", "empty component"),
        ("_BASE_=other.yml", "bases are read before options"),
        ("epoch=[1,", "is not YAML"),
        ("Net.backbone.width=1", "Net.backbone is 'Body', .*use Body.width="),
        ("epoch.x=1", "epoch is 420, which has nothing inside"),
        ("LearningRate.schedulers.2.steps=1", "has 2 items; there is no item 2"),
        ("LearningRate.schedulers.LinearWarmpu.steps=1", "did you mean 'LinearWarmup'"),
        ("TrainReader.sample_transforms.Noise.p=1", "2 times; say which: .*sample_transforms.2 or .*sample_transforms.3"),
        ("trainsize.first=1", "its items have no names"),
    ],
)
def test_options_that_lead_nowhere(option, words):
    with pytest.raises(ConfigError, match=words) as caught:
        over(option)
    assert f"-o {option}" in str(caught.value)


def test_all_bad_options_are_reported_together():
    with pytest.raises(ConfigError) as caught:
        over("epoch", "trainsize.9=1", "epoch=3")
    assert len(caught.value.problems) == 2


def test_new_top_level_keys_that_look_like_known_ones(tmp_path):
    path = tmp_path / "x.yml"
    path.write_text(TEXT)
    with pytest.raises(ConfigError) as caught:
        load_config(path, ["epcoh=1", "use_gpu=false", "TrainReadr.batch_size=1", "weights=http://x/y?a=b"])
    assert [problem.message.split("did you mean ")[1] for problem in caught.value.problems] == ["'epoch'?", "'TrainReader'?"]
    config = load_config(path, ["use_gpu=false", "weights=http://x/y?a=b", "zzz=1"])
    assert config["weights"] == "http://x/y?a=b" and config["use_gpu"] is False and config["zzz"] == 1


def test_a_section_that_an_option_names_is_no_slip(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text("Model: {loss: PlainLoss}\nPlainLoss: {scale: 1}\n")
    config = load_config(path, ["Model.loss=PlaneLoss", "PlaneLoss.topk=8"])
    assert config["PlaneLoss"] == {"topk": 8}
    with pytest.raises(ConfigError, match="no key 'PlaneLoss'; did you mean 'PlainLoss'"):
        load_config(path, ["PlaneLoss.topk=8"])


def test_marks_of_overridden_values_name_the_option():
    config = over("Net.pots.k=1")
    assert str(config["Net"].mark_of("pots")) == "-o Net.pots.k=1"
    assert str(config["Net"]["pots"].mark_of("k")) == "-o Net.pots.k=1"


def paths_of(node, path=()):
    for key, item in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield (*path, key)
        yield from paths_of(item, (*path, key))


def value_at(node, path):
    for key in path:
        node = node[key]
    return node


ALL_PATHS = sorted(set(paths_of(root())), key=str)


@settings(deadline=None)  # shared machines stall
@given(st.lists(st.tuples(st.sampled_from(ALL_PATHS), st.integers(0, 9)), max_size=4))
def test_fuzz_a_scalar_set_anywhere_is_read_back_there(options):
    """The last option of a list always holds; a path that an earlier option made a leaf of is refused, never ignored."""
    texts = [f"{'.'.join(map(str, path))}={value}" for path, value in options]
    try:
        config = apply_overrides(root(), texts)
    except ConfigError as error:
        assert "nothing inside" in str(error)
        return
    if options:
        path, value = options[-1]
        assert value_at(config, path) == value


@settings(deadline=None)  # shared machines stall
@given(st.sampled_from([path for path in ALL_PATHS if path[0] not in ("num_joints", "width", "trainsize", "TrainDataset")]))
def test_fuzz_only_the_path_changes_unless_it_starts_at_an_anchors_home(path):
    before = root()
    after = apply_overrides(before, [f"{'.'.join(map(str, path))}=77"])
    for other in ALL_PATHS:
        inside = other[: len(path)] == path
        above = path[: len(other)] == other
        if not inside and not above:
            assert value_at(after, other) is value_at(before, other)

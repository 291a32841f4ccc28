"""`load_config`: bases, merging, purity."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.core.config.load import load_config
from ppdet.core.config.merge import merge
from ppdet.core.config.nodes import ConfigDict, Spec
from ppdet.core.errors import ConfigError


@pytest.fixture
def write(tmp_path):
    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_file


def test_bases_in_order_then_own_keys(write):
    write("base/one.yml", "a: 1\nb: 1\nc: 1\ns: {x: 1, y: 1}\nlist: [1, 2]\n")
    write("base/two.yml", "_BASE_: one.yml\nb: 2\nc: 2\ns: {y: 2}\n")
    write("base/three.yml", "c: 3\ns: {z: 3}\n")
    config = load_config(write("leaf.yml", "_BASE_: [base/two.yml, base/three.yml]\nd: 4\nlist: [9]\ns: {x: 4}\n"))
    assert config == {"a": 1, "b": 2, "c": 3, "d": 4, "s": {"x": 4, "y": 2, "z": 3}, "list": [9]}
    assert config.name == "leaf"
    assert [Path(file).name for file in config.files] == ["one.yml", "two.yml", "three.yml", "leaf.yml"]
    assert Path(config["s"].mark_of("y").file).name == "two.yml"


def test_absolute_and_home_bases(write, tmp_path, monkeypatch):
    base = write("elsewhere/base.yml", "a: 1\n")
    assert load_config(write("x/absolute.yml", f"_BASE_: ['{base}']\n")) == {"a": 1}
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_config(write("x/home.yml", "_BASE_: ['~/elsewhere/base.yml']\n")) == {"a": 1}


def test_missing_bases_are_all_named(write):
    with pytest.raises(ConfigError) as caught:
        load_config(write("leaf.yml", "a: 1\n_BASE_: [no.yml, nix.yml]\n"))
    assert len(caught.value.problems) == 2
    assert "no.yml" in str(caught.value) and "nix.yml" in str(caught.value) and "leaf.yml:2" in str(caught.value)


def test_a_circle_of_bases_is_refused(write):
    write("a.yml", "_BASE_: [b.yml]\n")
    write("b.yml", "_BASE_: [a.yml]\n")
    with pytest.raises(ConfigError, match="circle.*a.yml.*b.yml.*a.yml"):
        load_config(write("leaf.yml", "_BASE_: [a.yml]\n"))


def test_one_base_by_two_ways_is_no_circle(write):
    write("root.yml", "a: 1\n")
    write("l.yml", "_BASE_: root.yml\nb: 1\n")
    write("r.yml", "_BASE_: root.yml\nc: 1\n")
    assert load_config(write("leaf.yml", "_BASE_: [l.yml, r.yml]\n")) == {"a": 1, "b": 1, "c": 1}


@pytest.mark.parametrize("bases", ["3", "[[a.yml]]", "{a: 1}"])
def test_bases_of_another_form_are_refused(write, bases):
    with pytest.raises(ConfigError, match="_BASE_ is a list"):
        load_config(write("leaf.yml", f"_BASE_: {bases}\n"))


@pytest.mark.parametrize("text", ["[1, 2]\n", "just text\n", "!Net {a: 1}\n"])
def test_a_config_is_a_mapping(write, text):
    with pytest.raises(ConfigError, match="a config is a mapping"):
        load_config(write("x.yml", text))


def test_an_empty_file_is_an_empty_config(write):
    assert load_config(write("x.yml", "")) == {}


def test_components_of_different_classes_do_not_merge():
    base = ConfigDict({"d": Spec({"a": 1}, tag="A")})
    for over in (ConfigDict({"b": 2}), Spec({"b": 2}, tag="A"), ConfigDict({"name": "B", "b": 2})):
        assert merge(base, ConfigDict({"d": over}))["d"] is over
    named = ConfigDict({"d": ConfigDict({"name": "A", "a": 1})})
    assert merge(named, ConfigDict({"d": ConfigDict({"name": "B", "b": 2})}))["d"] == {"name": "B", "b": 2}
    assert merge(named, ConfigDict({"d": ConfigDict({"name": "A", "b": 2})}))["d"] == {"name": "A", "a": 1, "b": 2}
    assert merge(named, ConfigDict({"d": ConfigDict({"b": 2})}))["d"] == {"name": "A", "a": 1, "b": 2}


def test_top_level_key_called_name_does_not_replace_the_base(write):
    write("base.yml", "a: 1\nname: old\n")
    assert load_config(write("leaf.yml", "_BASE_: base.yml\nname: new\n")) == {"a": 1, "name": "new"}


def test_two_configs_know_nothing_of_each_other(write):
    path = write("x.yml", "size: &size [1, 2]\nNet: {size: *size, d: {k: 1}}\n")
    first = load_config(path)
    first["Net"]["d"]["k"] = 99
    first["size"].append(3)
    second = load_config(path, ["Net.d.j=5"])
    assert second == {"size": [1, 2], "Net": {"size": [1, 2], "d": {"k": 1, "j": 5}}}
    assert "j" not in first["Net"]["d"]


def test_loading_reads_and_writes_nothing_else(write, tmp_path):
    path = write("x.yml", "TrainDataset: !AnyDataset {dataset_dir: not/there}\n")
    before = sorted(os.listdir(tmp_path))
    assert load_config(path)["TrainDataset"].tag == "AnyDataset"
    assert sorted(os.listdir(tmp_path)) == before


def test_a_replaced_anchor_of_a_base_is_warned_about(write):
    write("base.yml", "size: &size [1, 2]\nnum: &num 3\nNet: {size: *size, num: *num}\n")
    config = load_config(write("leaf.yml", "_BASE_: base.yml\nsize: [3, 4]\nnum: 5\nNet: {num: 5}\n"))
    assert config["Net"] == {"size": [1, 2], "num": 5}
    assert [(w.mark.line, w.severity) for w in config.warnings] == [(2, "warning")]
    assert "Net.size" in config.warnings[0].message


keys = st.sampled_from(["a", "b", "c", "d"])
trees = st.recursive(
    st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(keys, inner, max_size=3).map(ConfigDict),
    max_leaves=8,
)
mappings = st.dictionaries(keys, trees, max_size=4).map(ConfigDict)


def expected_merge(base, over):
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {k: expected_merge(base[k], over[k]) if k in base and k in over else over.get(k, base.get(k)) for k in {*base, *over}}


@settings(deadline=None)  # shared machines stall
@given(mappings, mappings, mappings)
def test_merge_against_a_plain_model(one, two, three):
    before = repr((one, two))
    merged = merge(one, two)
    assert merged == expected_merge(one, two)
    assert repr((one, two)) == before
    assert merge(merged, three) == expected_merge(expected_merge(one, two), three)
    assert merge(one, one) == one and merge(one, ConfigDict()) == one and merge(ConfigDict(), one) == one

"""Reading YAML: values, marks, anchors, tags, and what is refused."""

from __future__ import annotations

import codecs
import copy

import pytest

from ppdet.core.config.nodes import places_of, plain
from ppdet.core.config.yaml_loader import ConfigDict, ConfigList, Mark, Spec, load_plain_yaml, load_yaml, parse_yaml
from ppdet.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("5E-4", 0.0005),
        ("-1e3", -1000.0),
        ("1.e-3", 0.001),
        (".5e1", 5.0),
        ("0.", 0.0),
        ("35.", 35.0),
        ("0.00004", 0.00004),
        ("17", 17),
        ("True", True),
        ("off", False),
        ("None", None),
        ("NULL", None),
        ("~", None),
        ("'None'", "None"),
        ("'1e-3'", "1e-3"),
        ("e-3", "e-3"),
        ("1e", "1e"),
        ("Nonesuch", "Nonesuch"),
        ("relu", "relu"),
        ("!!str 5", "5"),
        ("", None),
    ],
)
def test_scalars(text, value):
    read = parse_yaml(text, "x")
    assert read == value
    assert type(read) is type(value)


def test_marks_name_file_and_line_of_keys_and_items():
    root = parse_yaml("a: 1\n\nb:\n  - x\n  - c: 2\nd: !Net\n  e: 3\n", "f.yml")
    assert root.mark_of("b") == Mark("f.yml", 3)
    assert root["b"].mark_of(1) == Mark("f.yml", 5)
    assert root["b"][1].mark_of("c") == Mark("f.yml", 5)
    assert root["d"].mark_of("e") == Mark("f.yml", 7)
    assert str(root.mark_of("d")) == "f.yml:6"


def test_tags_become_specs_and_build_nothing():
    root = parse_yaml("a: !Net {width: 3}\nb: !Net [1, 2]\nc: !Net\nd: !Net 1e-3\ne: !Net 'x'\n", "f")
    assert all(isinstance(spec, Spec) and spec.tag == "Net" for spec in root.values())
    assert dict(root["a"]) == {"width": 3}
    assert root["a"].args == [] and root["b"].args == [1, 2] and root["c"].args == []
    assert root["d"].args == [0.001] and root["e"].args == ["x"]
    assert root["a"] != {"width": 3} and root["a"] != Spec({"width": 3}, tag="Other")


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system ['true']", "!!python/name:os.system", "a: !!set {b}"])
def test_unsafe_and_exotic_tags_are_refused(text):
    with pytest.raises(ConfigError, match="not allowed"):
        parse_yaml(text, "f")


def test_an_anchor_is_one_object_and_knows_its_home():
    root = parse_yaml("s: &s [96, 128]\nn: &n 17\na: {size: *s, num: *n}\nb: [*s, *n]\n", "f")
    assert root["a"]["size"] is root["s"] is root["b"][0]
    assert root.anchor_at("s") is not None and root["a"].anchor_at("size") is None
    assert places_of(root, root.anchor_at("s")) == ["s", "a.size", "b.0"]
    assert places_of(root, root.anchor_at("n")) == ["n", "a.num", "b.1"]


def test_merge_keys_give_way_to_own_keys():
    root = parse_yaml("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n", "f")
    assert root["b"] == {"x": 1, "y": 3}


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("a: 1\nb: *nmo\n", "f:2", "the alias *nmo has no anchor"),
        ("&x a: 1\nn: &num_joints 1\nb: *num_jonits\n", "f:3", "did you mean 'num_joints'"),
        ("a:\n\tb: 1\n", "f:2", "a tab is used"),
        ("a: [1, 2\nb: 3\n", "f:2", ""),
        ("a: {x: 1}\nb: 2\na: {y: 1}\n", "f:3", "given twice in one mapping, first in line 1"),
        ("a: [1]\na: 2\n", "f:2", "given twice"),
        ("a: &a\n  b: *a\n", "f:1", "contains itself"),
        ("[1, 2]: 3\n", "f:1", "a key must be"),
        ("a: 1\nb: \x01\n", "f:2", "a character that YAML forbids"),
        ("a: 1\n---\nb: 2\n", "f:2", ""),
    ],
)
def test_mistakes_are_config_errors_with_file_and_line(text, where, words):
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "f")
    assert str(caught.value.problems[0].mark).startswith(where)
    assert words in str(caught.value)


def test_a_scalar_given_twice_is_a_warning_and_the_later_counts():
    warnings = []
    assert parse_yaml("a: 1\nb: 2\na: 3\n", "f", warnings) == {"a": 3, "b": 2}
    assert [(w.severity, w.mark.line) for w in warnings] == [("warning", 3)]


def test_all_duplicate_sections_are_reported_together():
    with pytest.raises(ConfigError) as caught:
        parse_yaml("a: {}\na: {}\nb: {}\nb: {}\n", "f")
    assert [problem.mark.line for problem in caught.value.problems] == [2, 4]


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the config .*absent.yml"):
        load_yaml(tmp_path / "absent.yml")
    (tmp_path / "latin.yml").write_bytes(b"a: \xe9\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_yaml(tmp_path / "latin.yml")
    (tmp_path / "bom.yml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert load_yaml(tmp_path / "bom.yml") == {"a": 1}
    (tmp_path / "half.yml").write_bytes("a: 1".encode("utf-16")[:-1])
    with pytest.raises(ConfigError, match="not UTF-16 text .*: a config is a text file; save it as UTF-8"):
        load_yaml(tmp_path / "half.yml")


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-32-be", codecs.BOM_UTF32_BE),
    ],
)
def test_a_byte_order_mark_tells_the_encoding(tmp_path, encoding, mark):
    (tmp_path / "a.yml").write_bytes(mark + "name: é\r\nepoch: 3\r\n".encode(encoding))
    assert load_yaml(tmp_path / "a.yml") == {"name": "é", "epoch": 3}


def test_copies_keep_marks_and_plain_drops_them():
    root = parse_yaml("a: !Net {w: [1]}\nb: [{c: 1}]\n", "f")
    for twin in (root.copy(), copy.deepcopy(root)):
        assert twin == root and twin.mark_of("b") == root.mark_of("b") and twin["a"].tag == "Net"
    data = plain(root["b"])
    assert type(data) is list and type(data[0]) is dict
    data[0]["c"] = 2
    assert root["b"] == [{"c": 1}]
    with pytest.raises(TypeError, match="build it first"):
        plain(root)


def test_containers_are_dicts_and_lists():
    root = parse_yaml("a: [1]\n", "f")
    assert isinstance(root, ConfigDict) and isinstance(root, dict)
    assert isinstance(root["a"], ConfigList) and isinstance(root["a"], list)


def test_a_tag_where_plain_data_are_expected(tmp_path):
    (tmp_path / "zones.yml").write_text("zones: {door: !Line {}}\n")
    with pytest.raises(ConfigError, match="zones.yml: !Line .* without a !tag"):
        load_plain_yaml(tmp_path / "zones.yml")
    (tmp_path / "zones.yml").write_text("zones: {door: [1, 2]}\n")
    assert type(load_plain_yaml(tmp_path / "zones.yml")["zones"]) is dict

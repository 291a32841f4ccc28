"""No config hangs, fills the memory or ends in a traceback, however it is nested."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.core.config.load import load_config
from ppdet.core.config.yaml_loader import load_yaml, parse_yaml
from ppdet.core.errors import ConfigError

BOMB = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 13))
MERGES = "a0: &a0 {k: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}], k{i}: 1}}\n" for i in range(1, 13)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "more than 100000 values"),
        (MERGES, "more than 100000 values"),
        (BOMB + "bad: !!python/name:os.system ''\n", "more than 100000 values"),
        ("a: " + "[" * 3000 + "]" * 3000, "nested more than 60 levels"),
        ("a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 200)), "nested more than 60 levels"),
        ("a: !!int ''", "not a valid int"),
        ("a: !!bool maybe", "not a valid bool"),
        ("a: !!timestamp soon", "not a valid timestamp"),
        (f"a: {'9' * 5000}", "not a valid int"),
        (f"a: {'9' * 50}", "64 bits"),
    ],
)
def test_hostile_text_ends_in_a_short_message_at_once(text: str, words: str) -> None:
    start = time.monotonic()
    with pytest.raises(ConfigError, match=words) as caught:
        parse_yaml(text, "a.yml")
    assert len(str(caught.value)) < 500 and time.monotonic() - start < 5


def test_ordinary_aliases_stay() -> None:
    assert parse_yaml("a: &a {x: [1, 2]}\nb: [*a, *a]\nc: {<<: *a, y: 2}", "a.yml")["c"] == {"x": [1, 2], "y": 2}


def test_a_base_named_many_times_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "d0.yml").write_text("k0: 1\nepoch: 3\n")
    for i in range(1, 25):
        (tmp_path / f"d{i}.yml").write_text(f"_BASE_: [d{i - 1}.yml, d{i - 1}.yml]\nk{i}: {i}\n")
    config = load_config(tmp_path / "d24.yml")
    assert (config["k0"], config["k24"], config["epoch"], len(config.files)) == (1, 24, 3, 25)


def test_long_chains_of_bases_are_refused(tmp_path: Path) -> None:
    (tmp_path / "c0.yml").write_text("k: 1\n")
    for i in range(1, 80):
        (tmp_path / f"c{i}.yml").write_text(f"_BASE_: c{i - 1}.yml\n")
    assert load_config(tmp_path / "c40.yml")["k"] == 1
    with pytest.raises(ConfigError, match="more than 50 files follow one another"):
        load_config(tmp_path / "c79.yml")


def test_devices_pipes_and_impossible_names(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    for path, words in ((tmp_path / "pipe.yml", "a named pipe"), ("/dev/zero", "a device file"), ("a\0b", "cannot read"),
                        ("x" * 5000, "cannot read"), (tmp_path, "a folder")):  # fmt: skip
        with pytest.raises(ConfigError, match=words):
            load_yaml(path)
    for base in ("pipe.yml", "/dev/zero", "x" * 5000, "a\\0b"):
        (tmp_path / "main.yml").write_text(f'_BASE_: ["{base}"]\n')
        with pytest.raises(ConfigError):
            load_config(tmp_path / "main.yml")


PIECES = st.sampled_from(
    ["a", ":", " ", "\n", "- ", "&a ", "*a", "<<", "[", "]", "{", "}", "!T", "!!int ", "'", '"', "1e9", "~", "?", "|", ">", "#"]
    + ["\t", "%", "@", "_BASE_", ",", "0x", "2020-01-01", "\ud800", "é", "---\n", "..."]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25))
def test_any_text_is_read_or_refused(pieces: list[str]) -> None:
    try:
        parse_yaml("".join(pieces), "a.yml")
    except ConfigError as error:
        assert error.problems

"""The longest-suffix rule, against the rule spelled out."""

from __future__ import annotations

import time
from typing import Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.core.errors import CheckpointError
from ppdet.engine.weights.key_matching import match_keys

KEYS = st.lists(
    st.lists(st.sampled_from(["a", "b", "ab", "conv", "0"]), min_size=1, max_size=4).map(".".join), unique=True, max_size=8
)


def _spelled_out(model_keys: List[str], file_keys: List[str]) -> Dict[str, str]:
    """Every model key against every file key."""
    matches = {}
    for key in model_keys:
        fitting = [f for f in file_keys if key == f or key.endswith("." + f)]
        if fitting:
            matches[key] = max(fitting, key=len)
    return matches


@settings(max_examples=300, deadline=None)
@given(KEYS, KEYS)
def test_equals_the_rule(model_keys: List[str], file_keys: List[str]) -> None:
    expected = _spelled_out(model_keys, file_keys)
    if len(set(expected.values())) == len(expected):
        assert match_keys(model_keys, file_keys) == expected
    else:
        with pytest.raises(CheckpointError, match="fits both"):
            match_keys(model_keys, file_keys)


@settings(max_examples=100, deadline=None)
@given(KEYS)
def test_a_file_of_the_model_itself_matches_completely(keys: List[str]) -> None:
    assert match_keys(keys, keys) == {key: key for key in keys}


@settings(max_examples=100, deadline=None)
@given(KEYS, st.sampled_from(["backbone", "teacher.backbone"]))
def test_a_prefix_does_not_matter(keys: List[str], prefix: str) -> None:
    model_keys = [f"{prefix}.{key}" for key in keys]
    if all(not other.endswith("." + key) for key in keys for other in keys if other != key):
        assert match_keys(model_keys, keys) == {f"{prefix}.{key}": key for key in keys}


def test_backbone_res5_fits_elsewhere() -> None:
    given_keys = ["backbone.res5.res5a.conv.weight", "backbone.res4.res4a.conv.weight"]
    assert match_keys(["head.res5.res5a.conv.weight"], given_keys) == {
        "head.res5.res5a.conv.weight": "backbone.res5.res5a.conv.weight"
    }
    assert match_keys(["backbone.res5.res5a.conv.weight"], given_keys)
    assert not match_keys(["head.res4.res4a.conv.weight"], given_keys)


def test_half_a_name_is_no_suffix() -> None:
    assert match_keys(["backbone.conv1.weight"], ["onv1.weight", "v1.weight"]) == {}


def test_time_is_linear() -> None:
    keys = [f"backbone.stage{i % 7}.block{i}.conv.weight" for i in range(20000)]
    start = time.process_time()
    assert len(match_keys(keys, [key[len("backbone.") :] for key in keys])) == len(keys)
    assert time.process_time() - start < 20.0  # every key against every key takes minutes

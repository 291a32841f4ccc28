"""Properties of skeletons, whatever their keypoints: mirroring twice is nothing, and what is written is read."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.skeletons import Keypoint, Skeleton

NAMES = st.text("abcdefgh_ é尾0123456789", min_size=1, max_size=8).map(str.strip).filter(bool)


@st.composite
def skeletons(draw: st.DrawFn) -> Skeleton:
    """Up to twelve keypoints, some of them mirror pairs, with sigmas, colours and links."""
    names = draw(st.lists(NAMES, min_size=1, max_size=12, unique=True))
    pairs = draw(st.integers(0, len(names) // 2))
    partner = {names[2 * i + side]: names[2 * i + 1 - side] for i in range(pairs) for side in (0, 1)}
    color = st.none() | st.tuples(*[st.integers(0, 255)] * 3)
    parts = st.sampled_from(["upper", "lower", "other"])
    rows = [
        Keypoint(name, partner.get(name, ""), draw(parts), draw(st.floats(0.01, 1)), draw(color))
        for name in draw(st.permutations(names))
    ]
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1])
    links = draw(st.lists(ends, max_size=8, unique_by=frozenset)) if len(names) > 1 else []
    return Skeleton("drawn", tuple(rows), tuple(links))


@settings(max_examples=80, deadline=None)
@given(skeletons())
def test_any_skeleton(skeleton: Skeleton) -> None:
    flip = skeleton.flip_permutation
    np.testing.assert_array_equal(flip[flip], np.arange(skeleton.num_keypoints))
    assert sorted(i for pair in skeleton.flip_pairs for i in pair) == np.flatnonzero(flip != np.arange(len(flip))).tolist()
    assert [skeleton.index(name) for name in skeleton.names] == list(range(skeleton.num_keypoints))
    assert skeleton.sigmas.shape == (skeleton.num_keypoints,) and (skeleton.sigmas > 0).all()
    assert skeleton.colors.shape == (skeleton.num_keypoints, 3) and len(skeleton.link_colors) == len(skeleton.links)
    again = Skeleton.from_dict(skeleton.to_dict())
    assert again.to_dict() == skeleton.to_dict() and again.names == skeleton.names and again.links == skeleton.links
    np.testing.assert_allclose(again.sigmas, skeleton.sigmas)

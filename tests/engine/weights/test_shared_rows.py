"""Weights of other keypoints: the last layer keeps the rows of shared names, for any network."""

from __future__ import annotations

import numpy as np
import paddle
import pytest

from ppdet.engine.weights.shared_rows import fit_rows
from ppdet.skeletons import get_skeleton

HAND = get_skeleton({"name": "hand", "keypoints": ["thumb tip", "index tip", "wrist"]})


@pytest.mark.parametrize("names", [["wrist", "ring tip", "thumb_tip", "little tip"], ["wrist", "ring tip", "thumb tip"]])
def test_rows_follow_their_names(names: list[str]) -> None:
    wanted = get_skeleton({"name": "new", "keypoints": names})
    rows = np.arange(12, dtype=np.float32).reshape(3, 4, 1, 1)
    given = {"head.final.weight": rows, "backbone.conv": np.ones((8, 3), np.float32)}
    state = {"head.final_conv.weight": paddle.full([len(names), 4, 1, 1], -1.0), "backbone.conv": paddle.zeros([8, 3])}
    matches = {"head.final_conv.weight": "head.final.weight", "backbone.conv": "backbone.conv"}
    before = given["head.final.weight"].copy()
    assert fit_rows(given, state, matches, HAND, wanted) == 2
    new = given["head.final.weight"]
    assert np.array_equal(new[0], before[2]) and np.array_equal(new[2], before[0])  # wrist, thumb tip
    assert (np.delete(new, [0, 2], axis=0) == -1).all() and len(new) == len(names)
    assert (given["backbone.conv"] == 1).all()

"""Encode then decode of crowds: nobody lost, doubled or mixed up."""

from __future__ import annotations

import numpy as np
import pytest
from crowd_maps import crowd_maps, grid_crowd

from ppdet.codecs import AssociativeEmbeddingCodec
from ppdet.skeletons import get_skeleton


def _decoded(codec: AssociativeEmbeddingCodec, heat: np.ndarray, tags: np.ndarray):
    return codec.decode(codec.candidates(heat, tags), codec.frame_for_image(codec.input_wh), get_skeleton("coco17"))


@pytest.mark.parametrize("cell", [1, 4])
@pytest.mark.parametrize("people", [1, 5, 20, 60])
def test_nobody_is_lost_doubled_or_swapped(people: int, cell: int) -> None:
    rng = np.random.default_rng(people)
    codec = AssociativeEmbeddingCodec(max_people=max(30, people), refine_cell=cell)
    xy, visible = grid_crowd(rng, people, 17, codec.input_wh, missing=0.2)
    heat, tags = crowd_maps(codec, xy, visible, rng.permutation(people)[:, None] * 1.5)
    poses = _decoded(codec, heat, tags)

    assert len(poses) == people
    away = np.linalg.norm(poses.xy_image[:, None] - xy, axis=-1)  # found, true, keypoint
    away[:, ~visible] = 0
    same = away.max(-1) < 3.0
    assert (same.sum(0) == 1).all() and (same.sum(1) == 1).all()
    truth = same.argmax(1)
    found_before_search = poses.person_scores * 17 > 0.5 * visible[truth].sum(1)
    assert found_before_search.all()

"""Encode then decode of crowds: nobody lost, doubled or mixed up."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from support.bottom_up_maps import bottom_up_maps, grid_of_people
from support.shared_data import shared

from ppdet.codecs import AssociativeEmbeddingCodec
from ppdet.skeletons import get_skeleton


def _decoded(codec: AssociativeEmbeddingCodec, heat: np.ndarray, tags: np.ndarray):
    return codec.decode(codec.candidates(heat, tags), codec.frame_for_image(codec.input_wh), get_skeleton("coco17"))


@pytest.mark.parametrize("cell", [1, 4])
@pytest.mark.parametrize("people", [1, 5, 20, 60])
def test_nobody_is_lost_doubled_or_swapped(people: int, cell: int) -> None:
    rng = np.random.default_rng(people)
    codec = AssociativeEmbeddingCodec(max_people=max(30, people), refine_cell=cell)
    xy, visible = grid_of_people(rng, people, 17, codec.input_wh, missing=0.2)
    heat, tags = bottom_up_maps(codec, xy, visible, rng.permutation(people)[:, None] * 1.5)
    poses = _decoded(codec, heat, tags)

    assert len(poses) == people
    away = np.linalg.norm(poses.xy_image[:, None] - xy, axis=-1)  # found, true, keypoint
    away[:, ~visible] = 0
    same = away.max(-1) < 3.0
    assert (same.sum(0) == 1).all() and (same.sum(1) == 1).all()
    truth = same.argmax(1)
    found_before_search = poses.person_scores * 17 > 0.5 * visible[truth].sum(1)
    assert found_before_search.all()


@pytest.mark.slow
def test_real_annotations_come_back() -> None:
    """AP of ground-truth maps of the real people: what it lacks to 1 is same keypoints of two people within a Gaussian of each
    other, which make one peak. Without the search for missing keypoints it is .971."""
    annotations = shared("data", "coco_person", "annotations", "person_keypoints_val.json")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(annotations))
    people = []
    base = AssociativeEmbeddingCodec()
    for image in truth.loadImgs(truth.getImgIds()):
        rows = truth.loadAnns(truth.getAnnIds(image["id"], iscrowd=False))
        keypoints = np.array([row["keypoints"] for row in rows if row["num_keypoints"]], float).reshape(-1, 17, 3)
        frame = base.frame_for_image((image["width"], image["height"]))
        codec = AssociativeEmbeddingCodec(input_wh=frame.input_wh)
        xy = frame.to_input(keypoints[..., :2].reshape(1, -1, 2)).reshape(-1, 17, 2)
        heat, tags = bottom_up_maps(codec, xy, keypoints[..., 2] > 0, np.arange(len(xy))[:, None] * 1.5)
        poses = base.decode(codec.candidates(heat, tags), frame)
        for found, scores, score in zip(poses.xy_image, poses.scores, poses.person_scores):
            row = np.concatenate([found, scores[:, None]], axis=1).astype(float).ravel().tolist()
            people.append({"image_id": image["id"], "category_id": 1, "keypoints": row, "score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        result = COCOeval(truth, truth.loadRes(people), "keypoints")
        result.evaluate()
        result.accumulate()
        result.summarize()
    assert result.stats[0] > 0.98

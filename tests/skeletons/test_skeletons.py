"""Skeletons check themselves; everything else is derived from their rows."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.skeletons import Keypoint, Skeleton, get_skeleton, skeleton_for_count, skeleton_from_categories
from ppdet.skeletons.lookup import skeleton_from_config
from ppdet.skeletons.tables import TABLES


@pytest.mark.parametrize("name", TABLES)
def test_permutation_is_an_involution_without_changing_links(name: str) -> None:
    skeleton = get_skeleton(name)
    perm = skeleton.flip_permutation
    assert (perm[perm] == np.arange(skeleton.num_keypoints)).all()
    links = {frozenset(link) for link in skeleton.links}
    assert links == {frozenset((int(perm[a]), int(perm[b]))) for a, b in skeleton.links}


@pytest.mark.parametrize("name", TABLES)
def test_dict_round_trip(name: str) -> None:
    assert Skeleton.from_dict(get_skeleton(name).to_dict()).to_dict() == get_skeleton(name).to_dict()


def test_coco_pins() -> None:
    coco = get_skeleton("coco17")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    assert coco.sigmas == pytest.approx(cocoeval.Params(iouType="keypoints").kpt_oks_sigmas)
    assert coco.flip_pairs == ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16))
    assert coco.upper_body_ids == tuple(range(11))


def test_mpii_pins() -> None:
    mpii = get_skeleton("mpii16")
    assert mpii.flip_pairs == ((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13))
    assert mpii.upper_body_ids == tuple(range(7, 16))


@pytest.mark.parametrize(
    ("rows", "links", "words"),
    [
        ((), (), "no keypoints"),
        ((Keypoint("a"), Keypoint("a")), (), "unique"),
        ((Keypoint("a", sigma=0.0),), (), "sigma must be positive"),
        ((Keypoint("a", part="middle"),), (), "part must be"),
        ((Keypoint("a", mirror="b"),), (), "is not a keypoint"),
        ((Keypoint("a", mirror="b"), Keypoint("b")), (), "must name each other"),
        ((Keypoint("a"),), (("a", "z"),), "names 'z'"),
    ],
)
def test_inconsistent_rows_are_refused(rows: tuple, links: tuple, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Skeleton("s", rows, links)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'coco17'"):
        get_skeleton("coco71")


def test_counts_and_flip_pairs_of_paddledetection() -> None:
    assert skeleton_for_count(17).name == "coco17"
    assert skeleton_for_count(21, []).name == "hand21"
    custom = skeleton_for_count(5, [[0, 1], [3, 2]])
    assert custom.name == "custom5"
    assert custom.flip_pairs == ((0, 1), (2, 3))
    with pytest.raises(ConfigError, match="does not fit"):
        skeleton_for_count(3, [[0, 7]])


def test_config_contradictions_are_refused() -> None:
    assert skeleton_from_config({"skeleton": "coco17", "num_joints": 17}).name == "coco17"
    assert skeleton_from_config({"num_joints": 4, "flip_perm": [0, 2, 1, 3]}).flip_pairs == ((1, 2),)
    with pytest.raises(ConfigError, match="num_joints is 16"):
        skeleton_from_config({"skeleton": "coco17", "num_joints": 16})
    with pytest.raises(ConfigError, match="flip_perm"):
        skeleton_from_config({"skeleton": "coco17", "flip_perm": [[1, 3]]})


def test_skeleton_from_a_coco_file() -> None:
    category = {"name": "mouse", "keypoints": ["nose", "ear_left", "ear_right", "tail"], "skeleton": [[1, 2], [1, 4]]}
    mouse = skeleton_from_categories(category)
    assert mouse.flip_pairs == ((1, 2),)
    assert mouse.links == ((0, 1), (0, 3))
    with pytest.raises(ConfigError, match="no `keypoints`"):
        skeleton_from_categories({"name": "box only"})

"""Skeletons check themselves; everything else is derived from their rows."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.skeletons import Keypoint, Skeleton, get_skeleton, skeleton_for_count, skeleton_from_categories
from ppdet.skeletons.base import DEFAULT_SIGMA
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


def test_a_skeleton_and_a_mapping_are_taken_as_they_are() -> None:
    coco = get_skeleton("coco17")
    assert get_skeleton(coco) is coco
    found = get_skeleton({"name": "arm", "keypoints": ["a", {"name": "b", "sigma": 0.1}], "links": [["a", "b"]]})
    assert (found.name, found.names, found.links, found.sigmas[1]) == ("arm", ("a", "b"), ((0, 1),), 0.1)


def test_a_keypoint_by_its_name() -> None:
    assert get_skeleton("coco17").index("right_ankle") == 16
    with pytest.raises(ConfigError, match="skeleton 'coco17' has no keypoint 'tail'; it has: nose, left_eye"):
        get_skeleton("coco17").index("tail")


def test_the_note_on_sigmas_says_who_stated_them() -> None:
    rows = (Keypoint("a", sigma=0.1), Keypoint("b"))
    assert Skeleton("s", rows[1:]).sigma_note.startswith(f"the default {DEFAULT_SIGMA} for every keypoint (nobody stated any")
    assert Skeleton("s", rows).sigma_note == f"those stated in skeleton s, the default {DEFAULT_SIGMA} for 1 of 2 keypoints"
    assert Skeleton("s", rows[:1]).sigma_note == "those stated in skeleton s"
    stated = Skeleton("s", rows, sigma_source="measured twice")
    assert stated.sigma_note == "measured twice" and Skeleton.from_dict(stated.to_dict()) == stated


def test_colours_of_rows_links_and_sides() -> None:
    rows = (Keypoint("left_x", "right_x"), Keypoint("right_x", "left_x"), Keypoint("left_y", "right_y", color=(1, 2, 3)),
            Keypoint("right_y", "left_y"), Keypoint("middle", color=(1, 2, 3)))  # fmt: skip
    skeleton = Skeleton("s", rows, (("left_x", "right_x"), ("left_y", "middle"), ("right_x", "right_y")))
    assert skeleton.colors[2].tolist() == [1, 2, 3] and not np.array_equal(skeleton.colors[0], skeleton.colors[1])
    across, same, right = skeleton.link_colors.tolist()
    assert same == [1, 2, 3] and right == skeleton.colors[1].tolist()
    assert across not in (skeleton.colors[0].tolist(), skeleton.colors[1].tolist())
    assert Skeleton("s", rows).link_colors.shape == (0, 3)
    assert Skeleton.from_dict(skeleton.to_dict()) == skeleton


def test_keys_of_a_config_of_a_wrong_kind() -> None:
    with pytest.raises(ConfigError, match="config.num_joints is '17', expected a whole number"):
        skeleton_from_config({"num_joints": "17"})
    with pytest.raises(ConfigError, match="flip_perm"):
        skeleton_from_config({"flip_perm": [[0, 1, 2]]})


def test_a_category_without_keypoints_and_one_that_is_known() -> None:
    with pytest.raises(ConfigError, match="category 'person' lists no `keypoints`"):
        skeleton_from_categories({"name": "person"})
    names = list(get_skeleton("coco17").names)
    assert skeleton_from_categories({"name": "anything", "keypoints": names}) is get_skeleton("coco17")

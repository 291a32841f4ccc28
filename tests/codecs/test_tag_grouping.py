"""Vectorised grouping gives what the plain reference gives, and does not break people up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import plain_grouping as plain
from support.bottom_up_maps import bottom_up_maps

from ppdet.codecs import AssociativeEmbeddingCodec
from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.codecs.tag_grouping import Grouping, authors_order, tag_distance
from ppdet.codecs.tag_refining import best_cells
from ppdet.core.errors import ConfigError, DataError
from ppdet.skeletons import get_skeleton


def _rules(codec: AssociativeEmbeddingCodec) -> plain.Rules:
    natural = list(range(17))
    return plain.Rules(
        order=natural if codec.paddledet_exact else plain.COCO_ORDER,
        max_people=codec.max_people,
        detection_threshold=codec.detection_threshold,
        tag_threshold=codec.tag_threshold,
        ignore_too_much=codec.ignore_too_much,
        matching="paddledet" if codec.paddledet_exact else codec.matching,
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    people=st.integers(0, 9),
    max_people=st.sampled_from([3, 8, 30]),
    tag_size=st.sampled_from([1, 2]),
    spacing=st.sampled_from([0.0, 0.5, 1.0, 2.7]),
    noise=st.sampled_from([0.0, 0.01, 0.04]),
    missing=st.sampled_from([0.0, 0.3, 0.8]),
    mode=st.sampled_from(["bounded", "authors", "paddledet"]),
    cell=st.sampled_from([1, 4]),
    ignore=st.booleans(),
)
def test_equals_the_plain_reference(
    seed: int, people: int, max_people: int, tag_size: int, spacing: float, noise: float, missing: float, mode: str, cell: int,
    ignore: bool,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    codec = AssociativeEmbeddingCodec(
        input_wh=(128, 128), max_people=max_people, matching="bounded" if mode == "paddledet" else mode, refine_cell=cell,
        ignore_too_much=ignore, paddledet_exact=mode == "paddledet",
    )  # fmt: skip
    xy, visible = rng.uniform(-4, 132, (people, 17, 2)), rng.random((people, 17)) >= missing
    person_tags = rng.permutation(people * tag_size).reshape(people, tag_size) * spacing
    heat, tags = bottom_up_maps(codec, xy, visible, person_tags, noise, rng)
    found = codec.candidates(heat, tags)
    poses = codec.decode(found, codec.frame_for_image((128, 128)), get_skeleton("coco17"))
    cells = {} if cell == 1 else {"places": found.cell_xy, "cell_heat": found.cell_score, "cell_tags": found.cell_tag}
    expected, person_scores = plain.decode(found.score, found.xy, found.tag, heat, tags, _rules(codec), **cells)
    np.testing.assert_allclose(poses.person_scores, person_scores, rtol=1e-6)
    np.testing.assert_allclose(poses.scores, expected[..., 2], rtol=1e-6)
    np.testing.assert_allclose(poses.xy_image, expected[..., :2], atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6), size=st.tuples(st.integers(1, 40), st.integers(1, 40)), steps=st.sampled_from([2, 6, 1000]),
    count=st.sampled_from([1, 5, 30]),
)  # fmt: skip
def test_peaks_equal_the_plain_reference(seed: int, size: tuple[int, int], steps: int, count: int) -> None:
    """`steps` heights only: plateaus and equal peaks."""
    heat = np.random.default_rng(seed).integers(-1, steps, (2, *size)).astype(np.float32) / steps
    found = AssociativeEmbeddingCodec(max_people=count, refine=False).candidates(heat, heat + 7)
    for k, peaks in enumerate(plain.top_peaks(heat, count)):
        taken = [(float(s), *map(int, xy)) for s, xy in zip(found.score[k], found.xy[k]) if s > 0]
        assert taken == peaks
        for (_, x, y), offset, tag in zip(peaks, found.offset[k], found.tag[k]):
            assert tuple(offset) == plain.quarter(heat[k], x, y)
            assert tag == np.float32(heat[k, y, x] + 7)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.sampled_from([-0.5, -0.05, 0.0, 0.3]), steps=st.sampled_from([3, 1000]))
def test_search_by_levels_misses_nothing(seed: int, shift: float, steps: int) -> None:
    rng = np.random.default_rng(seed)
    heat = ((rng.integers(0, steps, 200) / steps) ** 6 + shift).astype(np.float32)
    tags, means = rng.integers(-8, 8, (200, 2)).astype(np.float32) / 4, rng.integers(-8, 8, (5, 2)).astype(np.float32) / 4
    values = heat - np.round(np.sqrt(((means[:, None] - tags) ** 2).sum(-1)))
    cell, value = best_cells(heat, tags, means)
    np.testing.assert_array_equal(cell, values.argmax(1))
    np.testing.assert_array_equal(value, values.max(1))


def test_cells_hold_the_highest_pixel_of_each_block() -> None:
    rng = np.random.default_rng(0)
    heat, tags = rng.random((2, 8, 12)).astype(np.float32), rng.random((2, 8, 12, 2)).astype(np.float32)
    found = AssociativeEmbeddingCodec().candidates(heat, tags)
    assert found.cell_score is not None and found.cell_xy is not None and found.cell_tag is not None
    assert found.cell_score.shape == (2, 2, 3)
    for k, row, column in np.ndindex(2, 2, 3):
        block = heat[k, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        y, x = np.unravel_index(block.argmax(), (4, 4)) + 4 * np.array([row, column])
        assert found.cell_score[k, row, column] == block.max()
        assert tuple(found.cell_xy[k, row, column] - [x, y]) == plain.quarter(heat[k], x, y)
        np.testing.assert_array_equal(found.cell_tag[k, row, column], tags[k, y, x])


def _perfect_candidates(seed: int, people: int) -> tuple[Candidates, np.ndarray]:
    """Candidates with tags of +-.15 round 1.5, 3, 4.5...; a fifth missing. And the (K, M) owners, -1 where there is none."""
    rng = np.random.default_rng(seed)
    tag_of = rng.permutation(people) * 1.5
    score, owner = np.zeros((17, people), np.float32), np.full((17, people), -1)
    tag = np.zeros((17, people, 1), np.float32)
    for k in range(17):
        seen = rng.permutation(np.flatnonzero(rng.random(people) >= 0.2))
        score[k, : len(seen)] = np.sort(rng.uniform(0.5, 1, len(seen)))[::-1]
        owner[k, : len(seen)] = seen
        tag[k, : len(seen), 0] = tag_of[seen] + rng.normal(0, 0.05, len(seen))
    return Candidates(score, np.zeros((17, people, 2)), np.zeros((17, people, 2)), tag), owner


@pytest.mark.parametrize(("people", "whole_at_least", "authors_at_most"), [(20, 40, 15), (60, 40, 0)])
def test_bounded_costs_keep_people_whole(people: int, whole_at_least: int, authors_at_most: int) -> None:
    def whole(matching: str) -> int:
        kept = 0
        for seed in range(40):
            found, owner = _perfect_candidates(seed, people)
            groups = Grouping(authors_order(17), max_people=60, matching=matching).group(found)
            owners = groups.gather(owner + 1) - 1
            kept += len(groups) == people and all(len(set(row[row >= 0])) == 1 for row in owners)
        return kept

    assert whole("bounded") >= whole_at_least
    assert whole("authors") <= authors_at_most


@pytest.mark.parametrize("seed", range(5))
def test_the_last_bit_of_a_tag_moves_nobody(seed: int) -> None:
    """Tags of one keypoint may all lie above those of the keypoints before, and engines differ by 1e-6."""
    rng = np.random.default_rng(seed)
    owner = np.array([rng.permutation(5) for _ in range(17)])
    tag = 0.01 * owner + 0.07 * np.arange(17)[:, None] / 17
    found = [
        Candidates(np.full((17, 5), 0.9, np.float32), *np.zeros((2, 17, 5, 2)), (tag + noise)[..., None].astype(np.float32))
        for noise in (0, *rng.normal(0, 1e-6, (10, 17, 5)))
    ]
    one, *others = (Grouping(authors_order(17)).group(each) for each in found)
    assert all(len(set(row)) == 1 for row in one.gather(owner))
    assert all(np.array_equal(other.member, one.member) for other in others)


def test_a_tag_just_at_the_threshold_takes_nobody_from_the_others() -> None:
    """The candidate of tag 1 cannot join the person of tag 0, whatever its score, and must not keep that of tag .6 from it."""
    score = np.array([[0.9, 0], [0.9, 0.2]], np.float32)
    tag = np.array([[0, 0], [1.0, 0.6]], np.float32)[..., None]
    found = Grouping((0, 1)).group(Candidates(score, *np.zeros((2, 2, 2, 2)), tag))
    assert sorted(found.member.tolist()) == [[-1, 0], [0, 1]]


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_distances_of_tags_of_any_length(length: int) -> None:
    rng = np.random.default_rng(0)
    tags, others = rng.normal(size=(6, length)), rng.normal(size=(4, length))
    expected = np.linalg.norm(tags[:, None] - others, axis=2)
    np.testing.assert_allclose(tag_distance(tags, others.T), expected, rtol=1e-12)


def _image(score: float = 0.0, tag: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    return np.full((17, 64, 64), score, np.float32), np.full((17, 64, 64, 1), tag, np.float32)


def test_nobody() -> None:
    codec = AssociativeEmbeddingCodec()
    poses = codec.decode(codec.candidates(*_image(0.05)), codec.frame_for_image((30, 20)))
    assert len(poses) == 0
    assert poses.xy_image.shape == (0, 17, 2) and poses.scores.shape == (0, 17)


def _spots(count: int, tag_step: float) -> tuple[np.ndarray, np.ndarray]:
    """A keypoint of each kind on every spot; spot i has tag i x step."""
    heat, tags = _image()
    for i in range(count):
        x, y = 4 + 8 * (i % 8), 4 + 8 * (i // 8)
        heat[:, y, x] = 0.9 - 0.001 * i
        tags[:, y - 4 : y + 4, x - 4 : x + 4] = i * tag_step
    return heat, tags


def test_all_tags_equal_still_gives_as_many_people_as_keypoints() -> None:
    """Nothing says whose keypoint is whose, but none is lost and none belongs to two people."""
    codec = AssociativeEmbeddingCodec()
    heat, tags = _spots(6, 0.0)
    poses = codec.decode(codec.candidates(heat, tags), codec.frame_for_image((64, 64)))
    assert poses.xy_image.shape == (6, 17, 2)
    assert all(len(np.unique(poses.xy_image[:, k], axis=0)) == 6 for k in range(17))
    fused = AssociativeEmbeddingCodec(paddledet_exact=True)
    assert len(fused.decode(fused.candidates(heat, tags), fused.frame_for_image((64, 64)))) == 1


def test_more_people_than_max_people() -> None:
    """The best `max_people` candidates of each keypoint are kept."""
    codec = AssociativeEmbeddingCodec(max_people=5)
    poses = codec.decode(codec.candidates(*_spots(20, 2.0)), codec.frame_for_image((64, 64)))
    assert len(poses) == 5
    np.testing.assert_allclose(8 * np.sort(poses.xy_image[:, 0, 0]), [4.25, 12.25, 20.25, 28.25, 36.25], atol=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["heat", "tags"])
def test_broken_maps_are_refused(bad: float, where: str) -> None:
    codec = AssociativeEmbeddingCodec()
    maps = dict(zip(("heat", "tags"), _spots(3, 2.0)))
    found = codec.candidates(**maps)
    maps[where][3, 4, 4] = bad
    with pytest.raises(DataError, match="weights"):
        codec.candidates(**maps)
    found.score[2, 0] = bad
    with pytest.raises(DataError, match="weights"):
        codec.decode(found, codec.frame_for_image((64, 64)))


def test_candidates_that_do_not_fit_are_refused() -> None:
    codec = AssociativeEmbeddingCodec()
    found = codec.candidates(*_spots(3, 2.0))
    with pytest.raises(DataError, match="17 keypoints"):
        codec.decode(found, codec.frame_for_image((64, 64)), get_skeleton("crowdpose14"))
    with pytest.raises(DataError, match="xy .17, 29, 2., not .17, 30, 2."):
        Candidates(found.score, found.xy[:, 1:], found.offset, found.tag)
    with pytest.raises(DataError, match="gave 2 arrays"):
        Candidates.from_outputs([found.score[None], found.xy[None]])
    with pytest.raises(DataError, match="do not divide"):
        codec.candidates(np.zeros((17, 30, 30)), np.zeros((17, 30, 30, 1)))


def test_outputs_of_a_graph_become_candidates() -> None:
    found = AssociativeEmbeddingCodec().candidates(*_spots(3, 2.0))
    first, second = Candidates.from_outputs([np.stack([a, a + 1]) for a in vars(found).values()])
    for name, array in vars(found).items():
        np.testing.assert_array_equal(getattr(first, name), array)
        np.testing.assert_array_equal(getattr(second, name), array + 1)


def test_flip_merge_brings_the_mirror_image_back() -> None:
    """A mirrored network on a mirrored image gives the same heat; its tags are other numbers, kept beside the first."""
    codec, skeleton = AssociativeEmbeddingCodec(input_wh=(128, 64)), get_skeleton("coco17")
    rng = np.random.default_rng(3)
    heat, tags = rng.random((17, 64, 128), np.float32), rng.random((17, 64, 128, 1), np.float32)
    swap = skeleton.flip_permutation
    merged_heat, merged_tags = codec.merge_flipped((heat, tags), (heat[swap, :, ::-1], tags[swap, :, ::-1] + 5), skeleton)
    np.testing.assert_array_equal(merged_heat, heat)
    np.testing.assert_array_equal(merged_tags, np.concatenate([tags, tags + 5], -1))
    with pytest.raises(DataError, match="mirror"):
        codec.merge_flipped((heat, tags), (heat[:, :32], tags), skeleton)


def test_order() -> None:
    codec = AssociativeEmbeddingCodec()
    assert list(codec.order_for(17)) == plain.COCO_ORDER
    assert sorted(codec.order_for(14)) == list(range(14))
    assert list(codec.order_for(14)[7:9]) == [11, 12]
    assert codec.order_for(5) == (0, 1, 2, 3, 4)
    assert AssociativeEmbeddingCodec(paddledet_exact=True).order_for(17) == tuple(range(17))
    with pytest.raises(ConfigError, match="names 3 keypoints"):
        AssociativeEmbeddingCodec(joint_order=[2, 0, 1]).order_for(17)

"""Drawing: any skeleton, any coordinates, one copy, nothing below the threshold."""

from __future__ import annotations

import numpy as np
import pytest
from support.planted_models import SKELETON

from ppdet.core.errors import DataError
from ppdet.skeletons import Skeleton, get_skeleton
from ppdet.visualize import BoxDrawer, PoseDrawer, contact_sheet, person_color
from ppdet.visualize.text_tag import draw_tag


def canvas(height: int = 120, width: int = 160) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


POSE = np.array([[[80.0, 20.0], [40.0, 90.0], [120.0, 90.0]]])
SURE = np.ones((1, 3))


def test_limbs_run_between_keypoints_in_rgb() -> None:
    image = canvas()
    drawn = PoseDrawer(SKELETON).draw(image, POSE, SURE)
    assert not image.any()
    # halfway along the limb from nose to left hand, in the colour of that limb (skeletons store BGR)
    np.testing.assert_allclose(drawn[55, 60].astype(int), SKELETON.link_colors[0][::-1], atol=12)  # anti-aliased
    np.testing.assert_allclose(drawn[90, 40].astype(int), SKELETON.colors[1][::-1], atol=12)
    assert not drawn[110:, 70:90].any()


def test_below_the_threshold_nothing_is_drawn() -> None:
    drawer = PoseDrawer(SKELETON)
    scores = np.array([[0.9, 0.4, 0.9]])
    drawn = drawer.draw(canvas(), POSE, scores, threshold=0.5)
    assert not drawn[80:100, 20:60].any() and not drawn[50:60, 55:65].any()
    assert drawn[90, 120].any() and drawn[55, 100].any()
    assert drawer.draw(canvas(), POSE, scores, threshold=0.4)[90, 40].any()  # the threshold itself counts


def test_lines_follow_the_size_of_the_person() -> None:
    def limb_width(scale: float) -> int:
        drawn = PoseDrawer(SKELETON).draw(canvas(1000, 1200), POSE * scale, SURE)
        return int(drawn[int(55 * scale)].any(axis=1).sum())

    assert limb_width(1) < limb_width(4) < limb_width(8)


def test_bad_coordinates_do_no_harm() -> None:
    wild = np.array([[[np.nan, 5.0], [1e12, -1e12], [np.inf, 3.0]], [[-500.0, 50.0], [700.0, 50.0], [80.0, 1e7]]])
    boxes = np.array([[np.nan] * 4, [-1e9, -1e9, 1e9, 1e9]])
    drawn = PoseDrawer(SKELETON).draw(canvas(), wild, np.ones((2, 3)), boxes=boxes)
    assert drawn.shape == (120, 160, 3)


@pytest.mark.parametrize("name", ["coco17", "mpii16", "crowdpose14", "aic14", "hand21"])
def test_every_skeleton_is_drawn(name: str) -> None:
    skeleton = get_skeleton(name)
    rng = np.random.default_rng(0)
    pose = rng.uniform(10, 110, (1, skeleton.num_keypoints, 2))
    drawn = PoseDrawer(skeleton).draw(canvas(), pose, np.ones(pose.shape[:2]))
    assert all(drawn[int(y), int(x)].any() for x, y in pose[0])


def test_a_skeleton_without_links_shows_its_keypoints() -> None:
    skeleton = Skeleton.from_dict({"name": "dots", "keypoints": [f"kp{i}" for i in range(133)]})
    pose = np.full((1, 133, 2), 60.0)
    assert PoseDrawer(skeleton).draw(canvas(), pose, np.ones((1, 133)))[60, 60].any()


def test_nobody_leaves_the_image_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 255, (50, 60, 3), np.uint8)
    drawn = PoseDrawer(SKELETON).draw(image, np.zeros((0, 3, 2)), np.zeros((0, 3)), boxes=np.zeros((0, 4)))
    np.testing.assert_array_equal(drawn, image)
    assert drawn is not image


def test_read_only_and_strided_images_are_drawn_on() -> None:
    image = canvas()
    image.flags.writeable = False
    assert PoseDrawer(SKELETON).draw(image, POSE, SURE).any()
    assert PoseDrawer(SKELETON).draw(canvas(240, 320)[::2, ::2, ::-1], POSE, SURE).any()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="skeleton 'planted3' needs"):
        PoseDrawer(SKELETON).draw(canvas(), np.zeros((1, 17, 2)), np.ones((1, 17)))
    with pytest.raises(DataError, match="RGB uint8"):
        PoseDrawer(SKELETON).draw(canvas()[..., 0], POSE, SURE)


def test_boxes_wear_the_colour_of_the_identity() -> None:
    box = np.array([[20, 30, 100, 110]], float)
    drawn = PoseDrawer(SKELETON).draw(canvas(), POSE, SURE * 0, boxes=box, identities=np.array([5]))
    np.testing.assert_array_equal(drawn[70, 20], person_color(5))
    assert not PoseDrawer(SKELETON, draw_boxes=False).draw(canvas(), POSE, SURE * 0, boxes=box).any()
    assert len({person_color(number) for number in range(200)}) == 200


def test_detector_boxes() -> None:
    boxes, scores = np.array([[20, 30, 60, 80], [80, 30, 120, 80]], float), np.array([0.9, 0.2])
    drawn = BoxDrawer(["person"]).draw(canvas(), boxes, scores, np.array([0, 7]), threshold=0.5)
    assert drawn[60, 20].any() and not drawn[40:, 79:122].any()


def test_contact_sheet_tiles_row_by_row() -> None:
    frames = [np.full((60, 80, 3), value, np.uint8) for value in (50, 100, 150)]
    sheet = contact_sheet(frames, columns=2, tile_width=40)
    assert sheet.shape == (60, 80, 3)
    assert [int(sheet[15, 20, 0]), int(sheet[15, 60, 0]), int(sheet[45, 20, 0])] == [50, 100, 150]
    tile = contact_sheet(frames, columns=3, tile_width=200, labels=["frame 1", "2", "3"])[:150, :200]
    assert tile[-18:, :60].max() > 200 and tile[-1, 0].max() < 30 and (tile[:-30] == 50).all()  # light text on a dark ground
    with pytest.raises(DataError, match="no frames"):
        contact_sheet([])
    with pytest.raises(DataError, match="1 labels"):
        contact_sheet(frames, labels=["a"])


def test_the_torso_wears_the_persons_colour_and_limbs_keep_their_sides() -> None:
    skeleton = get_skeleton("coco17")
    pose = np.zeros((2, 17, 2))
    spots = {"left_shoulder": (70, 20), "right_shoulder": (30, 20), "left_hip": (70, 90), "left_knee": (70, 150)}
    for name, xy in spots.items():
        pose[:, skeleton.names.index(name)] = xy
    pose[1] += [100, 0]
    scores = np.array([[1.0 if name in spots else 0.0 for name in skeleton.names]] * 2)
    drawn = PoseDrawer(skeleton).draw(canvas(200, 220), pose, scores, identities=np.array([7, 8]))
    for person, left in ((7, 0), (8, 100)):
        np.testing.assert_allclose(drawn[55, 70 + left], person_color(person), atol=25)  # anti-aliased
        np.testing.assert_allclose(drawn[120, 70 + left], rgb(skeleton.colors[skeleton.names.index("left_knee")]), atol=25)


def rgb(bgr: np.ndarray) -> list[int]:
    return [int(value) for value in bgr[::-1]]


def test_small_people_get_thin_lines_and_small_keypoints_over_large_people() -> None:
    two_dots = Skeleton.from_dict({"name": "dots", "keypoints": ["a", "b"]})

    def joint_area(scale: float) -> int:
        pose = np.array([[[20.0, 20.0], [20.0, 120.0]]]) * scale
        return int(PoseDrawer(two_dots).draw(canvas(600, 600), pose, np.ones((1, 2))).any(axis=2).sum())

    assert joint_area(0.25) < joint_area(2) < joint_area(4)
    dots = PoseDrawer(SKELETON).draw(canvas(), POSE / 4, np.ones((1, 3)))
    assert not dots[1:12, 26:40].any()  # between the limbs of a person of 20 pixels
    small, large = POSE / 4 + [60, 40], POSE
    drawer = PoseDrawer(SKELETON, draw_boxes=False)
    for pair in (np.concatenate([small, large]), np.concatenate([large, small])):
        np.testing.assert_array_equal(drawer.draw(canvas(), pair, np.ones((2, 3))),
                                      drawer.draw(canvas(), np.concatenate([small, large]), np.ones((2, 3))))


@pytest.mark.parametrize("corner", [(2.0, 1.0), (150.0, 60.0), (159.0, 119.0), (-30.0, -5.0)])
def test_tags_stay_whole_at_every_edge(corner: tuple[float, float]) -> None:
    """A tag moved inside has as many pixels as one in the middle."""
    middle, edge = canvas(), canvas()
    draw_tag(middle, "17", (60, 60), (200, 0, 0))
    draw_tag(edge, "17", corner, (200, 0, 0))
    assert edge.any(axis=2).sum() == middle.any(axis=2).sum() > 100
    assert (middle == (200, 0, 0)).all(axis=2).any() and middle.min(axis=2).max() > 200  # light text on a dark colour


def test_ids_and_labels_at_the_edge_are_whole() -> None:
    boxes = np.array([[-5.0, -5.0, 60.0, 80.0], [150.0, 100.0, 170.0, 130.0]])
    poses, identities = np.repeat(POSE, 2, 0), np.array([3, 12])
    drawn = PoseDrawer(SKELETON).draw(canvas(), poses, np.zeros((2, 3)), boxes=boxes, identities=identities)
    assert (drawn[0, 0] == person_color(3)).all() and (drawn[99, 159] == person_color(12)).all()
    labelled = BoxDrawer(["person"]).draw(canvas(), boxes, np.array([0.9, 0.8]), np.zeros(2, int))
    assert (labelled[0, 0] == person_color(0)).all()
    assert (labelled[85:100, 80:149] == person_color(1)).all(axis=2).any()  # moved left, and in another colour than its neighbour


def test_a_box_of_the_whole_image_is_no_frame() -> None:
    drawer = PoseDrawer(SKELETON)
    assert not drawer.draw(canvas(), POSE, SURE * 0, boxes=np.array([[0.0, 0.0, 160.0, 120.0]])).any()
    assert drawer.draw(canvas(), POSE, SURE * 0, boxes=np.array([[0.0, 0.0, 160.0, 90.0]])).any()


# what users see


def test_no_identity_has_the_colour_of_a_side() -> None:
    sides = np.unique(get_skeleton("coco17").colors[:, ::-1], axis=0).astype(int)
    identities = np.array([person_color(number) for number in range(500)])
    assert len(sides) == 3 and np.linalg.norm(identities[:, None] - sides[None], axis=2).min() > 60


def test_a_keypoint_without_a_shown_neighbour_is_left_out() -> None:
    skeleton = get_skeleton("coco17")
    pose, scores = np.full((1, 17, 2), 5.0), np.zeros((1, 17))
    for name, xy in (("left_shoulder", (40, 30)), ("left_elbow", (60, 60)), ("right_ankle", (120, 100))):
        pose[0, skeleton.index(name)], scores[0, skeleton.index(name)] = xy, 0.9
    drawn = PoseDrawer(skeleton).draw(canvas(), pose, scores)
    assert drawn[30, 40].any() and drawn[60, 60].any() and not drawn[95:106, 115:126].any()
    assert PoseDrawer(skeleton, orphans=True).draw(canvas(), pose, scores)[100, 120].any()


def test_narrow_boxes_have_thin_lines() -> None:
    def covered(width: int) -> float:
        box = np.array([[500.0, 500.0, 500.0 + width, 620.0]])
        drawn = PoseDrawer(SKELETON).draw(canvas(2000, 3000), POSE, SURE * 0, boxes=box)
        return float(drawn[540:580, 500 : 500 + width].any(axis=2).mean())

    assert covered(14) < 0.2 and covered(300) >= 4 / 300


def test_labels_scale_with_the_person() -> None:
    def label_area(side: float) -> int:
        box = np.array([[900.0, 900.0, 900 + side / 2, 900 + side]])
        drawn = PoseDrawer(SKELETON).draw(canvas(2000, 2000), POSE, SURE * 0, boxes=box, identities=np.array([8]))
        return int(drawn[:899].any(axis=2).sum())

    assert label_area(40) < label_area(200) < label_area(1000)


def test_a_dot_is_visible_in_a_large_image() -> None:
    skeleton = Skeleton.from_dict({"name": "dots", "keypoints": ["a", "b"]})
    drawn = PoseDrawer(skeleton).draw(canvas(3000, 4000), np.array([[[500.0, 500.0], [540.0, 500.0]]]), np.ones((1, 2)))
    assert drawn[:, :520].any(axis=2).sum() > 200


def test_keypoints_without_links_differ_in_colour_and_may_be_named() -> None:
    rows = [*(f"kp{i}" for i in range(8)), {"name": "k", "color": [1, 2, 3]}]
    skeleton = Skeleton.from_dict({"name": "dots", "keypoints": rows})
    pose = np.stack([np.arange(9) * 16.0 + 10, np.full(9, 60.0)], axis=1)[None]
    drawn = PoseDrawer(skeleton).draw(canvas(), pose, np.ones((1, 9)))
    colors = [tuple(drawn[60, x]) for x in range(10, 150, 16)]
    assert len(set(colors)) == 9 and colors[-1] == (3, 2, 1)
    assert PoseDrawer(skeleton, names=True).draw(canvas(), pose, np.ones((1, 9)))[40:50].any()


def test_contact_sheet_of_mixed_aspects_is_full() -> None:
    upright, wide = np.full((160, 80, 3), 200, np.uint8), np.full((60, 120, 3), 100, np.uint8)
    sheet = contact_sheet([upright, wide, wide, upright], columns=2, tile_width=100)
    assert sheet.shape[1] == 200 and (sheet.min(axis=2) >= 100).all()
    strips = contact_sheet([np.full((900, 3, 3), 90, np.uint8)] * 3, columns=3, tile_width=30)
    assert strips.shape == (60, 90, 3)
    panorama = contact_sheet([np.full((2, 3000, 3), 90, np.uint8), upright], columns=2, tile_width=30)
    assert panorama.shape[1] == 60

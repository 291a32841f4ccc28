"""Settings are chosen from the data: each rule on objects whose right setting is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional, Sequence

import cv2
import numpy as np
import pytest

from ppdet.annotations.coco_file import coco_content
from ppdet.annotations.sigma_estimate import estimate_sigmas
from ppdet.core.errors import DataError
from ppdet.data.planning.class_objects import ClassObjects, class_objects, keypoint_classes
from ppdet.data.planning.crop_plan import crop_sizes, plan_box, plan_input, plan_mirror, plan_turn, widened
from ppdet.data.planning.pixel_statistics import plan_normalization
from ppdet.data.planning.plan import annotation_file
from ppdet.data.planning.schedule_plan import ESTIMATED_PIXELS_PER_S, believed_speed, budget_seconds, plan_schedule
from ppdet.data.planning.skeleton_plan import is_person, nearest_links, plan_skeleton
from ppdet.skeletons import Keypoint, Skeleton
from ppdet.skeletons.tables import COCO17, LSP14

BODY = {"snout": (50, 0), "leftear": (30, -10), "rightear": (30, 10), "tailbase": (-50, 0)}


def content_of(
    names: Sequence[str], poses: Sequence[np.ndarray], wh: Sequence[int] = (640, 480), boxes: Optional[Sequence[Any]] = None,
    per_image: int = 1, **category: Any,
) -> dict[str, Any]:  # fmt: skip
    images = [
        {"id": i, "file_name": f"img{i * 31 % 997:04d}.png", "width": wh[0], "height": wh[1]}
        for i in range(-(-len(poses) // per_image))
    ]
    annotations = []
    for row, pose in enumerate(poses):
        table = pose if pose.shape[1] == 3 else np.concatenate([pose, np.full((len(pose), 1), 2)], axis=1)
        entry: dict[str, Any] = {
            "id": row,
            "image_id": row // per_image,
            "category_id": 1,
            "iscrowd": 0,
            "keypoints": table.reshape(-1).tolist(),
        }
        if boxes is not None:
            entry["bbox"] = list(boxes[row])
        annotations.append(entry)
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "mouse", "keypoints": list(names), **category}],
    }


def objects_of(names: Sequence[str], poses: Sequence[np.ndarray], *args: Any, **more: Any) -> ClassObjects:
    content = coco_content(content_of(names, poses, *args, **more), "test")
    return class_objects(content, content["categories"][0])


def mice(count: int, turn: float = 0.1, mirrored: bool = False, seed: int = 0) -> list[np.ndarray]:
    """Mice seen from above, turned by about `turn` radians; every second one is seen from below if `mirrored`."""
    rng = np.random.default_rng(seed)
    poses = []
    for number in range(count):
        shape = np.array(list(BODY.values()), float) + rng.normal(0, 1.5, (4, 2))
        angle = rng.normal(0, turn)
        matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        shape = shape * [1, -1] if mirrored and number % 2 else shape
        poses.append(shape @ matrix * rng.uniform(0.9, 1.1) + [320, 240])
    return poses


def mirror_of(objects: ClassObjects) -> Any:
    return plan_mirror(objects, plan_skeleton(objects)["skeleton"].value)


def test_one_sided_animals_are_not_mirrored_and_others_are() -> None:
    one_way = mirror_of(objects_of(list(BODY), mice(40)))
    assert not one_way.value and "tailbase is left of snout in 40 of 40" in one_way.why
    assert mirror_of(objects_of(list(BODY), mice(40, turn=3.0))).value
    few = mirror_of(objects_of(list(BODY), mice(7)))
    assert few.value and "7 objects are too few to tell" in few.why, "of 7 orders, one is shared by chance"
    assert not mirror_of(objects_of(list(BODY), mice(9))).value
    alone = mirror_of(objects_of(["snout", "leftear", "rightear", "left_hip"], mice(40, turn=3.0)))
    assert not alone.value and "left_hip has no partner" in alone.why


def test_without_left_and_right_names_the_handedness_decides() -> None:
    names = ["a", "b", "c", "d"]
    hook = [pose + np.array([[0, 0], [0, 0], [25, 0], [0, 0]]) for pose in mice(12)]
    assert not mirror_of(objects_of(names, hook)).value
    both = [pose * [1, -1] + [0, 480] if row % 2 else pose for row, pose in enumerate(hook)]
    assert mirror_of(objects_of(names, both)).value


def test_pairs_that_do_not_mirror_in_the_data_are_found() -> None:
    wrong = objects_of(["leftear", "snout", "tailbase", "rightear"], mice(40, turn=3.0))  # the names are permuted
    chosen = mirror_of(wrong)
    assert not chosen.value and "check the names" in chosen.why


def test_boxes() -> None:
    whole = [[0, 0, 640, 480]] * 12
    assert plan_box(objects_of(list(BODY), mice(12), boxes=whole)).value == "image"
    small = [[270, 200, 100, 80]] * 12
    assert plan_box(objects_of(list(BODY), mice(12), boxes=small)).value == "given"
    assert plan_box(objects_of(list(BODY), mice(12))).value == "image", "one per image and no boxes"
    assert plan_box(objects_of(list(BODY), mice(12), per_image=3)).value == "extent"
    assert plan_box(objects_of(list(BODY), mice(12), (200, 150), boxes=[[260, 190, 120, 100]] * 12)).value == "image", (
        "large in its image"
    )
    people = [np.random.default_rng(i).uniform(100, 400, (14, 2)) for i in range(8)]
    person = objects_of(LSP14.names, people, boxes=[[100, 100, 300, 300]] * 8)
    assert is_person(person) and plan_box(person).value == "given", "a detector of persons is bundled"


def test_input_follows_aspect_and_time() -> None:
    thin = objects_of(list(BODY), mice(40), (1200, 300))
    sizes = [plan_input(thin, "image", 40, pixels, 15).value for pixels in (1e7, 1e8, 1e9)]
    assert all(2.5 < w / h < 5.5 and w % 32 == h % 32 == 0 for w, h in sizes)
    areas = [w * h for w, h in sizes]
    assert areas == sorted(areas) and areas[0] < areas[-1]
    assert plan_input(objects_of(list(BODY), mice(9), (80, 60)), "image", 9, 1e10, 15).value[0] <= 160, (
        "no more pixels than there are"
    )
    assert plan_input(objects_of(list(BODY), mice(9, 3.0)), "extent", 9, 1e8, 90).value[0] == plan_input(
        objects_of(list(BODY), mice(9, 3.0)), "extent", 9, 1e8, 90).value[1]  # fmt: skip


def test_turns() -> None:
    assert plan_turn(objects_of(list(BODY), mice(40))).value == 15
    assert plan_turn(objects_of(list(BODY), mice(40, turn=3.0))).value == 90
    assert plan_turn(objects_of(["a"], [np.array([[5, 5]])] * 9)).value == 30, "one point has no direction"


def test_skeleton_names_links_and_sigmas() -> None:
    parts = plan_skeleton(objects_of(["tip", " tip", "左 手", "右 手"], mice(6)))
    skeleton = parts["skeleton"].value
    assert skeleton.names == ("tip", "tip_2", "左 手", "右 手") and skeleton.flip_pairs == ((2, 3),)
    assert len(skeleton.links) == 4 and "default" in skeleton.sigma_note and "fewer than 10" in skeleton.sigma_note
    given = plan_skeleton(objects_of(list(BODY), mice(6), skeleton=[[1, 2], [1, 4]], sigmas=[0.02, 0.03, 0.03, 0.05]))[
        "skeleton"
    ].value
    assert given.links == ((0, 1), (0, 3)) and given.sigmas.tolist() == [0.02, 0.03, 0.03, 0.05]
    assert "stated in the annotation file" in given.sigma_note
    assert plan_skeleton(objects_of(list(BODY), mice(6)), [0.1])["skeleton"].value.sigmas.tolist() == [0.1] * 4
    coco = plan_skeleton(objects_of(COCO17.names, [np.random.default_rng(i).uniform(0, 400, (17, 2)) for i in range(3)]))[
        "skeleton"
    ].value
    assert coco == COCO17 and "COCO's, published" in coco.sigma_note
    xray = [f"f{i}" for i in range(17)]
    plain = plan_skeleton(objects_of(xray, [np.random.default_rng(i).uniform(0, 400, (17, 2)) for i in range(3)]))[
        "skeleton"
    ].value
    assert set(plain.sigmas.tolist()) == {0.0644}, "seventeen keypoints are not COCO's for their number"


def test_links_join_neighbours() -> None:
    line = np.stack([np.linspace(0, 100, 6), np.zeros(6), np.full(6, 2.0)], axis=1)
    shuffled = [0, 3, 1, 5, 4, 2]
    links = nearest_links(np.stack([line[shuffled] * [1, 1, 1] + [0, i, 0] for i in range(4)]))
    assert {tuple(sorted((shuffled[a], shuffled[b]))) for a, b in links} == {(i, i + 1) for i in range(5)}


TORSO = ["nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip"]


def torsos(name: str) -> ClassObjects:
    shape = np.array([[50, 0], [70, 30], [30, 30], [62, 90], [38, 90]], float)
    objects = objects_of(TORSO, [shape + i for i in range(6)], boxes=[[0, 0, 110, 220]] * 6)
    objects.category["name"] = name
    return objects


def test_five_keypoints_of_a_person_are_a_person() -> None:
    person = torsos("Person")
    assert is_person(person) and not is_person(torsos("robot"))
    skeleton = plan_skeleton(person)["skeleton"].value
    assert skeleton.sigmas.tolist() == [0.026, 0.079, 0.079, 0.107, 0.107]
    assert skeleton.sigma_source == "COCO's for the 5 keypoints of people with the same name"
    joined = {frozenset(pair) for pair in skeleton.link_names}
    sides = {frozenset((f"{side}_shoulder", f"{side}_hip")) for side in ("left", "right")}
    assert sides < joined and {frozenset(("nose", f"{side}_shoulder")) for side in ("left", "right")} < joined
    face = objects_of(["nose", "chin", "brow", "lip"], mice(6))
    face.category["name"] = "person"
    assert not is_person(face), "landmarks of a face are no body"


def test_links_are_the_same_on_both_sides() -> None:
    skeleton = plan_skeleton(torsos("robot"))["skeleton"].value
    joined = {frozenset(pair) for pair in skeleton.link_names}
    mirrored = {frozenset(skeleton.keypoints[skeleton.index(name)].mirror or name for name in pair) for pair in joined}
    assert mirrored == joined and len(joined) == 5


def test_sigmas_from_repeats() -> None:
    rng = np.random.default_rng(0)
    first, second = [], []
    for i in range(400):
        truth = rng.uniform(100, 300, (2, 2))
        for into in (first, second):
            xy = truth + rng.normal(0, 1, (2, 2)) * np.array([[2.0], [6.0]]) / np.sqrt(
                2
            )  # deviation of the distance: 2 and 6 pixels
            into.append(
                {"image_id": i, "area": 10000, "keypoints": np.concatenate([xy, [[2], [2]]], axis=1).reshape(-1).tolist()}
            )
    found = estimate_sigmas(first, second, 2)
    assert found is not None and found[0] == pytest.approx([0.02, 0.06], rel=0.1) and found[1] == 400
    assert estimate_sigmas(first, second[:9], 2) is None


def test_schedule_fits_the_budget_and_never_trains_nothing() -> None:
    for count, minutes, speed in ((6, 10, 8), (93, 10, 7), (1000, 60, 30), (20, 2, 40)):
        plan = plan_schedule(count, max(1, count // 5), minutes, speed, "measured here")
        assert plan.crops / speed <= budget_seconds(minutes) and plan.crops / speed > 0.5 * budget_seconds(minutes)
        assert plan.epochs * plan.repeat * count == plan.crops and plan.epochs <= 400
        assert plan.warmup_steps < plan.iterations
        assert plan.base_lr == 2e-3 and plan_schedule(count, 1, minutes, speed, "", known=0.9).base_lr == 7e-4
    starved = plan_schedule(93, 23, 3, 0.1, "")
    assert starved.iterations >= 290, "a budget too small to learn anything"
    assert believed_speed(1e3)[0] > 0.2 * ESTIMATED_PIXELS_PER_S and "busy" in believed_speed(1e3)[1]
    assert believed_speed(1e7) == (1e7, "measured here")


def test_classes_are_chosen_by_name_or_number() -> None:
    content = coco_content(content_of(list(BODY), mice(4)), "test")
    content["categories"].append({"id": 2, "name": "tool", "keypoints": ["a"], "skeleton": []})
    content["annotations"].append({"id": 99, "image_id": 0, "category_id": 2, "keypoints": [5, 5, 2]})
    assert [each["name"] for each in keypoint_classes(content)] == ["mouse", "tool"]
    assert keypoint_classes(content, "2")[0]["name"] == keypoint_classes(content, "tool")[0]["name"] == "tool"
    with pytest.raises(DataError, match="available: mouse"):
        keypoint_classes(content, "cat")
    assert len(class_objects(content, content["categories"][1]).keypoints) == 1


def test_what_cannot_be_used_is_counted() -> None:
    content = content_of(list(BODY), mice(5))
    content["annotations"][0]["keypoints"] = [1, 2, 2]
    content["annotations"][1]["keypoints"] = [0] * 12
    content["annotations"][2]["keypoints"][0] = float("nan")
    content["annotations"][3]["keypoints"][2::3] = [0.9, 1, 0, 3]
    objects = class_objects(coco_content(content, "test"), content["categories"][0])
    assert len(objects.keypoints) == 2 and len(objects.notes) == 3
    assert any("with 3 numbers instead of 12, which are x, y and visibility of 4 keypoints" in note for note in objects.notes)
    written = annotation_file(objects, [3], Skeleton("mouse", tuple(map(Keypoint, BODY, BODY))))["annotations"]
    assert objects.keypoints[0, :, 2].tolist() == written[0]["keypoints"][2::3] == [2, 1, 0, 2], "a probability is no 0"
    for entry in content["annotations"]:
        entry["keypoints"] = [0.1, 0.2, 2] * 4
    with pytest.raises(DataError, match="fractions"):
        class_objects(coco_content(content, "test"), content["categories"][0])


def test_objects_that_are_listed_twice_count_once() -> None:
    content = content_of(list(BODY), mice(5))
    content["annotations"] += [{**each, "id": 100 + each["id"]} for each in content["annotations"][:2]]
    objects = class_objects(coco_content(content, "test"), content["categories"][0])
    assert len(objects.keypoints) == 5 and objects.notes == ["2 objects are left out: listed twice"]


def test_points_outside_of_their_images_are_counted() -> None:
    content = content_of(list(BODY), mice(5))
    content["annotations"][0]["keypoints"][0] = 1e6
    content["annotations"][1]["keypoints"][1] = -20
    (note,) = class_objects(coco_content(content, "test"), content["categories"][0]).notes
    assert note.startswith("2 of 20 labelled points lie outside of their images")


def test_written_annotations_have_boxes_that_are_boxes() -> None:
    line = [np.array([[10, 50], [90, 50], [40, 50], [60, 50]], float)] * 3
    objects = objects_of(list(BODY), line)
    skeleton = plan_skeleton(objects)["skeleton"].value
    written = annotation_file(objects, [0, 1], skeleton)
    assert len(written["images"]) == len(written["annotations"]) == 2
    assert written["annotations"][0]["bbox"] == [10, 42, 80, 16] and written["annotations"][0]["num_keypoints"] == 4
    assert widened([5, 5, 0, 0], (200, 100)) == [0, 0, 10, 10] and widened([0, 0, 50, 40], (200, 100)) is None
    assert (crop_sizes(objects, "image") == [640, 480]).all()


def test_normalization_is_measured_only_where_images_are_unusual(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "photo.png"), np.clip(rng.normal(115, 58, (90, 90, 3)), 0, 255).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "dark.png"), rng.integers(0, 40, (90, 90)).astype(np.uint8))
    assert plan_normalization(tmp_path, ["photo.png"]).value[0] == pytest.approx([0.485, 0.456, 0.406])
    dark = plan_normalization(tmp_path, ["dark.png", "missing.png"])
    assert dark.value[0] == pytest.approx([0.077] * 3, abs=0.01) and "grey" in dark.why

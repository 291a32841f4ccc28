"""All settings for the training of one class, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ppdet.data.coco.persons import EXTENT, GIVEN
from ppdet.data.planning.choice import Choice
from ppdet.data.planning.class_objects import ClassObjects
from ppdet.data.planning.crop_plan import plan_box, plan_input, plan_mirror, plan_turn, widened
from ppdet.data.planning.pixel_statistics import Statistics, plan_normalization
from ppdet.data.planning.radiograph_plan import plan_quarter_turns, plan_radiographs, radiograph_box
from ppdet.data.planning.schedule_plan import ESTIMATED_PIXELS_PER_S, Schedule, believed_speed, pixels_in_budget, plan_schedule
from ppdet.data.planning.shapes import turns
from ppdet.data.planning.skeleton_plan import is_person, plan_skeleton
from ppdet.skeletons import Skeleton
from ppdet.skeletons.people import shared_with_coco

CELLS_PER_SIGMA = 32
SPACING = "pixel_spacing"
"""Key of an image's [row, column] millimetres per pixel, which figures in millimetres read."""


@dataclass(frozen=True)
class Plan:
    """The settings of a config.

    Attributes:
        skeleton, box, mirror, turn, input_wh, codec_sigma, normalization: the choices.
        skeleton_parts: reasons of the skeleton's links and sigmas.
        schedule: batch, epochs, rates.
        pretrain: the keypoints that keep their rows of the initial weights.
        shows_people: whether the bundled detector of persons finds the objects.
        half_body: whether crops sometimes show only a part of the body.
        exif_orientation: of the datasets.
        minutes: the time budget.
        radiographs: whether the images are radiographs, which have their own augmentation.
        quarter_turns: probability of a turn by 90 degrees or more; only for radiographs.
        millimetres: whether all images state their pixel spacing.
        cpu_operators: whether to train with the toolkit's own operators, which need a compiler.
    """

    skeleton: Choice[Skeleton]
    skeleton_parts: Mapping[str, Choice[Any]]
    box: Choice[str]
    mirror: Choice[bool]
    turn: Choice[int]
    input_wh: Choice[Tuple[int, int]]
    codec_sigma: Choice[float]
    normalization: Choice[Statistics]
    schedule: Schedule
    pretrain: Choice[Sequence[str]]
    shows_people: bool
    half_body: bool
    exif_orientation: str
    minutes: float
    radiographs: Choice[bool]
    quarter_turns: Choice[float]
    millimetres: bool = False
    cpu_operators: bool = False


def make_plan(
    objects: ClassObjects,
    images: Path,
    counts: Tuple[int, int],
    minutes: float,
    turned: bool = False,
    sigmas: Optional[Sequence[float]] = None,
    pixels_per_s: Optional[float] = None,
    cpu_operators: bool = False,
    preset: str = "auto",
) -> Plan:
    """Choose everything.

    Args:
        objects: of one class, training and validation.
        images: folder of the images.
        counts: training and validation objects.
        minutes: time budget.
        turned: whether labels refer to images rotated by their EXIF orientation.
        sigmas: stated OKS sigmas.
        pixels_per_s: measured training speed in input pixels; None for an estimate.
        cpu_operators: train with the toolkit's own operators.
        preset: see `plan_radiographs`.
    """
    num_train, num_val = counts
    parts = plan_skeleton(objects, sigmas)
    skeleton = parts["skeleton"]
    names = [str(image["file_name"]) for image in objects.images]
    radiographs = plan_radiographs(preset, images, names)
    box = plan_box(objects)
    if radiographs.value:
        box = radiograph_box(box, np.bincount(objects.image_row, minlength=len(objects.images)))
    if box.value == EXTENT and any(box_of(objects, row)[1] for row in range(len(objects.keypoints))):
        why = (
            "Some keypoints lie on a line or a point, so boxes were written into the annotation files, each side at least a "
            "fifth of the other"
        )
        box = Choice(GIVEN, f"{box.why}. {why}")
    turn = plan_turn(objects)
    speed, how = (ESTIMATED_PIXELS_PER_S, "estimated for two cores") if pixels_per_s is None else believed_speed(pixels_per_s)
    size = plan_input(objects, box.value, num_train, pixels_in_budget(minutes, speed), turn.value)
    area = size.value[0] * size.value[1]
    shared = list(shared_with_coco(skeleton.value.names))
    return Plan(
        skeleton=skeleton,
        skeleton_parts=parts,
        box=box,
        mirror=plan_mirror(objects, skeleton.value),
        turn=turn,
        input_wh=size,
        codec_sigma=_codec_sigma(area),
        normalization=plan_normalization(images, names),
        schedule=plan_schedule(num_train, num_val, minutes, speed / area, how, len(shared) / skeleton.value.num_keypoints),
        pretrain=Choice(shared, _pretrain_reason(shared, skeleton.value.num_keypoints)),
        shows_people=is_person(objects),
        half_body=is_person(objects) and skeleton.value.num_keypoints > 8,
        exif_orientation="turned" if turned else "auto",
        minutes=minutes,
        radiographs=radiographs,
        quarter_turns=plan_quarter_turns(turns(objects.keypoints)),
        millimetres=all(image.get(SPACING) is not None for image in objects.images),
        cpu_operators=cpu_operators,
    )


def _codec_sigma(area: int) -> Choice[float]:
    value = round(float(np.clip(np.sqrt(area) / 4 / CELLS_PER_SIGMA, 1, 3)), 1)
    return Choice(value, f"heatmap cells: 1/{CELLS_PER_SIGMA} of the heatmap's size, at least 1, as in PP-TinyPose's recipes")


def _pretrain_reason(shared: Sequence[str], count: int) -> str:
    if not shared:
        return "the bundled PP-TinyPose for people: all layers but the last one, which is initialised anew"
    return (
        f"the bundled PP-TinyPose for people; {len(shared)} of {count} keypoints share a name with it and keep their rows"
    )


def box_of(objects: ClassObjects, row: int) -> Tuple[List[float], bool]:
    """[x, y, w, h] of an object: as given, else the extent of its keypoints, widened if that is too flat (then True)."""
    given = objects.boxes_xywh[row]
    if np.isfinite(given).all():
        return [float(value) for value in given], False
    extent = objects.extents_xywh[row].tolist()
    wider = widened(extent, objects.image_wh[objects.image_row[row]])
    return (extent, False) if wider is None else (wider, True)


def annotation_file(objects: ClassObjects, image_ids: Sequence[Any], skeleton: Skeleton) -> Dict[str, Any]:
    """A COCO file of some of the images, with boxes, counts, names and links added where the original lacks them.

    Args:
        objects: of one class.
        image_ids: ids of the images, which are renumbered from 1.
        skeleton: gives names and links.
    """
    numbers = {image["id"]: number for number, image in enumerate(objects.images, start=1)}
    wanted = set(image_ids)
    used = [image for image in objects.images if image["id"] in wanted]
    images = [{**image, "id": numbers[image["id"]], "source_id": image["id"]} for image in used]
    annotations: List[Dict[str, Any]] = []
    for row, each in enumerate(objects.annotations):
        if each["image_id"] not in wanted:
            continue
        flat = [round(float(value), 4) for value in objects.keypoints[row].reshape(-1)]
        flat[2::3] = [int(v) for v in flat[2::3]]
        annotations.append({
            **each, "id": len(annotations) + 1, "image_id": numbers[each["image_id"]], "category_id": 1, "iscrowd": 0,
            "bbox": [round(value, 3) for value in box_of(objects, row)[0]], "keypoints": flat,
            "num_keypoints": sum(v > 0 for v in flat[2::3]),
        })  # fmt: skip
    links = [[a + 1, b + 1] for a, b in skeleton.links]
    name = str(objects.category.get("name", "object"))
    category = {"id": 1, "name": name, "supercategory": name, "keypoints": list(skeleton.names), "skeleton": links}
    return {"images": images, "annotations": annotations, "categories": [category]}

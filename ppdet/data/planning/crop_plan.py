"""Chooses what a crop is made around, whether images are mirrored, how far they are turned, and the network's input.

Legend: N objects, K keypoints.
"""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

import numpy as np

from ppdet.annotations.sidedness import fewest_for_an_order, one_sided
from ppdet.data.coco.persons import EXTENT, GIVEN, IMAGE
from ppdet.data.planning.choice import Choice
from ppdet.data.planning.class_objects import ClassObjects
from ppdet.data.planning.shapes import mirrored_share, pairs_asymmetry, turns
from ppdet.data.planning.skeleton_plan import is_person
from ppdet.geometry.crop import BOX_PADDING
from ppdet.skeletons import Skeleton
from ppdet.skeletons.side_names import side_of

SINGLE = 0.95
"""A whole image can serve as the box of its object if at least this share of the images shows one object."""
FILLS = 0.3
"""Objects are large enough for whole images if their boxes span at least this share of the image's longer side."""
ALL_OVER = 0.8
"""Boxes that cover at least this share of their image count as whole images."""
FEWEST_FOR_SIDES = 6
"""Fewer objects say nothing of left and right, whatever they share (2 * .5^6 = .03)."""
BOTH_HANDS = 0.15
ASYMMETRIC, WORSE_BY = 0.35, 1.5
STRIDE = 32
"""Sides of the input are multiples of the network's coarsest stride."""
WHOLE_PADDING = 1.1
"""Factor on the crop of a whole image: some room for keypoints at the border, without wasting much of the input."""
SMALLEST_AREA, LARGEST_AREA = 96 * 128, 384 * 384
"""Limits of the input's area in pixels: the smaller PP-TinyPose, and what a CPU can still train."""
FEWEST_SEEN, FEWEST_PASSES = 4000, 40
"""Fewest crops, and fewest passes over the data, for training from the bundled weights."""
FEWEST_SEEN_OF_PEOPLE = 8000
"""Fewest crops for people: the bundled weights were trained on people at 96 x 128, so sizes near that start far ahead."""
SMALLEST_SIDE, LARGEST_SIDE = 64, 768


def plan_box(objects: ClassObjects) -> Choice[str]:
    """What a crop is made around: the given boxes, the extent of the keypoints, or the whole image."""
    counts = np.bincount(objects.image_row, minlength=len(objects.image_wh))
    single = float((counts == 1).mean())
    with_box = np.isfinite(objects.boxes_xywh).all(axis=1)
    wh = objects.image_wh[objects.image_row]
    boxes = np.where(with_box[:, None], objects.boxes_xywh, objects.extents_xywh)
    cover = float(np.median(np.prod(np.clip(boxes[:, 2:] / wh, 0, 1), axis=1)))
    length = float(np.median(boxes[:, 2:].max(axis=1) / wh.max(axis=1)))
    person, has_boxes = is_person(objects), bool(with_box.mean() >= 0.9)
    if single >= SINGLE and has_boxes and cover >= ALL_OVER:
        return Choice(
            IMAGE, f"the boxes cover {cover:.0%} of their images (median): the whole image is the box, no detector needed"
        )
    if single >= SINGLE and not person and length >= FILLS:
        return Choice(
            IMAGE,
            f"one object per image, which spans {length:.0%} of the image's longer side (median): the whole image serves as its "
            "box, in training and at inference, and no detector is needed",
        )
    if has_boxes:
        use = "at inference, boxes have to come from a detector (a config for one is beside this one) or from a file (--det)"
        use = "at inference, the bundled person detector finds them" if person else use
        return Choice(GIVEN, f"the file has boxes, and an object spans {length:.0%} of its image's longer side (median); {use}")
    if single >= SINGLE and not person:
        return Choice(
            IMAGE,
            "one object per image and no boxes in the file: without a detector, only the whole image is available at inference, "
            f"although an object spans only {length:.0%} of its longer side (median)",
        )
    use = "boxes have to come from a detector (a config for one is beside this one) or from a file (--det)"
    use = "they come from the bundled person detector" if person else use
    return Choice(
        EXTENT,
        f"the file has no boxes: crops are made around the keypoints, {counts.mean():.1f} objects per image; at inference {use}",
    )


def plan_mirror(objects: ClassObjects, skeleton: Skeleton) -> Choice[bool]:
    """Whether training images are mirrored."""
    pairs, names = skeleton.flip_pairs, skeleton.names
    paired = {index for pair in pairs for index in pair}
    alone = [name for index, name in enumerate(names) if index not in paired and side_of(name)]
    order = one_sided(objects.keypoints, names, pairs, FEWEST_FOR_SIDES)
    if not pairs:
        share, count = mirrored_share(objects.keypoints)
        if count >= FEWEST_FOR_SIDES and BOTH_HANDS <= share <= 1 - BOTH_HANDS:
            return Choice(
                True,
                f"left- and right-handed objects occur: {share:.0%} of {count} objects match the others better when mirrored; no "
                "keypoints swap names",
            )
        return Choice(
            False,
            "no keypoint is named left or right, and all objects have the same handedness: none looks like a mirror image",
        )
    if alone:
        return Choice(False, f"{alone[0]} has no partner on the other side: its name would be wrong in a mirror image")
    if order is not None:
        return Choice(
            False,
            f"one-sided: {order}; mirror images would show the opposite, and left and right would be predicted at the same spot",
        )
    swapped, plain = pairs_asymmetry(objects.keypoints, pairs)
    if swapped > ASYMMETRIC and swapped > WORSE_BY * plain:
        return Choice(
            False,
            f"the pairs are not symmetric in the data (mirrored shapes are off by {swapped:.0%} of their size, {plain:.0%} "
            "without swapping): check the names",
        )
    if len(objects.keypoints) < fewest_for_an_order(len(names), len(pairs)):
        return Choice(
            True,
            f"left and right keypoints swap; {len(objects.keypoints)} objects are too few to tell whether all face the same way: "
            "if they do, switch it off (flip: false, twice)",
        )
    return Choice(True, "left and right keypoints swap, and the objects face both ways")


def plan_turn(objects: ClassObjects) -> Choice[int]:
    """Degrees of the random turns."""
    found = np.abs(turns(objects.keypoints))
    if len(found) < FEWEST_FOR_SIDES:
        return Choice(30, "as in PP-TinyPose's recipe")
    spread = float(np.percentile(found, 80))
    degrees = int(np.clip(5 * round(spread * 0.75 / 5), 15, 90))
    return Choice(degrees, f"80% of the objects are turned by up to {spread:.0f} degrees from the mean orientation")


def crop_sizes(objects: ClassObjects, box: str) -> np.ndarray:
    """(N, 2) width and height of the objects' boxes in pixels, before padding."""
    wh = objects.image_wh[objects.image_row]
    if box == IMAGE:
        return wh
    given = np.isfinite(objects.boxes_xywh).all(axis=1, keepdims=True) & (box == GIVEN)
    return np.maximum(np.where(given, objects.boxes_xywh, objects.extents_xywh)[:, 2:], 1.0)


def plan_input(objects: ClassObjects, box: str, num_train: int, pixels: float, turn: int) -> Choice[Tuple[int, int]]:
    """Width and height of the network's input.

    Args:
        objects: of the class.
        box: what crops are made around.
        num_train: training objects.
        pixels: input pixels that the time budget trains on.
        turn: degrees of the random turns; objects of any orientation need a square.
    """
    padding = WHOLE_PADDING if box == IMAGE else BOX_PADDING
    sizes = crop_sizes(objects, box)
    aspect = float(np.exp(np.median(np.log(sizes[:, 0] / sizes[:, 1]))))
    spread = float(np.exp(np.median(np.abs(np.log(sizes[:, 0] / sizes[:, 1]) - np.log(aspect)))))
    square = box != IMAGE and (turn >= 60 or spread > 1.5)
    if is_person(objects) and box != IMAGE and not square:
        aspect = min(max(aspect, 0.5), 1.0)
    used = 1.0 if square else float(np.clip(aspect, 1 / 6, 6.0))
    detail = float(np.median(sizes.prod(axis=1))) * padding**2
    people = is_person(objects)
    area = pixels / max(FEWEST_SEEN_OF_PEOPLE if people else FEWEST_SEEN, FEWEST_PASSES * num_train)
    limit = 1.5 * detail
    wh = _sides(float(np.clip(min(area, limit), SMALLEST_AREA, LARGEST_AREA)), used)
    why = f"aspect {used:.2f} (objects: {aspect:.2f} in the median{', at all angles or of all aspects' if square else ''}); "
    seen = int(pixels / (wh[0] * wh[1]))
    why += (f"no more than the {int(np.sqrt(detail))} pixels across that the images have" if limit < area else
            f"the largest size at which the time allows about {seen} crops ({seen / max(num_train, 1):.0f} passes)")  # fmt: skip
    return Choice(wh, why)


def _sides(area: float, aspect: float) -> Tuple[int, int]:
    """Multiples of 32 with about this area and aspect."""
    options: List[Tuple[float, Tuple[int, int]]] = []
    for width in range(SMALLEST_SIDE, LARGEST_SIDE + 1, STRIDE):
        for height in range(SMALLEST_SIDE, LARGEST_SIDE + 1, STRIDE):
            off = abs(np.log(width * height / area)) + 1.5 * abs(np.log(width / height / aspect))
            options.append((off, (width, height)))
    return min(options)[1]


def widened(extent_xywh: Sequence[float], image_wh: Sequence[float]) -> Optional[List[float]]:
    """A box for keypoints whose extent is too flat to be one, else None: at least a fifth of the longer side each way, or a tenth
    of the image's shorter side if all lie on one spot."""
    x, y, w, h = (float(value) for value in extent_xywh)
    least = max(0.2 * max(w, h), 0.1 * min(image_wh) if max(w, h) < 1 else 0.0, 4.0)
    if min(w, h) >= least:
        return None
    wide, high = max(w, least), max(h, least)
    return [x + w / 2 - wide / 2, y + h / 2 - high / 2, wide, high]

"""Which classes are people, by their names and the names of their keypoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ppdet.skeletons.base import Keypoint
from ppdet.skeletons.side_names import plain_name
from ppdet.skeletons.tables import COCO17

PERSON_NAMES = ("person", "pedestrian", "human", "people", "persons", "pedestrians")
"""What datasets and detectors call people, in lower case."""

BODY_NAMES = 8
"""A class that shares at least this many names with COCO's people shows people, whatever it is called, if wrists or ankles are
among them: animals have shoulders and knees, but paws and hooves."""

LIMB_ENDS = ("left_wrist", "right_wrist", "left_ankle", "right_ankle")


def shared_with_coco(names: Sequence[str]) -> Mapping[str, Keypoint]:
    """Keypoints of COCO's people by the names that mean the same here (LAnkle: left_ankle)."""
    known = {keypoint.name: keypoint for keypoint in COCO17.keypoints}
    return {name: known[plain_name(name)] for name in names if plain_name(name) in known}


def shows_people(names: Sequence[str], called: str) -> bool:
    """Whether a class shows people: half of COCO's names are enough for a class that is called a person.

    Args:
        names: of its keypoints.
        called: its name.
    """
    shared = shared_with_coco(names)
    if called.strip().lower() in PERSON_NAMES:
        return len(shared) > 0 and 2 * len(shared) >= len(names)
    return len(shared) >= BODY_NAMES and any(keypoint.name in LIMB_ENDS for keypoint in shared.values())

"""OpenPose's JSON: a folder with one file per image or frame, in the order of BODY_25.

Format: https://github.com/CMU-Perceptual-Computing-Lab/openpose/blob/master/doc/02_output.md
"""
from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.files import atomic_folder
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.poses import Poses
from ppdet.inference.person import rounded
from ppdet.skeletons import Skeleton

VERSION = 1.3
SUFFIX = "_keypoints.json"
NO_IDENTITY = -1
FEWEST_SHARED = 8

# OpenPose's order; each is the keypoint of one of these names, or the middle of two.
BODY_25: tuple[tuple[str, ...], ...] = (
    ("nose",), ("neck", "upper_neck", "left_shoulder+right_shoulder"), ("right_shoulder",), ("right_elbow",), ("right_wrist",),
    ("left_shoulder",), ("left_elbow",), ("left_wrist",), ("pelvis", "left_hip+right_hip"), ("right_hip",), ("right_knee",),
    ("right_ankle",), ("left_hip",), ("left_knee",), ("left_ankle",), ("right_eye",), ("left_eye",), ("right_ear",),
    ("left_ear",), ("left_big_toe",), ("left_small_toe",), ("left_heel",), ("right_big_toe",), ("right_small_toe",),
    ("right_heel",),
)  # fmt: skip
_EMPTY = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d", "face_keypoints_3d",
          "hand_left_keypoints_3d", "hand_right_keypoints_3d")  # fmt: skip


class OpenPoseWriter(PoseWriter):
    """Writes `NAME_000000000000_keypoints.json` for frame 1, and so on; of images `NAME_keypoints.json`.

    Raises:
        ConfigError: the skeleton is not of a body.
        MediaError: the folder exists and holds other files; it would be replaced.
    """

    def _temporary(self) -> AbstractContextManager[Path]:
        others = [each.name for each in self.path.iterdir() if not each.name.endswith(SUFFIX)] if self.path.is_dir() else []
        if others or self.path.is_file():
            what = f"is a folder with other files ({others[0]}, ...)" if others else "is a file"
            raise MediaError(f"{self.path} {what}; the format openpose replaces the whole folder: give another name")
        return atomic_folder(self.path)

    def _open(self, temporary: Path) -> None:
        self._folder = temporary
        self._used: set[str] = set()

    def _write(self, result: Poses, video: str | None) -> None:
        people = [self._person(row, identity) for row, identity in zip(body_25(result), _identities(result))]
        text = json.dumps({"version": VERSION, "people": people}, ensure_ascii=False)
        (self._folder / self._name(result, video)).write_text(text + "\n", encoding="utf-8")

    def _name(self, result: Poses, video: str | None) -> str:
        if result.frame_id is not None:
            name = f"{Path(video or self.path.name).stem}_{result.frame_id - 1:012d}"
        else:
            name = Path(result.path or f"{self.path.stem}_{self.count:012d}").stem
        number, free = 2, name
        while free in self._used:
            free, number = f"{name}_{number}", number + 1
        self._used.add(free)
        return free + SUFFIX

    @staticmethod
    def _person(rows: np.ndarray, identity: int) -> dict[str, Any]:
        values = rounded(np.ravel(rows))
        return {"person_id": [identity], "pose_keypoints_2d": values, **{name: [] for name in _EMPTY}}


def body_25(result: Poses) -> np.ndarray:
    """(N, 25, 3) x, y, score in OpenPose's order; keypoints that the skeleton does not have are zero.

    The neck is the middle of the shoulders and the middle of the hips that of the hips, unless the skeleton has such a keypoint;
    their score is the lower of the two.

    Raises:
        ConfigError: the skeleton is not of a body.
    """
    rows = np.concatenate([result.keypoints, result.scores[..., None]], axis=2)
    places = _places(result.skeleton)
    body = np.zeros((len(result), len(BODY_25), 3), np.float32)
    for number, (first, second) in places.items():
        body[:, number] = (rows[:, first] + rows[:, second]) / 2
        body[:, number, 2] = np.minimum(rows[:, first, 2], rows[:, second, 2])
    return body


def _places(skeleton: Skeleton) -> dict[int, tuple[int, int]]:
    """Place in BODY_25 -> the two places in the skeleton of which it is the middle; twice the same for one keypoint."""
    names = {name: place for place, name in enumerate(skeleton.names)}
    found: dict[int, tuple[int, int]] = {}
    for number, choices in enumerate(BODY_25):
        for choice in choices:
            parts = choice.split("+")
            if all(part in names for part in parts):
                found[number] = (names[parts[0]], names[parts[-1]])
                break
    if len(found) < FEWEST_SHARED:
        raise ConfigError(f"the format openpose is for bodies, and skeleton {skeleton.name} shares only {len(found)} keypoints "
                          "with BODY_25: choose jsonl or csv")
    return found


def _identities(result: Poses) -> list[int]:
    return [NO_IDENTITY] * len(result) if result.track_ids is None else [int(each) for each in result.track_ids]

"""MPII Human Pose, one sample per person (Andriluka et al., CVPR 2014), in the JSON of the HRNet and simple-baseline authors.

Legend: N persons, K keypoints.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Tuple, Union

import numpy as np

from ppdet.annotations.values import is_id, is_number
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.json_file import read_json
from ppdet.data.coco.file import files_exist, id_array
from ppdet.data.coco.person_table import ImageTable, PersonTable
from ppdet.data.coco.persons import GIVEN
from ppdet.data.coco.report import AnnotationReport
from ppdet.data.samples.person import PersonSample
from ppdet.data.sources.top_down_dataset import TopDownDataset

BODY_UNIT = 200
"""Pixels of body height that MPII's `scale` of 1 means."""


@register
class KeypointTopDownMPIIDataset(TopDownDataset):
    """Persons of a JSON list of {image, center, scale, joints (or gt_joints), joints_vis}.

    Coordinates in the file count from 1. The box is a square of 200 x scale pixels, moved down by 15 x scale because MPII
    centres heads too generously; the usual padding is added on top. All persons are kept, also those without a visible
    keypoint: the evaluation counts them by their order, so `index` of a sample is its row in the file.

    Entries whose visible keypoints are all at (0, 0), and files without any labelled keypoint, are refused: a conversion that
    missed the key `joints` leaves them behind, and a network would learn nothing from them.

    Arguments are described at `TopDownDataset`.
    """

    default_joints = 16

    def _read(self, report: AnnotationReport) -> Tuple[ImageTable, PersonTable]:
        if self.box != GIVEN:
            raise ConfigError(f"KeypointTopDownMPIIDataset: boxes are MPII's center and scale; box is {self.box!r}, leave it out")
        entries = read_json(self.annotation_file, "annotation file", "check dataset_dir and anno_path")
        if not isinstance(entries, list):
            raise DataError(
                f"{self.annotation_file}: expected a list of {{image, center, scale, joints, joints_vis}}, found a "
                f"{type(entries).__name__}; COCO-style files are read by KeypointTopDownCocoDataset"
            )
        unlabelled = not any(isinstance(e, dict) and _joints(e) is not None for e in entries)  # a test set
        good: List[Dict[str, Any]] = []
        for position, entry in enumerate(entries):
            problem = _problem(entry, self.num_joints, unlabelled)
            if problem:
                report.add_bad(problem, f"[{position}]")
            else:
                good.append({**entry, "row": position})
        if good and not unlabelled and not any(np.any(np.array(entry["joints_vis"], np.float64)) for entry in good):
            raise DataError(
                f"{self.annotation_file}: none of its {len(good)} persons has a visible keypoint; they were lost in a "
                "conversion. Use the HRNet authors' annot/*.json (key `joints`) or PaddleDetection's (`gt_joints`)"
            )
        return self._tables(good, report)

    def describe(self, index: int) -> PersonSample:
        """The sample without its pixels; its `index` is the row in the annotation file, which PCKh counts by."""
        sample = super().describe(index)
        assert self.persons is not None
        sample.index = int(self.persons.annotation_id[index])
        return sample

    def _tables(self, entries: List[Dict[str, Any]], report: AnnotationReport) -> Tuple[ImageTable, PersonTable]:
        names = sorted({entry["image"] for entry in entries})
        paths = [os.path.join(self.image_folder, name) for name in names]
        there = dict(zip(names, files_exist(paths)))
        for name, path in zip(names, paths):
            if not there[name]:
                report.add_bad("image file missing", path)
        if names and not any(there.values()):
            raise DataError(
                f"{self.annotation_file}: none of its {len(names)} image files exists, e.g. {paths[0]}; set dataset_dir and "
                "image_dir to the folder that holds them"
            )
        kept = [name for name in names if there[name]]
        entries = [entry for entry in entries if there[entry["image"]]]
        ids = {entry["image"]: entry.get("image_id", _id_of(entry["image"])) for entry in entries}
        images = ImageTable(
            [os.path.join(self.image_folder, name) for name in kept],
            id_array([ids[name] for name in kept]),
            np.zeros((len(kept), 2), np.int64),
        )
        row_of = {name: row for row, name in enumerate(kept)}
        return images, self._persons(entries, np.array([row_of[e["image"]] for e in entries], np.int64))

    def _persons(self, entries: List[Dict[str, Any]], rows: np.ndarray) -> PersonTable:
        scale = np.array([e["scale"] for e in entries], np.float64).reshape(-1, 1)
        center = np.array([e["center"] for e in entries], np.float64).reshape(-1, 2)
        center[:, 1:] += 15 * scale
        center -= 1
        half = scale * BODY_UNIT / 2
        blank = np.zeros((self.num_joints, 2))
        xy = np.array([blank + 1 if _joints(e) is None else np.array(_joints(e), np.float64)[:, :2] for e in entries])
        flags = [blank[:, 0] if _joints(e) is None else e["joints_vis"] for e in entries]
        visible = (np.array(flags, np.float64) > 0).astype(np.float64)
        xy = (xy.reshape(-1, self.num_joints, 2) - 1) * visible.reshape(-1, self.num_joints, 1)
        keypoints = np.concatenate([xy, visible.reshape(-1, self.num_joints, 1)], axis=2).astype(np.float32)
        return PersonTable(
            image_row=rows,
            boxes_xyxy=np.concatenate([center - half, center + half], axis=1),
            keypoints=keypoints,
            area=(scale[:, 0] * BODY_UNIT) ** 2,
            box_score=np.ones(len(entries)),
            annotation_id=np.array([e["row"] for e in entries], object),
            category_row=np.full(len(entries), -1, np.int64),
        )


def _joints(entry: Dict[str, Any]) -> Any:
    """The keypoints: `gt_joints` in PaddleDetection's files, `joints` in those of the JSON's authors."""
    return entry.get("gt_joints", entry.get("joints"))


def _problem(entry: Any, num_joints: int, unlabelled: bool) -> str:
    if not isinstance(entry, dict):
        return "not a mapping"
    for key in ("image", "center", "scale"):
        if key not in entry:
            return f"without `{key}`"
    if not isinstance(entry["image"], str) or not is_id(entry.get("image_id", 0)):
        return "with an `image` or `image_id` that is no name"
    numbers = [*entry["center"], entry["scale"]] if isinstance(entry["center"], list) else []
    if len(numbers) != 3 or not all(is_number(v) for v in numbers) or entry["scale"] <= 0 or entry["center"][0] == -1:
        return "with a `center` or `scale` that makes no box"
    if unlabelled:
        return ""
    joints, visible = _joints(entry), entry.get("joints_vis")
    if joints is None or visible is None:
        return "without `joints` or `joints_vis`"
    if _shape(visible) != (num_joints,) or _shape(joints) not in ((num_joints, 2), (num_joints, 3)):
        return f"with `joints` or `joints_vis` that are not {num_joints} points and flags"
    if np.any(np.array(visible, np.float64)) and not np.any(np.array(joints, np.float64)[:, :2]):
        return "with visible `joints` that are all zero"
    return ""


def _shape(values: Any) -> Tuple[int, ...]:
    """Shape of nested lists of finite numbers, (0,) of anything else."""
    try:
        array = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        return (0,)
    return array.shape if np.isfinite(array).all() else (0,)


def _id_of(name: str) -> Union[int, str]:
    stem = os.path.splitext(os.path.basename(name))[0]
    return int(stem) if stem.isdigit() else stem

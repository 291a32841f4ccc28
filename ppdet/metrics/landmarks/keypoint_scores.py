"""The metric behind plain names: `metric: [EPE, PCK, AP]`.

Axes: B samples of a batch, N objects, K keypoints. Coordinates are image pixels.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence
from zlib import crc32

import numpy as np

import ppdet.metrics.bottom_up_keypoint  # noqa: F401  (fills the registry)
import ppdet.metrics.coco_keypoint  # noqa: F401
from ppdet.core.config.registry import register, registry
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.geometry.crop import BOX_PADDING
from ppdet.metrics.keypoint_diagnostics import coinciding
from ppdet.metrics.landmarks.figure_names import DEFAULT_NAMES, Figure, parse_figures
from ppdet.metrics.landmarks.figures import FigureTable, tabulate
from ppdet.metrics.landmarks.matching import match_objects
from ppdet.metrics.landmarks.pixel_spacing import ADVICE, require_spacing, spacing_by_image, spacing_xy
from ppdet.metrics.landmarks.point_errors import (
    PointErrors,
    check_unit,
    head_pair,
    measure,
    pair_distance,
    reference_length,
)
from ppdet.metrics.landmarks.score_report import describe_unit, score_report, tables_as_json
from ppdet.metrics.person_instances import PersonInstances
from ppdet.metrics.result_file import write_results
from ppdet.skeletons import Skeleton, get_skeleton

logger = get_logger(__name__)

RESULT_FILE, TABLE_FILE = "keypoints_results.json", "keypoint_scores.json"
_SAMPLES, _PEOPLE = "samples.", "people."


@register
class KeypointScores:
    """Named figures of keypoints, in total and per keypoint, with bootstrap intervals over images.

    Where the samples carry their truth (top-down, annotated boxes), each prediction is compared with its own object. With
    a detector's boxes, bottom-up models and result files, predictions and objects of an image are matched one to one by OKS;
    objects without a prediction count as wrong in PCK, PCKh, AUC and SDR, and are left out of EPE, NME, MRE and SD.

    Args:
        anno_file: annotation file; needed for AP, for matching, and for the pixel spacing of images.
        names: see `figure_names.parse_figures`; the first one selects the best model.
        unit: reference length of PCK and NME: "box" (longer side), "diagonal", "area" (square root), or two keypoint names.
        head: two keypoint names whose distance is the head size of PCKh; None for head top and neck.
        pixel_spacing: millimetres per pixel of all images, a number or [row, column]; None takes `pixel_spacing` of each image.
        image_dir: folder of the images; DICOM files in it state their spacing.
        bootstrap: number of bootstrap samples for the intervals; 0 for none.
        ap: metric that collects people and computes AP.
        num_joints: number of keypoints, checked against the skeleton.
        output_eval: folder for the predictions and `keypoint_scores.json`; None writes only through `save`.
        save_prediction_only: write the predictions and skip the evaluation.
        skeleton: names and OKS sigmas of the keypoints.
        category: as in the dataset.

    Attributes:
        main: name of the figure that selects the best model.
        higher_is_better: its direction.
        tables: after `compute` or `score`, the figures in detail.

    Raises:
        ConfigError: unknown names, a unit or head that the skeleton does not have.
        DataError: AP is asked for, and the annotation file is not COCO's or has another number of keypoints.
    """

    __shared__ = ["num_joints", "skeleton", "save_prediction_only"]
    result_file = RESULT_FILE

    def __init__(
        self,
        anno_file: Any = None,
        names: Any = DEFAULT_NAMES,
        unit: Any = "box",
        head: Any = None,
        pixel_spacing: Any = None,
        bootstrap: int = 1000,
        ap: str = "KeyPointTopDownCOCOEval",
        num_joints: Optional[int] = None,
        output_eval: Any = None,
        save_prediction_only: bool = False,
        *,
        skeleton: Any = "coco17",
        category: Any = None,
        image_dir: Any = None,
    ) -> None:
        self.skeleton: Skeleton = get_skeleton(skeleton)
        if num_joints not in (None, self.skeleton.num_keypoints):
            raise ConfigError(
                f"KeypointScores: num_joints is {num_joints}, but skeleton {self.skeleton.name!r} has "
                f"{self.skeleton.num_keypoints} keypoints. Set one of them right."
            )
        self.figures: List[Figure] = parse_figures(names)
        self.main, self.higher_is_better = self.figures[0].name, not self.figures[0].lower_is_better
        self.unit = check_unit(unit, self.skeleton)
        needs_head = any(figure.family == "PCKh" for figure in self.figures)
        self._head = head_pair(head, self.skeleton) if needs_head else None
        self._one_spacing = None if pixel_spacing is None else spacing_xy(pixel_spacing, "KeypointScores")
        self.bootstrap = int(bootstrap)
        self.anno_file = None if anno_file is None else Path(anno_file)
        self.output_eval = None if output_eval is None else Path(output_eval)
        self.save_prediction_only = bool(save_prediction_only)
        self._people, self._no_people = self._people_metric(ap, category)
        self._spacings = self._read_spacings(None if image_dir is None else Path(image_dir))
        self.stats: Dict[str, float] = {}
        self.tables: List[FigureTable] = []
        self._notes: List[str] = []
        self.reset()

    def reset(self) -> None:
        """Discard all collected predictions."""
        self.samples = PersonInstances(self.skeleton.num_keypoints, with_truth=True)
        if self._people is not None:
            self._people.reset()

    def update(self, batch: Mapping[str, np.ndarray]) -> None:
        """Collect one batch, as the metric `ap` takes it; with truth_xy (B,K,2) and visible (B,K) if the samples have them.

        Raises:
            DataError: the samples carry no truth, and the annotation file cannot provide it.
        """
        if "truth_xy" in batch and (np.asarray(batch["visible"]) > 0).any():
            numbers = [self._number(each) for each in np.asarray(batch["image_id"]).reshape(-1).tolist()]
            self.samples.add({**batch, "image_id": np.array(numbers, np.int64)})
        elif self._people is None:
            raise self._no_people
        if self._people is not None:
            self._people.update(batch)

    def state(self) -> Dict[str, np.ndarray]:
        """The collected predictions as numeric arrays for another process."""
        state = {_SAMPLES + name: values for name, values in self.samples.arrays().items()}
        if self._people is not None:
            state.update({_PEOPLE + name: values for name, values in self._people.state().items()})
        return state

    def merge(self, states: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Add the `state()` of other processes, except samples that are already there (by index)."""
        for state in states:
            samples = {key[len(_SAMPLES) :]: values for key, values in state.items() if key.startswith(_SAMPLES)}
            if len(samples["image_id"]):
                self.samples.add(samples)
            if self._people is not None:
                people = {key[len(_PEOPLE) :]: values for key, values in state.items() if key.startswith(_PEOPLE)}
                self._people.merge([people])

    def results(self) -> List[Dict[str, Any]]:
        """Result entries: those of the metric `ap`, or one per sample if the annotation file is not COCO's."""
        if self._people is not None:
            return list(self._people.results())
        rows = self.samples.arrays()
        return [
            {
                "image_id": int(image_id),
                "index": int(index),
                "keypoints": np.round(keypoints.astype(np.float64), 4).reshape(-1).tolist(),
                "score": float(keypoints[:, 2].mean()),
            }
            for image_id, index, keypoints in zip(rows["image_id"], rows["index"], rows["keypoints"])
        ]

    def save(self, path: Any) -> Path:
        """Write the result file (into `path` if it is a folder) and return its path."""
        return write_results(path, RESULT_FILE, self.results())

    def compute(self) -> Dict[str, float]:
        """The figures by name, the main one first. Empty with `save_prediction_only`."""
        results = self.results()
        if self.output_eval is not None:
            write_results(self.output_eval, RESULT_FILE, results)
        if self.save_prediction_only:
            return {}
        if len(self.samples):
            return self._finish(results, self._errors_of_samples())
        return self.score(results)

    def score(self, results: Sequence[Dict[str, Any]]) -> Dict[str, float]:
        """The figures of result entries, such as those of an older result file.

        Raises:
            DataError: the annotation file is not COCO's, or an image id is not in it.
        """
        if self._people is None:
            raise self._no_people
        return self._finish(results, self._errors_of_results(results))

    def report(self) -> str:
        """The figures, notes, and a table per keypoint with intervals."""
        if not self.stats:
            return "no evaluation was made"
        return score_report(self.stats, self.tables, self.skeleton.names, self._notes)

    def _finish(self, results: Sequence[Dict[str, Any]], errors: PointErrors) -> Dict[str, float]:
        ap: Dict[str, float] = {}
        if any(figure.is_ap for figure in self.figures):
            if self._people is None:
                raise self._no_people
            ap = self._people.score(results)
        self.tables = tabulate([figure for figure in self.figures if not figure.is_ap], errors, self.bootstrap)
        by_name = {table.figure.name: table.value for table in self.tables}
        self.stats = {figure.name: ap[figure.name] if figure.is_ap else by_name[figure.name] for figure in self.figures}
        if errors.missed:
            lost = f"{errors.missed} of {len(errors.pixels)} objects were not found"
            self._notes.append(f"{lost}: wrong in shares such as PCK, left out of errors such as EPE")
        self._notes += self._not_evaluated(errors)
        if ap and self._people is not None:
            self._notes += self._people.notes()
        if self.output_eval is not None:
            with atomic_write(self.output_eval / TABLE_FILE) as file:
                json.dump(tables_as_json(self.stats, self.tables, self.skeleton.names), file, indent=1)
        return dict(self.stats)

    def _not_evaluated(self, errors: PointErrors) -> List[str]:
        """A note on labelled objects of the file that were in no sample."""
        if self._people is None or not len(self.samples):
            return []
        objects = self._people.ground_truth.coco.dataset["annotations"]
        labelled = sum(bool(each["num_keypoints"]) and not each["iscrowd"] for each in objects)
        missing = labelled - len(errors.pixels)
        why = "their images could not be read, or the dataset left them out"
        return [f"{missing} of {labelled} labelled objects were not evaluated: {why}"] if missing > 0 else []

    def _errors_of_samples(self) -> PointErrors:
        rows = self.samples.arrays()
        labelled = (rows["visible"] > 0).any(axis=1)
        rows = {name: values[labelled] for name, values in rows.items()}
        padded = rows["size_wh"] / BOX_PADDING
        box_wh = np.where(np.isfinite(rows["box_wh"]), rows["box_wh"], padded)
        area = np.where(np.isfinite(rows["object_area"]), rows["object_area"], box_wh.prod(axis=1))
        truth = np.concatenate([rows["truth_xy"], rows["visible"][..., None]], axis=2)
        return self._errors(rows["keypoints"][..., :2], truth, box_wh, area, rows["image_id"])

    def _errors_of_results(self, results: Sequence[Dict[str, Any]]) -> PointErrors:
        truth = self._people.ground_truth
        objects = match_objects(truth.coco.dataset["annotations"], truth.for_coco(results), self.skeleton.sigmas)
        ids = dict(zip(truth.image_numbers, truth.image_ids))
        group = np.array([self._number(ids[number]) for number in objects.image.tolist()], np.int64)
        return self._errors(objects.xy, objects.truth, objects.box_xywh[:, 2:], objects.area, group)

    def _errors(
        self, xy: np.ndarray, truth: np.ndarray, box_wh: np.ndarray, area: np.ndarray, group: np.ndarray
    ) -> PointErrors:
        visible = truth[..., 2] > 0
        pixels, millimetres = measure(xy, truth[..., :2], visible, self._spacing_of(group))
        unit = reference_length(self.unit, self.skeleton, truth[..., :2], visible, box_wh, area)
        head = np.full(len(xy), np.nan) if self._head is None else pair_distance(self._head, truth[..., :2], visible)
        self._notes = [*self._unit_notes(unit, head), *coinciding(np.nan_to_num(xy), truth, self.skeleton.names)]
        return PointErrors(pixels, unit, head, group, millimetres)

    def _unit_notes(self, unit: np.ndarray, head: np.ndarray) -> List[str]:
        notes = []
        if any(figure.family in ("PCK", "NME") for figure in self.figures):
            notes.append(f"PCK and NME are relative to {describe_unit(self.unit)}{_without(unit)}")
        if self._head is not None:
            first, second = (self.skeleton.names[i] for i in self._head)
            notes.append(f"PCKh is relative to the distance of {first} and {second}{_without(head)}")
        return notes

    def _spacing_of(self, group: np.ndarray) -> Optional[np.ndarray]:
        if not any(figure.needs_spacing for figure in self.figures):
            return None
        if self._one_spacing is not None:
            return np.broadcast_to(np.array(self._one_spacing), (len(group), 2))
        require_spacing(self._spacings, np.unique(group).tolist(), self.anno_file)
        return np.array([self._spacings[number] for number in group.tolist()], np.float64).reshape(-1, 2)

    def _read_spacings(self, images: Optional[Path]) -> Dict[int, Any]:
        if self._one_spacing is not None or not any(figure.needs_spacing for figure in self.figures):
            return {}
        found = {} if self.anno_file is None else spacing_by_image(self.anno_file, self._number, images)
        if not found:
            asked = ", ".join(figure.name for figure in self.figures if figure.needs_spacing)
            raise ConfigError(f"{asked}: no pixel spacing is known; {ADVICE}")
        return found

    def _people_metric(self, ap: str, category: Any) -> tuple[Any, Exception]:
        """The metric that collects people and knows the file, or None and why there is none."""
        if self.anno_file is None:
            return None, DataError("KeypointScores: no annotation file is given, so there is nothing to compare with")
        try:
            options = {"skeleton": self.skeleton, "category": category, "per_keypoint": False}
            return registry.get(ap)(anno_file=self.anno_file, **options), DataError("")
        except DataError as error:
            if any(figure.is_ap for figure in self.figures):
                raise
            return None, error

    def _number(self, image_id: Any) -> int:
        """A number of an image that is the same in all processes; ids may be strings."""
        value = image_id.item() if isinstance(image_id, np.generic) else image_id
        return int(value) if isinstance(value, int) else crc32(str(value).encode()) + 2**40


def _without(length: np.ndarray) -> str:
    unknown = int((~(length > 0)).sum())
    return f"; {unknown} of {len(length)} objects have none and do not count there" if unknown else ""

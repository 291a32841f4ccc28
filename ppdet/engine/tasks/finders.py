"""Predictions on image files, as drawn images and JSON entries: people or boxes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Mapping, NamedTuple, Sequence

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.inference.estimators.base import PERSON_THRESHOLD
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.files.box_records import box_records
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult
from ppdet.visualize.box_drawer import BoxDrawer

IMAGES_TOGETHER = 8
POSE_FILE, BOX_FILE = "keypoint.json", "bbox.json"


@dataclass
class PredictOptions:
    """Options for predictions and their output.

    Attributes:
        output_dir: folder for the drawn images, each under its own name, and the JSON file.
        draw_threshold: smallest keypoint or box score that is drawn.
        save_results: write keypoint.json or bbox.json (COCO result entries with `file_name`).
        save_threshold: smallest person or box score in bbox.json.
        visualize: write the drawn images.
        det_threshold: smallest score of the detector's boxes.
        person_threshold: smallest mean keypoint score of a bottom-up model's people.
    """

    output_dir: str | Path = "output"
    draw_threshold: float = 0.5
    save_results: bool = False
    save_threshold: float = 0.5
    visualize: bool = True
    det_threshold: float = 0.5
    person_threshold: float = PERSON_THRESHOLD


class Found(NamedTuple):
    """Predictions on one image: number of people or boxes, the drawn image with `visualize`, and the JSON entries."""

    number: int
    drawn: np.ndarray | None
    records: list[dict[str, Any]]


class Finder(ABC):
    """Predicts on images.

    Attributes:
        things: name of what it finds, for the log.
        file_name: name of the JSON file.
    """

    things: ClassVar[str]
    file_name: ClassVar[str]

    @abstractmethod
    def find(self, images: Sequence[np.ndarray], paths: Sequence[Path], ids: Mapping[Path, int]) -> list[Found]:
        """Predictions on each image.

        Args:
            images: (H, W, 3) RGB uint8 each.
            paths: files of the images.
            ids: `image_id` of each file in the JSON entries.
        """

    def video_pipeline(self) -> PosePipeline:
        """The pipeline that runs frames of videos.

        Raises:
            ConfigError: this kind of model runs on images only.
        """
        raise ConfigError("--video_file needs a keypoint config; a detector is exported and run by deploy/python/infer.py")


class PoseFinder(Finder):
    """Finds people and their poses."""

    things, file_name = "people", POSE_FILE

    def __init__(self, pipeline: PosePipeline, options: PredictOptions) -> None:
        self._pipeline, self._options = pipeline, options

    def find(self, images: Sequence[np.ndarray], paths: Sequence[Path], ids: Mapping[Path, int]) -> list[Found]:
        """See `Finder.find`."""
        options, found = self._options, []
        results = self._pipeline.estimate_batch(images, [str(path) for path in paths])
        for path, image, result in zip(paths, images, results):
            drawn = result.draw(image, options.draw_threshold) if options.visualize else None
            scores = self._pipeline.estimator.ranking_scores(result)
            found.append(Found(len(result), drawn, pose_records(result, path, ids[path], scores)))
        return found

    def video_pipeline(self) -> PosePipeline:
        """See `Finder.video_pipeline`."""
        return self._pipeline


class BoxFinder(Finder):
    """Finds boxes."""

    things, file_name = "boxes", BOX_FILE

    def __init__(self, detector: BoxDetector, options: PredictOptions) -> None:
        self._detector, self._options = detector, options
        self._drawer = BoxDrawer(detector.card.label_list)

    def find(self, images: Sequence[np.ndarray], paths: Sequence[Path], ids: Mapping[Path, int]) -> list[Found]:
        """See `Finder.find`."""
        options, found = self._options, []
        for path, image, boxes in zip(paths, images, self._detector.detect(images)):
            drawn = None
            if options.visualize:
                drawn = self._drawer.draw(image, boxes.boxes_xyxy, boxes.scores, boxes.labels, options.draw_threshold)
            kept = boxes[boxes.scores >= options.save_threshold]
            found.append(Found(len(kept), drawn, box_records(kept, ids[path], path.name)))
        return found


def pose_records(result: PoseResult, path: Path, image_id: int, person_scores: np.ndarray) -> list[dict[str, Any]]:
    """People of one image as COCO keypoint results.

    Args:
        result: the people.
        path: the image.
        image_id: see `ppdet.inference.files.ids`.
        person_scores: (N,) scores by which people are ranked, see `PoseEstimator.ranking_scores`.
    """
    records = []
    for box, person_score, xy, scores in zip(result.boxes, person_scores, result.keypoints, result.scores):
        rows = np.concatenate([xy, scores[:, None]], axis=1).astype(np.float64)
        records.append(
            {
                "image_id": image_id,
                "file_name": path.name,
                "category_id": 1,
                "keypoints": np.round(rows, 4).reshape(-1).tolist(),
                "score": round(float(person_score), 5),
                "bbox": [round(float(v), 3) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1])],
            }
        )
    return records

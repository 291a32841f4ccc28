"""Predictions on image files, as drawn images and JSON entries: people or boxes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Mapping, NamedTuple, Sequence

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.inference.box_centers import BoxCenters
from ppdet.inference.estimators.base import PERSON_THRESHOLD
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.files.coco_results import box_records
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.formats.coco import coco_records
from ppdet.inference.formats.options import FormatOptions
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.table import format_named, open_writer
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
        pose_format: also write the poses in this format, see `ppdet.inference.formats`; None for no further file.
        mm_per_pixel: scale of formats that have one.
        image_range: [black, white] values of images with more than 8 bits; None finds it from each file.
    """

    output_dir: str | Path = "output"
    draw_threshold: float = 0.5
    save_results: bool = False
    save_threshold: float = 0.5
    visualize: bool = True
    det_threshold: float = 0.5
    person_threshold: float = PERSON_THRESHOLD
    pose_format: str | None = None
    mm_per_pixel: float | None = None
    image_range: Sequence[float] | None = None


class Found(NamedTuple):
    """Predictions on one image: number of people or boxes, the drawn image with `visualize`, the JSON entries, and the poses."""

    number: int
    drawn: np.ndarray | None
    records: list[dict[str, Any]]
    poses: PoseResult | None = None


class Finder(ABC):
    """Predicts on images.

    Attributes:
        thing, things: name of what it finds, for the log.
        file_name: name of the JSON file.
    """

    thing: ClassVar[str]
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

    def pose_writer(self, output: OutputFolder, stem: str, options: PredictOptions) -> PoseWriter:
        """A writer of `options.pose_format`, for a file in the output folder.

        Raises:
            ConfigError: an unknown format, or this kind of model finds no poses.
        """
        raise ConfigError("--format is for poses, and this config is a detector's: leave it out, --save_results writes its boxes")

    def video_pipeline(self) -> PosePipeline:
        """The pipeline that runs frames of videos.

        Raises:
            ConfigError: this kind of model runs on images only.
        """
        raise ConfigError("--video_file needs the config of a keypoint model or a FairMOT; a detector is exported and run by "
                          "deploy/python/infer.py")  # fmt: skip


class PoseFinder(Finder):
    """Finds people and their poses."""

    thing, things, file_name = "person", "people", POSE_FILE

    def __init__(self, pipeline: PosePipeline, options: PredictOptions) -> None:
        self._pipeline, self._options = pipeline, options

    def find(self, images: Sequence[np.ndarray], paths: Sequence[Path], ids: Mapping[Path, int]) -> list[Found]:
        """See `Finder.find`."""
        options, found = self._options, []
        results = self._pipeline.estimate_batch(images, [str(path) for path in paths])
        for path, image, result in zip(paths, images, results):
            drawn = result.draw(image, options.draw_threshold) if options.visualize else None
            scores = self._pipeline.estimator.ranking_scores(result)
            found.append(Found(len(result), drawn, coco_records(result, ids[path], path.name, scores), result))
        return found

    def pose_writer(self, output: OutputFolder, stem: str, options: PredictOptions) -> PoseWriter:
        """See `Finder.pose_writer`."""
        chosen = format_named(str(options.pose_format))
        how = FormatOptions(options.draw_threshold, options.mm_per_pixel, ranking=self._pipeline.estimator.ranking_scores)
        return open_writer(output.file(f"{stem}{chosen.suffix}"), chosen.name, how)

    def video_pipeline(self) -> PosePipeline:
        """See `Finder.video_pipeline`."""
        return self._pipeline


class BoxFinder(Finder):
    """Finds boxes."""

    thing, things, file_name = "box", "boxes", BOX_FILE

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


class TrackFinder(BoxFinder):
    """Finds boxes in images, and follows people in videos."""

    def video_pipeline(self) -> PosePipeline:
        """See `Finder.video_pipeline`; the only keypoint of a person is the centre of the box."""
        return PosePipeline(self._detector, BoxCenters(self._detector.card), det_threshold=self._options.det_threshold)

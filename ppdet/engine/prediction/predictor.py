"""Predict from weights: poses or boxes of image files, by the same path that runs exported models.

A top-down model alone takes each whole image as one person's box, as PaddleDetection does. With a detector's config and
weights it finds the people first. A bottom-up model finds everybody by itself.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from ppdet.core.config.load import Config, load_config
from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.engine.assembly import Assembly
from ppdet.engine.device import choose_device
from ppdet.engine.evaluation.setting import wants_flip_test
from ppdet.engine.tasks.bottom_up_prediction import bottom_up_estimator
from ppdet.engine.tasks.deployed_form import deployed_form
from ppdet.engine.weights.load import model_with_weights
from ppdet.image.io import list_images, write_image
from ppdet.inference.estimators.bottom_up import PERSON_THRESHOLD, BottomUpEstimator
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.files.box_records import box_records
from ppdet.inference.files.ids import image_ids
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult
from ppdet.inference.video.process import process_video
from ppdet.inference.video.reader import VideoReader
from ppdet.visualize.box_drawer import BoxDrawer

logger = get_logger(__name__)

IMAGES_TOGETHER = 8
SECONDS_BETWEEN_PROGRESS = 10.0
POSE_FILE, BOX_FILE = "keypoint.json", "bbox.json"


@dataclass
class PredictOptions:
    """What to do with the predictions.

    Attributes:
        output_dir: folder of the drawn images, each under its own name, and of the JSON file.
        draw_threshold: smallest keypoint or box score that is drawn.
        save_results: write keypoint.json or bbox.json (COCO result entries with `file_name`).
        save_threshold: smallest person or box score in bbox.json.
        visualize: write the drawn images.
        det_threshold: boxes of the detector below this are no people.
        person_threshold: people of a bottom-up model with a smaller mean keypoint score are left out.
    """

    output_dir: str | Path = "output"
    draw_threshold: float = 0.5
    save_results: bool = False
    save_threshold: float = 0.5
    visualize: bool = True
    det_threshold: float = 0.5
    person_threshold: float = PERSON_THRESHOLD


class Predictor:
    """Runs one config's model on image files.

    Args:
        assembly: the config's parts.
        model: the model with its weights.
        options: see `PredictOptions`.
        detector: finds people for a top-down model; None takes the whole image.

    Raises:
        ExportError: an architecture that cannot be run this way.
    """

    def __init__(
        self, assembly: Any, model: Any, options: PredictOptions | None = None, detector: BoxDetector | None = None
    ) -> None:
        self.options = options or PredictOptions()
        self._pipeline: PosePipeline | None = None
        if assembly.codec is not None and assembly.codec.kind == "bottom_up":
            refuse_detector(assembly, detector)
            estimator = bottom_up_estimator(assembly, model)
            self._pipeline = PosePipeline(None, estimator, person_threshold=self.options.person_threshold)
            return
        form = deployed_form(assembly, model)
        if form.card.is_top_down:
            flip_test = wants_flip_test(assembly.config, model)
            estimator = TopDownEstimator(form.runtime(), form.card, flip_test=flip_test)
            self._pipeline = PosePipeline(detector, estimator, det_threshold=self.options.det_threshold)
        elif detector is not None:
            raise ConfigError(f"{assembly.config.path} is a detector itself: leave out --det_config and --det_weights.")
        else:
            self._detector = BoxDetector(form.runtime(), form.card, batch_size=IMAGES_TOGETHER)
            self._drawer = BoxDrawer(form.card.label_list)

    def run(self, paths: Sequence[Path]) -> int:
        """Predict, draw and save.

        Args:
            paths: image files. One that cannot be read is reported and left out.

        Returns:
            0, or 1 if any image failed.

        Raises:
            MediaError: the output folder cannot be written.
        """
        output = OutputFolder(self.options.output_dir)
        inputs = ImageInputs(str(paths[0]), None)
        inputs.paths = list(paths)
        ids = dict(zip(paths, image_ids(paths)))
        started = shown = time.time()
        entries: list[dict[str, Any]] = []
        done = found = 0
        for group, images in inputs.groups(IMAGES_TOGETHER):
            for path, image, (count, drawn, rows) in zip(group, images, self._predict(group, images, ids)):
                if self.options.visualize:
                    write_image(output.file(path.name, path), image if drawn is None else drawn)
                entries += rows
                found += count
            done += len(group)
            if time.time() - shown > SECONDS_BETWEEN_PROGRESS:
                logger.info("%d of %d images", done, len(paths))
                shown = time.time()
        written = str(output.path)
        if self.options.save_results:
            file = output.file(POSE_FILE if self._pipeline is not None else BOX_FILE)
            with atomic_write(file) as stream:
                json.dump(entries, stream)
            written += f" and {file}"
        what = "people" if self._pipeline is not None else "boxes"
        logger.info("%d images, %d %s, %.1f s; wrote %s", done, found, what, time.time() - started, written)
        return inputs.exit_status()

    def run_video(self, source: str | Path) -> int:
        """Predict the poses of a video, frame by frame; writes the video under its own name and, if asked, the poses of
        every frame as ``<stem>_keypoint.json``.

        Returns:
            0, or 1 if frames could not be read (they are kept in place, without people).

        Raises:
            ConfigError: the model is a detector.
            MediaError: the video cannot be read or nothing can be written.
        """
        if self._pipeline is None:
            raise ConfigError("--video_file needs a keypoint config; a detector is exported and run by deploy/python/infer.py")
        output = OutputFolder(self.options.output_dir)
        path = Path(source)
        drawn = output.file(path.name, path) if self.options.visualize else None
        saved = output.file(f"{path.stem}_{POSE_FILE}") if self.options.save_results else None
        report = process_video(
            self._pipeline, path, drawn, saved, json_layout="named", keypoint_threshold=self.options.draw_threshold
        )
        written = ", ".join(map(str, report.written))
        logger.info("%d frames, %d people, %.1f s; wrote %s", report.frames, report.people, report.seconds, written)
        return 1 if report.unreadable else 0

    def _predict(self, paths: Sequence[Path], images: Sequence[np.ndarray], ids: dict[Path, int]) -> list[tuple[int, Any, list]]:
        """(number of people or boxes, drawn image or None, JSON entries) of each image."""
        options = self.options
        predictions = []
        if self._pipeline is not None:
            results = self._pipeline.estimate_batch(images, [str(path) for path in paths])
            for path, image, result in zip(paths, images, results):
                drawn = result.draw(image, options.draw_threshold) if options.visualize else None
                crowd = isinstance(self._pipeline.estimator, BottomUpEstimator)
                scores = result.box_scores if crowd else result.box_scores * result.person_scores
                predictions.append((len(result), drawn, pose_records(result, path, ids[path], scores)))
            return predictions
        for path, image, boxes in zip(paths, images, self._detector.detect(images)):
            drawn = None
            if options.visualize:
                drawn = self._drawer.draw(image, boxes.boxes_xyxy, boxes.scores, boxes.labels, options.draw_threshold)
            kept = boxes[boxes.scores >= options.save_threshold]
            predictions.append((len(kept), drawn, box_records(kept, ids[path], path.name)))
        return predictions


def refuse_detector(assembly: Any, detector: Any) -> None:
    """Raise if a bottom-up model is given a detector, which it has no use for.

    Raises:
        ConfigError: it is.
    """
    if detector is not None and assembly.codec is not None and assembly.codec.kind == "bottom_up":
        raise ConfigError(
            f"{assembly.config.path} is a bottom-up model, which finds everybody in the image by itself: leave out --det_config "
            "and --det_weights."
        )


def pose_records(result: PoseResult, path: Path, image_id: int, person_scores: np.ndarray) -> list[dict[str, Any]]:
    """People of one image as COCO keypoint results.

    Args:
        result: the people.
        path: the image.
        image_id: its number, see `ppdet.inference.files.ids`.
        person_scores: (N,) of the people: of boxes and keypoints together, or as a bottom-up model ranks them.
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


def find_images(infer_img: str | None = None, infer_dir: str | None = None, infer_list: str | None = None) -> list[Path]:
    """The images that were asked for.

    Args:
        infer_img: one file; wins over the others, as in PaddleDetection.
        infer_dir: a folder, or with `infer_list` the folder its names are in.
        infer_list: text file, one image a line; lines that start with # are left out.

    Raises:
        MediaError: nothing was asked for, or it is not there.
    """
    if infer_img:
        if not Path(infer_img).is_file():
            raise MediaError(f"there is no image {infer_img}: check --infer_img.")
        return [Path(infer_img)]
    if infer_list:
        if not Path(infer_list).is_file():
            raise MediaError(f"there is no list {infer_list}: check --infer_list.")
        names = [line.strip() for line in Path(infer_list).read_text(encoding="utf-8").splitlines()]
        paths = [Path(infer_dir or "") / name for name in names if name and not name.startswith("#")]
        if not paths:
            raise MediaError(f"{infer_list} names no image: it should have one a line.")
        return paths
    if infer_dir:
        return list_images(infer_dir)
    raise MediaError("no images: give --infer_img FILE, --infer_dir FOLDER or --infer_list FILE.")


def predict(
    config: Config,
    paths: Sequence[Path],
    options: PredictOptions,
    det_config: str | Path | None = None,
    det_weights: str | Path | None = None,
    video_file: str | Path | None = None,
) -> int:
    """Predict with the `weights` of a config; what `tools/infer.py` does.

    Args:
        config: a loaded config.
        paths: image files; not looked at with `video_file`.
        options: what to draw and write.
        det_config, det_weights: YAML and weights of a detector that finds the people first; None uses none. Without
            det_weights those named in its YAML.
        video_file: a video instead of images.

    Returns:
        Exit status: 0, or 1 if any image or frame failed.

    Raises:
        PpdetError: whatever in configs, weights or folders does not fit.
    """
    if video_file is not None:
        VideoReader(video_file).close()  # a bad video is said before a model is loaded
    OutputFolder(options.output_dir)  # found out now, not after the model is loaded
    choose_device(config)
    assembly = Assembly(config)
    refuse_detector(assembly, det_config or det_weights)
    detector = None
    if det_config is not None:
        overrides = [] if det_weights is None else [f"weights={det_weights}"]
        finder = Assembly(load_config(det_config, overrides))
        form = deployed_form(finder, model_with_weights(finder))
        detector = BoxDetector(form.runtime(), form.card, batch_size=IMAGES_TOGETHER)
    elif det_weights is not None:
        raise ConfigError("--det_weights needs --det_config, the detector's YAML.")
    predictor = Predictor(assembly, model_with_weights(assembly), options, detector)
    return predictor.run(paths) if video_file is None else predictor.run_video(video_file)

"""Predicts poses or boxes of image files from weights, through the same code that runs exported models."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Sequence

from ppdet.core.config.load import Config, load_config
from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.engine.assembly import Assembly
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import require_sound
from ppdet.engine.device import choose_device
from ppdet.engine.tasks.finders import IMAGES_TOGETHER, PredictOptions
from ppdet.engine.weights.load import load_model
from ppdet.image.io import drawn_name, list_images, write_image
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.estimators.registry import load_detector
from ppdet.inference.files.coco_results import image_ids
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.progress import Progress
from ppdet.inference.video.process import process_video
from ppdet.inference.video.reader import VideoReader

logger = get_logger(__name__)


class Predictor:
    """Runs one config's model on image files.

    Args:
        assembly: the config's parts.
        model: the model with its weights.
        options: see `PredictOptions`.
        detector: finds the people for a top-down model; None takes each whole image as one person's box.

    Raises:
        ConfigError: a detector with a model that takes no boxes.
        ExportError: an architecture that cannot be run this way.
    """

    def __init__(
        self, assembly: Assembly, model: Any, options: PredictOptions | None = None, detector: BoxDetector | None = None
    ) -> None:
        self.options = options or PredictOptions()
        if detector is not None:
            assembly.task.refuse_detector(assembly)
        self._finder = assembly.task.finder(assembly, model, self.options, detector)

    def run(self, paths: Sequence[Path]) -> int:
        """Predict, draw and save.

        Args:
            paths: image files. Files that cannot be read are reported and skipped.

        Returns:
            0, or 1 if any image failed.

        Raises:
            MediaError: the output folder cannot be written.
        """
        output = OutputFolder(self.options.output_dir)
        inputs = ImageInputs(str(paths[0]), None, image_range=self.options.image_range)
        inputs.paths = list(paths)
        ids = dict(zip(paths, image_ids(paths)))
        started = time.time()
        progress = Progress("predict", len(paths), "image")
        entries: list[dict[str, Any]] = []
        done = found = 0
        with self._pose_writer(output, Path(self._finder.file_name).stem) as poses:
            if poses is not None:
                poses.expect({str(path): number for path, number in ids.items()})
            for group, images in inputs.groups(IMAGES_TOGETHER):
                for path, image, each in zip(group, images, self._finder.find(images, group, ids)):
                    if self.options.visualize:
                        write_image(output.file(drawn_name(path.name), path), image if each.drawn is None else each.drawn)
                    if poses is not None and each.poses is not None:
                        poses.add(each.poses)
                    entries += each.records
                    found += each.number
                done += len(group)
                progress.step(len(group))
        progress.close()
        written = str(output.path) if poses is None else f"{output.path} and {poses.path}"
        if self.options.save_results:
            file = output.file(self._finder.file_name)
            with atomic_write(file) as stream:
                json.dump(entries, stream)
            written += f" and {file}"
        seconds, shown = time.time() - started, quantity(found, self._finder.thing, self._finder.things)
        logger.info("%s, %s, %.1f s; wrote %s", quantity(done, "image"), shown, seconds, written)
        return inputs.exit_status()

    def _pose_writer(self, output: OutputFolder, stem: str) -> AbstractContextManager[PoseWriter | None]:
        """The writer of the further file of poses, or of none."""
        if self.options.pose_format is None:
            return nullcontext()
        return self._finder.pose_writer(output, stem, self.options)

    def run_video(self, source: str | Path) -> int:
        """Predict the poses of a video, frame by frame, and write the drawn video under its own name and, with `save_results`,
        the poses of all frames as ``<stem>_keypoint.json``.

        Returns:
            0, or 1 if frames could not be read (they stay in the video, without people).

        Raises:
            ConfigError: the model is a detector.
            MediaError: the video cannot be read or nothing can be written.
        """
        pipeline = self._finder.video_pipeline()
        output = OutputFolder(self.options.output_dir)
        path = Path(source)
        drawn = output.file(path.name, path) if self.options.visualize else None
        saved = output.file(f"{path.stem}_{self._finder.file_name}") if self.options.save_results else None
        with self._pose_writer(output, f"{path.stem}_{Path(self._finder.file_name).stem}") as poses:
            report = process_video(
                pipeline, path, drawn, saved, json_layout="named", keypoint_threshold=self.options.draw_threshold,
                on_result=None if poses is None else poses.add,
            )  # fmt: skip
        written = ", ".join(map(str, [*report.written, *([] if poses is None else [poses.path])]))
        logger.info("%d frames, %d persons in %d person-frames, %.1f s; wrote %s", report.frames, report.persons, report.people,
                    report.seconds, written)
        return 1 if report.unreadable else 0


def find_images(infer_img: str | None = None, infer_dir: str | None = None, infer_list: str | None = None) -> list[Path]:
    """The images that the flags name.

    Args:
        infer_img: one file; has priority over the others, as in PaddleDetection.
        infer_dir: a folder, or with `infer_list` the folder that its names are relative to.
        infer_list: text file, one image per line; lines that start with # are comments.

    Raises:
        MediaError: no flag was given, or the file does not exist.
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
            raise MediaError(f"{infer_list} names no image: it should have one per line.")
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
    """Predict with the `weights` of a config, as `tools/infer.py` does.

    Args:
        config: a loaded config.
        paths: image files; ignored with `video_file`.
        options: what to draw and write.
        det_config, det_weights: YAML and weights of a detector that finds the people first; None for no detector. Without
            det_weights its YAML names them.
        video_file: a video instead of images.

    Returns:
        Exit status: 0, or 1 if any image or frame failed.

    Raises:
        PpdetError: configs, weights or folders are wrong or missing.
    """
    if video_file is not None:
        VideoReader(video_file).close()  # report a bad video before loading a model
    OutputFolder(options.output_dir)  # report a folder that cannot be written before loading a model
    choose_device(config)
    require_sound(config, import_components(config))  # logs the warnings, which Assembly does not
    assembly = Assembly(config)
    if det_config or det_weights:
        assembly.task.refuse_detector(assembly)
    detector = None
    if det_config is not None:
        overrides = [] if det_weights is None else [f"weights={det_weights}"]
        finder = Assembly(load_config(det_config, overrides))
        form = finder.task.deployed_form(finder, load_model(finder))
        detector = load_detector(form.runtime(), form.card, IMAGES_TOGETHER)
    elif det_weights is not None:
        raise ConfigError("--det_weights needs --det_config, the detector's YAML.")
    predictor = Predictor(assembly, load_model(assembly), options, detector)
    return predictor.run(paths) if video_file is None else predictor.run_video(video_file)

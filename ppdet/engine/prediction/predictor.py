"""Predict from weights: poses or boxes of image files, by the same path that runs exported models."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Sequence

from ppdet.core.config.load import Config, load_config
from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.engine.assembly import Assembly
from ppdet.engine.device import choose_device
from ppdet.engine.tasks.finders import IMAGES_TOGETHER, PredictOptions
from ppdet.engine.weights.load import model_with_weights
from ppdet.image.io import list_images, write_image
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.files.ids import image_ids
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.video.process import process_video
from ppdet.inference.video.reader import VideoReader

logger = get_logger(__name__)

SECONDS_BETWEEN_PROGRESS = 10.0


class Predictor:
    """Runs one config's model on image files.

    Args:
        assembly: the config's parts.
        model: the model with its weights.
        options: see `PredictOptions`.
        detector: finds the people for a model that takes boxes; None takes each whole image as one person's box.

    Raises:
        ConfigError: a detector for a model that takes no boxes.
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
            for path, image, each in zip(group, images, self._finder.find(images, group, ids)):
                if self.options.visualize:
                    write_image(output.file(path.name, path), image if each.drawn is None else each.drawn)
                entries += each.records
                found += each.number
            done += len(group)
            if time.time() - shown > SECONDS_BETWEEN_PROGRESS:
                logger.info("%d of %d images", done, len(paths))
                shown = time.time()
        written = str(output.path)
        if self.options.save_results:
            file = output.file(self._finder.file_name)
            with atomic_write(file) as stream:
                json.dump(entries, stream)
            written += f" and {file}"
        logger.info("%d images, %d %s, %.1f s; wrote %s", done, found, self._finder.things, time.time() - started, written)
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
        pipeline = self._finder.video_pipeline()
        output = OutputFolder(self.options.output_dir)
        path = Path(source)
        drawn = output.file(path.name, path) if self.options.visualize else None
        saved = output.file(f"{path.stem}_{self._finder.file_name}") if self.options.save_results else None
        report = process_video(
            pipeline, path, drawn, saved, json_layout="named", keypoint_threshold=self.options.draw_threshold
        )
        written = ", ".join(map(str, report.written))
        logger.info("%d frames, %d persons in %d person-frames, %.1f s; wrote %s", report.frames, report.persons, report.people,
                    report.seconds, written)
        return 1 if report.unreadable else 0


def find_images(infer_img: str | None = None, infer_dir: str | None = None, infer_list: str | None = None) -> list[Path]:
    """The images that were asked for.

    Args:
        infer_img: one file; wins over the others, as in PaddleDetection.
        infer_dir: a folder, or with `infer_list` the folder its names are in.
        infer_list: text file, one image per line; lines that start with # are left out.

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
        VideoReader(video_file).close()  # a bad video is reported before a model is loaded
    OutputFolder(options.output_dir)  # found out now, not after the model is loaded
    choose_device(config)
    assembly = Assembly(config)
    if det_config or det_weights:
        assembly.task.refuse_detector(assembly)
    detector = None
    if det_config is not None:
        overrides = [] if det_weights is None else [f"weights={det_weights}"]
        finder = Assembly(load_config(det_config, overrides))
        form = finder.task.deployed_form(finder, model_with_weights(finder))
        detector = BoxDetector(form.runtime(), form.card, batch_size=IMAGES_TOGETHER)
    elif det_weights is not None:
        raise ConfigError("--det_weights needs --det_config, the detector's YAML.")
    predictor = Predictor(assembly, model_with_weights(assembly), options, detector)
    return predictor.run(paths) if video_file is None else predictor.run_video(video_file)

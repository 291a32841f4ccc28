"""Starts a project: reads annotations, splits them, chooses the settings, and writes configs that are ready to train."""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from ppdet.annotations.image_split import ImageSplit, split_images
from ppdet.annotations.merging import merge_contents
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.files import require_folder
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.core.shipped import configs_folder
from ppdet.data.formats.reading import Annotations, read_annotations
from ppdet.data.planning.class_objects import ClassObjects, class_objects, keypoint_classes
from ppdet.data.planning.config_text import ProjectPaths, config_text
from ppdet.data.planning.detector_text import detector_text, needs_detector
from ppdet.data.planning.plan import SPACING, Plan, annotation_file, make_plan
from ppdet.data.planning.radiograph_plan import check_preset
from ppdet.image.dicom import dicom_spacing

_log = get_logger(__name__)
ANNOTATIONS, RUNS = "annotations", "runs"
VALIDATION = "for_validation"
BUSY = 1.5
"""The user is warned if iterations take at least this many times as long as on a quiet machine."""


@dataclass(frozen=True)
class ProjectOptions:
    """Options of a user.

    Attributes:
        minutes: time budget of a training.
        category: name or id of the class; None for one config per class.
        val: wanted share of validation images, or an annotation file for validation; the first file then is for training only.
        sigmas: OKS sigmas, one for all or one per keypoint.
        measure: time a few training iterations; otherwise the speed is estimated.
        seed: of the split.
        preset: "xray" or "photo", or "auto" to recognise radiographs from their files.
        overwrite: replace the files of an earlier project in the same folder.
    """

    minutes: float = 10.0
    category: Optional[str] = None
    val: Union[float, Path] = 0.2
    sigmas: Optional[Sequence[float]] = None
    measure: bool = True
    seed: int = 42
    preset: str = "auto"
    overwrite: bool = False


def start_project(annotations: Path, images: Path, output: Path, options: Optional[ProjectOptions] = None) -> List[Path]:
    """Write annotation files and a config per class.

    Args:
        annotations: file or folder of a labelling tool, see `ppdet.data.formats`.
        images: folder of the images.
        output: folder to create.
        options: see there.

    Returns:
        The configs.

    Raises:
        ConfigError: bad options, or a folder that holds files already.
        DataError: annotations that cannot be read or trained on.
    """
    options = options or ProjectOptions()
    _check(options, output)
    found = read_annotations(annotations, images)
    counts = [quantity(len(found.content[f"{what}s"]), one) for what, one in (("image", "image"), ("annotation", "object"))]
    _log.info("%s: %s annotations, %s", annotations, found.tool, ", ".join(counts))
    for note in found.notes:
        _log.warning("%s", note)
    if isinstance(options.val, Path):
        found = _with_validation(found, annotations, options.val)
    classes = keypoint_classes(found.content, options.category)
    names = _file_names([str(each["name"]) for each in classes], output)
    staging = output.absolute().parent / f".{output.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp"
    staging.mkdir(parents=True)
    try:
        for category, name in zip(classes, names):
            _write_class(found, category, name, staging, output.absolute(), annotations, options)
        _move(staging, output)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return [output / f"{name}.yml" for name in names]


def _check(options: ProjectOptions, output: Path) -> None:
    if not 0.2 <= options.minutes <= 100_000:
        raise ConfigError(f"--minutes {options.minutes:g}: give the minutes that training may take, from 0.2 to 100000")
    if not isinstance(options.val, Path) and not 0 < options.val < 1:
        raise ConfigError(f"--val {options.val:g}: give the share of the images for validation, between 0 and 1, or a file")
    if options.sigmas and min(options.sigmas) <= 0:
        raise ConfigError(f"--sigmas: OKS sigmas are positive, given {min(options.sigmas)}")
    check_preset(options.preset)
    require_folder(output, "--output")
    if output.is_dir() and any(output.iterdir()) and not options.overwrite:
        raise ConfigError(f"--output {output} is not empty: give a new folder, or --overwrite to replace the project in it")


def _file_names(classes: Sequence[str], output: Path) -> List[str]:
    """A name of a config per class: letters, digits and _ of the class's name, made unique."""
    names: List[str] = []
    for text in classes:
        plain = re.sub(r"\W+", "_", text).strip("_").lower() or "pose"
        while plain in names:
            plain += "_2"
        names.append(plain)
    return names


def _write_class(
    found: Annotations, category: Mapping[str, Any], name: str, staging: Path, output: Path, source: Path, options: ProjectOptions
) -> None:
    objects = class_objects(found.content, category)
    _state_spacings(objects, found.images)
    for note in objects.notes:
        _log.warning("%s: %s", category["name"], note)
    if options.sigmas and len(options.sigmas) not in (1, len(objects.names)):
        raise ConfigError(f"--sigmas: {len(options.sigmas)} numbers for {len(objects.names)} keypoints of {category['name']!r}")
    split = _split(objects, options)
    files = {f"{name}_train.json": split.train, f"{name}_val.json": split.val}
    counts = tuple(sum(each["image_id"] in part for each in objects.annotations) for part in (split.train, split.val))
    if 0 in counts:
        raise DataError(
            f"class {category['name']!r}: {counts[0]} objects to train, {counts[1]} to validate; each part needs at least one"
        )
    settings: Dict[str, Any] = {
        "minutes": options.minutes, "turned": found.turned, "sigmas": options.sigmas, "preset": options.preset,
    }  # fmt: skip
    plan = make_plan(objects, found.images, (counts[0], counts[1]), **settings)
    for file, part in files.items():
        _write_json(staging / ANNOTATIONS / file, annotation_file(objects, list(part), plan.skeleton.value))
    head = _head(found, objects, split, counts, source)
    if options.measure:
        speed = _measured(plan, _paths(name, staging, staging, found.images), head, str(category["name"]))
        if speed is not None:
            plan = make_plan(objects, found.images, (counts[0], counts[1]), **settings, **speed)
    paths = _paths(name, output, output, found.images)
    (staging / paths.config.name).write_text(config_text(plan, paths, str(category["name"]), head), encoding="utf-8")
    if needs_detector(plan):
        num_images = len(split.train)
        text = detector_text(plan, paths, configs_folder(), num_images, str(category["name"]))
        (staging / f"{name}_detector.yml").write_text(text, encoding="utf-8")
        _log.info("%s: config of a detector of %s, which provides the boxes for the pose model",
                  output / f"{name}_detector.yml", category["name"])  # fmt: skip
    _log_plan(plan, output / f"{name}.yml", split, counts)


def _with_validation(found: Annotations, source: Path, val: Path) -> Annotations:
    """The annotations of both files; images of the second have `VALIDATION` in their entries."""
    other = read_annotations(val, found.images)
    for note in other.notes:
        _log.warning("%s", note)
    names = [{str(image["file_name"]) for image in each.content["images"]} for each in (found, other)]
    both = sorted(names[0] & names[1])
    if both:
        raise DataError(f"--val {val}: {len(both)} of its images are also in {source}, for example {both[0]}; remove "
                        "them from one of the files")  # fmt: skip
    for image in other.content["images"]:
        image[VALIDATION] = True
    content, notes = merge_contents([(str(source), found.content), (str(val), other.content)])
    for note in notes:
        _log.warning("%s", note)
    return found._replace(content=content)


def _state_spacings(objects: ClassObjects, images: Path) -> None:
    """Write the pixel spacing of DICOM files into the images' entries that state none. In place."""
    for image in objects.images:
        spacing = None if image.get(SPACING) is not None else dicom_spacing(images / str(image["file_name"]))
        if spacing is not None:
            image[SPACING] = [round(value, 6) for value in spacing]


def _split(objects: ClassObjects, options: ProjectOptions) -> ImageSplit:
    if not isinstance(options.val, Path):
        return split_images(objects.images, options.val, options.seed)
    val = frozenset(image["id"] for image in objects.images if image.get(VALIDATION))
    train = frozenset(image["id"] for image in objects.images) - val
    return ImageSplit(train, val, f"the validation images are those of {options.val}", 2)


def _paths(name: str, root: Path, runs: Path, images: Path) -> ProjectPaths:
    files = f"{name}_train.json", f"{name}_val.json"
    return ProjectPaths(root / f"{name}.yml", root / ANNOTATIONS, *files, images.absolute(), runs / RUNS)


def _head(found: Annotations, objects: ClassObjects, split: ImageSplit, counts: Sequence[int], source: Path) -> str:
    return (
        f"{objects.category['name']}: {len(objects.names)} keypoints of {len(objects.keypoints)} objects in "
        f"{len(objects.images)} images, from {source} ({found.tool}). Split: {counts[0]} objects to train, "
        f"{counts[1]} to validate; {split.why}."
    )


def _measured(plan: Plan, paths: ProjectPaths, head: str, category: str) -> Optional[Dict[str, Any]]:
    """Input pixels per second of a few training iterations, and whether the CPU operators were used; None without Paddle."""
    try:
        from ppdet.engine.projects.timing import can_build_operators, measure_speed
    except ModuleNotFoundError:
        _log.warning("Paddle is not installed: the training speed is only an estimate")
        return None
    for operators in (True, False) if can_build_operators() else (False,):
        text = config_text(replace(plan, cpu_operators=operators), paths, category, head)
        paths.config.write_text(text, encoding="utf-8")
        try:
            speed = measure_speed(paths.config)
            if speed.busy > BUSY:
                _log.warning("other programs slow this machine down, %.1f-fold just now: the plan assumes a quiet machine; "
                             "if they go on, training has fewer iterations so that it ends in time, but never fewer than the "
                             "`fewest_iterations` of the config", speed.busy)  # fmt: skip
            return {"pixels_per_s": speed.pixels_per_s, "cpu_operators": operators}
        except ConfigError as error:
            if not operators:
                raise
            _log.warning("%s", error)
        finally:
            paths.config.unlink()
    return None


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _move(staging: Path, output: Path) -> None:
    """Put the finished files in place: the whole folder at once, or file by file into one that exists."""
    if output.is_dir() and not any(output.iterdir()):
        output.rmdir()
    if not output.exists():
        output.parent.mkdir(parents=True, exist_ok=True)
        os.replace(staging, output)
        return
    for path in sorted(staging.rglob("*"), key=lambda each: each.suffix == ".yml"):  # configs last
        if path.is_file():
            target = output / path.relative_to(staging)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)


def _log_plan(plan: Plan, config: Path, split: ImageSplit, counts: Sequence[int]) -> None:
    schedule, (width, height) = plan.schedule, plan.input_wh.value
    _log.info(
        "%s: %d keypoints, box: %s, mirroring: %s, input %dx%d, %d + %d objects, %d iterations at batch %d",
        config, plan.skeleton.value.num_keypoints, plan.box.value, "yes" if plan.mirror.value else "no", width, height, *counts,
        schedule.iterations, schedule.batch_size,
    )  # fmt: skip
    _log.info("  split: %s", split.why)
    _log.info("  box: %s", plan.box.why)
    _log.info("  mirroring: %s", plan.mirror.why)
    _log.info("  radiographs: %s", plan.radiographs.why)
    _log.info("  OKS sigmas: %s", plan.skeleton.value.sigma_note)
    _log.info("  next: ppdet train -c %s", config)

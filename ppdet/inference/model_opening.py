"""Opens the models of a pipeline. A detector may also be a JSON file of boxes, or a Python function."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Union

from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference.estimators.base import EstimatorOptions, PoseEstimator
from ppdet.inference.estimators.box_source import BoxSource, FunctionBoxes
from ppdet.inference.estimators.registry import estimator_class, load_detector, pose_estimator_class
from ppdet.inference.files.given_boxes import SUFFIX, FileBoxes
from ppdet.inference.files.model_names import DETECTOR, POSE, add_advice, default_model, find_model
from ppdet.inference.model_card import BOX_KEY, CATEGORY_KEY, IMAGE_BOX, ModelCard
from ppdet.inference.onnx_models.loading import load_card
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.runtimes.registry import load_runtime
from ppdet.skeletons.people import PERSON_NAMES, shows_people

AnyDetector = Union[str, Path, BoxSource, Callable[[Any], Any]]
AUTO = "auto"


def open_models(
    detector: AnyDetector | None,
    keypoint: str | Path | PoseEstimator | None,
    how: EstimatorOptions,
    prefers_flip_test: bool,
    detector_threads: int,
    **options: Any,
) -> tuple[BoxSource | None, PoseEstimator]:
    """The detector, if one is needed, and the pose model of a pipeline.

    Args:
        detector: see `open_detector`; "auto" takes the bundled one for top-down models of persons, and none for others.
        keypoint: name or directory of an exported pose model, an ONNX file, or its estimator; None takes the bundled one.
        how: to run the pose model, if it is to be loaded.
        prefers_flip_test: average with the mirrored crop where the model can.
        detector_threads: of a run of the detector.
        options: of `load_runtime`.

    Raises:
        ModelDirError: an unknown name, a directory that is not an exported model of its kind, or a bottom-up model with a
            detector.
        ConfigError: flip test of an exported bottom-up model.
    """
    place = default_model(POSE) if keypoint is None else keypoint
    if isinstance(place, (str, Path)):
        place = find_model(place, POSE)
        card = open_card(place)
        kind = pose_estimator_class(card, how)
    else:
        card, kind = place.card, type(place)
    if is_auto(detector):
        detector = None if kind.finds_people_itself or not needs_persons(card) else default_model(DETECTOR)
    found = None
    if detector is not None:
        kind.refuse_detector(card, "leave the detector out, PosePipeline(None, keypoint)")
        found = open_detector(detector, category_of(card), **{**options, "cpu_threads": detector_threads})
        _ = found.person_label  # a detector without a class of people is refused now, not at the first image
    if not isinstance(place, Path):
        return found, place
    runtime = open_runtime(card.model_dir or place, **options, batch_size=how.batch_size, dynamic_shape=card.use_dynamic_shape)
    how = replace(how, flip_test=how.flip_test or prefers_flip_test and "flip_test" in kind.accepts)
    return found, kind.from_options(runtime, card, how)


def is_auto(detector: AnyDetector | None) -> bool:
    """Whether the choice of a detector is left to the pose model."""
    return isinstance(detector, str) and detector == AUTO


def open_detector(detector: AnyDetector, category: str | None = None, **options: Any) -> BoxSource:
    """The detector that a user means.

    Args:
        detector: name or directory of an exported detector; an ONNX file; a COCO annotation or result file (`.json`), whose
            boxes are found by the images' names; a function of an (H, W, 3) RGB image that returns boxes, see `FunctionBoxes`;
            or an object with `detect` and `person_label`.
        category: name of the class whose boxes are wanted, for files and models; None for persons.
        options: of `load_runtime`.

    Raises:
        ModelDirError: a model that is no detector, or does not load.
        DataError: a JSON file without boxes.
        ConfigError: something else.
    """
    if hasattr(detector, "detect"):
        given: Any = detector
        if category is not None and getattr(given, "category", category) is None:
            given.category = category
        return given  # type: ignore[no-any-return]
    if isinstance(detector, (str, Path)):
        if is_box_file(detector):
            return FileBoxes(detector, category)
        folder = find_model(detector, DETECTOR)
        card = open_card(folder)
        estimator_class(card).refuse_detector(card, "it is no detector for others; PosePipeline(None, it) runs it")
        opened: Any = load_detector(open_runtime(card.model_dir or folder, **options), card)
        opened.category = category
        return opened  # type: ignore[no-any-return]
    if callable(detector):
        return FunctionBoxes(detector)
    raise ConfigError(f"the detector is a {type(detector).__name__}: give a name, a path, a function or an object with `detect`")


def is_box_file(place: str | Path) -> bool:
    """Whether a path names a JSON file of boxes instead of a model."""
    return Path(place).suffix.lower() == SUFFIX


def category_of(card: ModelCard) -> str | None:
    """The class that a pose model was trained on; None for persons."""
    name = card.extra.get(CATEGORY_KEY)
    return None if name is None or str(name).lower() in PERSON_NAMES else str(name)


def needs_persons(card: ModelCard) -> bool:
    """Whether a pose model wants boxes of persons, which the bundled detector finds; their class may be `player` or `skier`."""
    category, names = category_of(card), () if card.skeleton is None else card.skeleton.names
    return card.extra.get(BOX_KEY) != IMAGE_BOX and (category is None or shows_people(names, category))


def open_card(folder: Path) -> ModelCard:
    """The card of a model, see `load_card`; an error says what to do if the model came with the package."""
    try:
        return load_card(folder)
    except ModelDirError as error:
        raise add_advice(error, folder) from error


def open_runtime(folder: Path, **options: Any) -> Runtime:
    """The loaded network, see `load_runtime`; an error says what to do if the model came with the package."""
    try:
        return load_runtime(folder, **options)
    except ModelDirError as error:
        raise add_advice(error, folder) from error

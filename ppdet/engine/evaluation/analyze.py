"""`ppdet analyze`: what the errors of a model are, from its weights or from a result file, as one HTML page."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from ppdet.annotations.coco_file import read_coco
from ppdet.core.config.load import Config, load_config
from ppdet.core.errors import ConfigError
from ppdet.core.files import atomic_write, require_folder
from ppdet.core.logger import get_logger
from ppdet.data.coco.detections import usable_detections
from ppdet.data.coco.file import image_table
from ppdet.data.coco.report import AnnotationReport
from ppdet.engine.evaluation.analysis_page import analysis_page
from ppdet.inference.model_card import ModelCard
from ppdet.inference.score_calibration import CARD_KEY
from ppdet.metrics.analysis.analysis import Analysis, analyze_results
from ppdet.metrics.analysis.error_kinds import KINDS
from ppdet.metrics.coco_ground_truth import CocoGroundTruth
from ppdet.metrics.coco_keypoint import KeyPointTopDownCOCOEval
from ppdet.metrics.result_file import read_results
from ppdet.skeletons import Skeleton, get_skeleton
from ppdet.skeletons.lookup import skeleton_from_categories, skeleton_from_config

logger = get_logger(__name__)

PAGE, DATA = "analysis.html", "analysis.json"


@dataclass(frozen=True)
class AnalyzeOptions:
    """Options of the command.

    Attributes:
        output: folder for `analysis.html` and `analysis.json`.
        results: result file; None runs the model of the config.
        annotations: annotation file, if there is no config.
        image_dir: folder of the images, for the gallery; None takes the config's, or shows no gallery.
        skeleton: name of a skeleton, or a config that has one; None takes the categories of the annotation file.
        category: category to evaluate, if there is no config.
        detections: a detector's boxes; None takes `EvalDataset.bbox_file` if the config has one.
        worst: number of objects in the gallery.
        store: exported model in whose card the calibration is stored.
        exported: arguments of `ExportedModel`, to run an exported model instead of the weights.
        engine: runs the network of the weights; see `acceleration.accelerated`.
    """

    output: str
    results: Optional[str] = None
    annotations: Optional[str] = None
    image_dir: Optional[str] = None
    skeleton: Optional[str] = None
    category: Optional[str] = None
    detections: Optional[str] = None
    worst: int = 24
    store: Optional[str] = None
    exported: Optional[Dict[str, Any]] = None
    engine: str = "auto"


def analyze(options: AnalyzeOptions, config: Optional[Config] = None) -> Analysis:
    """Analyze, write the page, and log where it is.

    Args:
        options: what to read and write.
        config: a keypoint config; None analyzes a result file with `annotations`.

    Raises:
        PpdetError: files that are missing or do not fit together.
    """
    if options.worst < 0:
        raise ConfigError(f"--worst is {options.worst}: give a number from 0 on")
    folder = require_folder(options.output, "--output")
    card = None if options.store is None else ModelCard.load(options.store)
    if config is None:
        source = _from_files(options)
    elif options.results is not None:
        source = _from_config_and_file(options, config)
    else:
        source = _from_model(options, config)
    detections = None
    if source.detections is not None:
        detections = _read_detections(source.detections, source.truth, source.image_dir)
    found = analyze_results(source.truth, source.results, source.skeleton, detections)
    if card is not None and found.calibration is None:
        raise ConfigError(f"--store: {found.no_calibration}")
    page = analysis_page(found, source.skeleton, source.truth, source.image_dir, options.worst, source.setting)
    with atomic_write(folder / DATA) as file:
        json.dump(found.to_dict(source.skeleton), file, indent=1)
    page.write(folder / PAGE)
    if card is not None and found.calibration is not None:
        card.extra[CARD_KEY] = found.calibration.proposed.to_dict()
        path = card.write(Path(str(options.store)))
        logger.info("calibration %s stored in %s", found.calibration.proposed.to_dict(), path)
    logger.info("%s\nanalysis written to %s", summary(found), folder / PAGE)
    return found


def summary(found: Analysis) -> str:
    """One line: AP, and the share of each kind of error."""
    counts = found.errors.counts().sum(axis=0)
    shares = ", ".join(f"{kind} {count / max(counts.sum(), 1):.1%}" for kind, count in zip(KINDS, counts))
    return f"AP {found.ap:.3f}; keypoints: {shares}"


@dataclass(frozen=True)
class _Source:
    truth: CocoGroundTruth
    results: Sequence[Dict[str, Any]]
    skeleton: Skeleton
    image_dir: Optional[Path]
    detections: Optional[str]
    setting: str


def _from_files(options: AnalyzeOptions) -> _Source:
    if options.results is None or options.annotations is None:
        raise ConfigError("give a config (-c FILE, and the model's weights with -o weights=FILE), or a result file and the "
                          "annotation file that it is compared with (ppdet analyze results.json --annotations FILE)")
    skeleton = _stated_skeleton(options)
    truth = CocoGroundTruth(options.annotations, skeleton.num_keypoints, category=options.category)
    results = read_results(options.results, KeyPointTopDownCOCOEval.result_file)
    image_dir = None if options.image_dir is None else Path(options.image_dir)
    return _Source(truth, results, skeleton, image_dir, options.detections, f"results of {options.results}")


def _stated_skeleton(options: AnalyzeOptions) -> Skeleton:
    if options.skeleton is not None:
        if options.skeleton.lower().endswith((".yml", ".yaml")):
            return skeleton_from_config(load_config(options.skeleton))
        return get_skeleton(options.skeleton)
    declared: List[Any] = [each for each in read_coco(str(options.annotations))["categories"] if each.get("keypoints")]
    chosen = [each for each in declared if options.category in (None, each["name"], str(each["id"]))]
    if len(chosen) != 1:
        raise ConfigError(
            f"{options.annotations} declares keypoints for {len(declared)} categories; choose one with --category, or "
            f"give --skeleton"
        )
    return skeleton_from_categories(chosen[0])


def _from_config_and_file(options: AnalyzeOptions, config: Config) -> _Source:
    from ppdet.engine.assembly import Assembly

    assembly = Assembly(config)
    metric = assembly.people_metric()
    results = read_results(str(options.results), metric.result_file)
    return _source_of(options, assembly, metric, results, f"results of {options.results}")


def _from_model(options: AnalyzeOptions, config: Config) -> _Source:
    from ppdet.engine.assembly import Assembly
    from ppdet.engine.components import import_components
    from ppdet.engine.configs.check import require_sound
    from ppdet.engine.device import choose_device
    from ppdet.engine.evaluation.acceleration import accelerated
    from ppdet.engine.evaluation.evaluator import Evaluator
    from ppdet.engine.precision import Precision
    from ppdet.engine.tasks.exported_model import ExportedModel
    from ppdet.engine.weights.load import load_model

    choose_device(config)
    require_sound(config, import_components(config))
    assembly = Assembly(config)
    metric = assembly.people_metric(options.output)
    precision = Precision.from_config(config, False)
    if options.exported is not None:
        evaluator = Evaluator(assembly, ExportedModel(**options.exported), metric=metric, precision=precision)
        evaluator.run()
    else:
        with accelerated(assembly, load_model(assembly), options.engine, precision) as model:
            evaluator = Evaluator(assembly, model, metric=metric, precision=precision)
            evaluator.run()
    return _source_of(options, assembly, metric, metric.results(), evaluator.setting)


def _source_of(options: AnalyzeOptions, assembly: Any, metric: Any, results: Sequence[Dict[str, Any]], setting: str) -> _Source:
    dataset = assembly.dataset("Eval")
    image_dir = Path(options.image_dir or dataset.image_folder)
    detections = options.detections or getattr(dataset, "bbox_file", None)
    if options.detections is None and detections and not Path(detections).is_file():
        inside = Path(dataset.dataset_dir) / str(detections)
        detections = str(inside) if inside.is_file() else None
    return _Source(metric.ground_truth, results, metric.skeleton, image_dir, detections, setting)


def _read_detections(path: str, truth: CocoGroundTruth, image_dir: Optional[Path]) -> List[Dict[str, Any]]:
    """Boxes with the image ids of the annotation file; images are matched by file name if the records have some."""
    if image_dir is None:
        raise ConfigError("--detections needs the images' folder, by whose files boxes are matched: give --image_dir")
    report = AnnotationReport(path)
    images = image_table(read_coco(truth.path)["images"], str(image_dir), report)
    rows, entries, _ = usable_detections(path, images, None, -math.inf, report)
    for line in report.warnings():
        logger.warning(line)
    ids = images.ids.tolist()
    return [{"image_id": ids[row], "bbox": entry["bbox"], "score": entry["score"]} for row, entry in zip(rows, entries)]

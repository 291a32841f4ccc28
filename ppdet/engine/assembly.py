"""The parts of one config, built once and connected."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional, Union

from ppdet.codecs import Codec, codec_from_config
from ppdet.core.config.builder import Builder
from ppdet.core.config.load import Config
from ppdet.core.config.nodes import plain
from ppdet.core.config.paddledet_names import METRIC_CLASSES
from ppdet.core.config.registry import registry
from ppdet.core.errors import ConfigError
from ppdet.engine import distributed
from ppdet.engine.annotated_skeleton import named_by_annotations
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import check_config
from ppdet.engine.tasks.base import Task
from ppdet.engine.tasks.table import find_task, task_of
from ppdet.metrics.keypoint_metric import KeypointMetric
from ppdet.metrics.landmarks.figure_names import is_figure_name, parse_figures
from ppdet.metrics.landmarks.keypoint_scores import KeypointScores
from ppdet.skeletons.lookup import skeleton_from_config

_ROLES = ("Train", "Eval", "Test")
# IouType -> metric. PaddleDetection's YAML has one word, COCO, for both.
_COCO_METRICS = {"bbox": "COCOMetric", "keypoints": "KeyPointBottomUpCOCOEval"}


class Assembly:
    """Builds the model, data and metric of a config around one skeleton and one codec.

    Args:
        config: a loaded config.

    Attributes:
        skeleton: keypoints of the dataset and the model.
        codec: crop, targets and decoding; None for detectors.
        builder: builds any section of the config, and passes codec and skeleton to classes that share them.

    Raises:
        ConfigError: misspelt names or arguments anywhere in the config, each with file and line.
    """

    def __init__(self, config: Config) -> None:
        registry = import_components(config)
        errors = [problem for problem in check_config(config, registry, trial=False) if problem.severity == "error"]
        if errors:
            raise ConfigError(errors)
        self.config = config
        self.skeleton = named_by_annotations(skeleton_from_config(config), config)
        self.codec: Optional[Codec] = codec_from_config(config, Builder(config))
        shared: Dict[str, Any] = {}
        if self.codec is not None:
            shared = {"codec": self.codec, "skeleton": self.skeleton, "num_joints": self.skeleton.num_keypoints}
        self.builder = Builder(config, shared=shared)
        self._datasets: Dict[str, Any] = {}

    @property
    def task(self) -> Task:
        """The kind of model, which decides how it is evaluated, exported and run.

        Raises:
            ExportError: the architecture belongs to no known task, or does not fit the codec.
        """
        return task_of(self.config, self.codec)

    def model(self) -> Any:
        """A new model with its initial weights."""
        return self.builder.build(self.config["architecture"])

    def dataset(self, role: str) -> Any:
        """The dataset of a role, "Train", "Eval" or "Test"; always the same object.

        Raises:
            ConfigError: the config has none.
        """
        key = self._section(role, "Dataset")
        if role not in self._datasets:
            self._datasets[role] = self.builder.build(key)
        return self._datasets[role]

    def reader(self, role: str) -> Any:
        """A new reader of this process's share of a role's batches; `worker_num` worker processes load them."""
        return self.builder.build(self._section(role, "Reader"))(
            self.dataset(role),
            worker_num=int(self.config.get("worker_num", 0) or 0),
            seed=int(self.config.get("seed", 0) or 0),
            rank=distributed.rank(),
            world_size=distributed.world_size(),
        )

    def metric(self, output_eval: Optional[Union[str, Path]] = None) -> Any:
        """A new metric for the EvalDataset; it writes its results to `output_eval`, by default the config's `output_eval`.

        `metric` is the name of a metric's class, or plain names of figures, such as [EPE, PCK, AP].

        Raises:
            ConfigError: the config names no metric, or metric: COCO with an unknown IouType.
        """
        name = self.config.get("metric")
        if not isinstance(name, (str, list)):
            raise ConfigError("the config names no metric, for example metric: [EPE, PCK, AP] or KeyPointTopDownCOCOEval")
        folder = output_eval if output_eval is not None else self.config.get("output_eval")
        extra = {} if folder is None else {"output_eval": folder}
        dataset = self.dataset("Eval")
        if isinstance(name, list) or (name not in registry and is_figure_name(name)):
            extra.update(names=self._figure_names(name), ap=self._people_metric(name))
            kind = KeypointScores.__name__
        else:
            kind = self._metric_class(name)
        if issubclass(registry.get(kind), KeypointScores):
            extra["image_dir"] = getattr(dataset, "image_folder", None)  # DICOM files state their pixel spacing
        if getattr(dataset, "category", None) is not None and issubclass(registry.get(kind), (KeypointMetric, KeypointScores)):
            extra["category"] = dataset.category  # the dataset alone decides what is evaluated
        return self.builder.build(kind, anno_file=dataset.annotation_file, **extra)

    def people_metric(self, output_eval: Optional[Union[str, Path]] = None) -> Any:
        """A metric that collects people and computes AP, whatever the config's `metric` is; for result files and analyses.

        Raises:
            ConfigError: the model finds no keypoints.
            DataError: the annotation file is not COCO's.
        """
        dataset = self.dataset("Eval")
        extra = {} if getattr(dataset, "category", None) is None else {"category": dataset.category}
        kind = self._people_metric(self.config.get("metric"))
        return self.builder.build(kind, anno_file=dataset.annotation_file, output_eval=output_eval, **extra)

    def _figure_names(self, names: Any) -> list[str]:
        """The figures that `metric` names, and `best_metric` if it is another."""
        figures = [figure.name for figure in parse_figures(plain(names))]
        best = self.config.get("best_metric")
        return list(dict.fromkeys([*figures, *([] if best is None else [each.name for each in parse_figures(best)])]))

    def _people_metric(self, names: Any) -> str:
        task = find_task(self.config, self.codec)
        if task is None or not task.keypoint_metric:
            raise ConfigError(f"metric: {names} is for keypoints, which this model does not find; detectors have COCO")
        return task.keypoint_metric

    def _metric_class(self, name: str) -> str:
        if name != "COCO":
            return METRIC_CLASSES.get(name, name)
        task = find_task(self.config, self.codec)
        kind = self.config.get("IouType", Task.iou_type if task is None else task.iou_type)
        if kind not in _COCO_METRICS:
            raise ConfigError(f"IouType is {kind!r}; with metric: COCO it is one of {', '.join(_COCO_METRICS)}")
        return _COCO_METRICS[kind]

    def _section(self, role: str, kind: str) -> str:
        assert role in _ROLES, role
        for key in (f"{role}{kind}", f"{role}MOT{kind}"):  # PaddleDetection's sections of trackers have MOT in their names
            if key in self.config:
                return key
        raise ConfigError(f"{self.config.path}: there is no section {role + kind}, which this command needs")

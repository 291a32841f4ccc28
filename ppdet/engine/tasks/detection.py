"""Detectors: boxes of objects with their classes."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from ppdet.core.config.load import Config
from ppdet.core.errors import ConfigError, PpdetError
from ppdet.core.problem import Problem
from ppdet.engine.precision import Precision
from ppdet.engine.tasks.base import Collected, Parts, Sample, Task, process_rows, readable, with_progress
from ppdet.engine.tasks.dataset_check import datasets_of_another_kind, targets_of_other_anchors
from ppdet.engine.tasks.deployed_form import DeployedForm, Feed, OnnxForm, card_of, operations, preprocess_steps
from ppdet.engine.tasks.detection_parity import BoxPrediction, compare_boxes, predict_boxes
from ppdet.engine.tasks.difference import Difference
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.engine.tasks.finders import IMAGES_TOGETHER, BoxFinder, Finder, PredictOptions
from ppdet.engine.tasks.setting import box_setting
from ppdet.inference.estimators.box_decoding import DEFAULT_NMS
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.detector import BoxDetector, is_finished
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.modeling.export.detector import DetectorExport
from ppdet.modeling.export.picodet import PicoDetExport
from ppdet.modeling.export.yolov3 import YOLOv3Export

BATCH_SIZE = 8
EXPORTS: dict[str, Any] = {"PicoDet": PicoDetExport, "YOLOv3": YOLOv3Export}
"""Architecture -> its `DetectorExport`."""


class DetectionTask(Task):
    """Boxes in whole images."""

    kind = "detection"
    architectures = tuple(EXPORTS)
    needs_codec = False
    iou_type = "bbox"

    def check(self, config: Config) -> list[Problem]:
        """Finds datasets of keypoints and targets for other anchors."""
        wrong = datasets_of_another_kind(config, ("Keypoint",), "finds boxes: give COCODataSet")
        return [*wrong, *targets_of_other_anchors(config)]

    def input_wh(self, parts: Parts) -> tuple[int, int]:
        """From TestReader's `Resize`, otherwise from its `inputs_def.image_shape`."""
        config = parts.config
        for name, arguments in operations(config.get("TestReader")):
            if name == "Resize":
                size = arguments["target_size"]
                height, width = (size, size) if isinstance(size, int) else size
                return int(width), int(height)
        shape: Sequence[int] = ((config.get("TestReader") or {}).get("inputs_def") or {}).get("image_shape") or ()
        if len(shape) < 3 or min(shape[-2:]) < 1:
            raise ConfigError(
                f"{getattr(config, 'path', 'the config')}: no input size; give TestReader a Resize with target_size, or "
                "TestReader.inputs_def.image_shape: [3, height, width]"
            )
        return int(shape[-1]), int(shape[-2])

    def deployed_form(
        self, parts: Parts, model: Any, post_process: bool | None = None, nms: bool | None = None
    ) -> DeployedForm:
        """The network with or without decoding and NMS; see `Task.deployed_form`.

        Args:
            parts, model: see there.
            post_process, nms: None takes the config's `export: {post_process, nms}`, both on by default.
        """
        config = parts.config
        wanted = config.get("export") or {}
        post_process = bool(wanted.get("post_process", True)) if post_process is None else post_process
        nms = post_process and (bool(wanted.get("nms", True)) if nms is None else nms)
        feed = Feed.of_config(config)
        make = EXPORTS[str(config.get("architecture"))]
        layer: DetectorExport = make(model, post_process, nms, **feed.export_arguments())
        card = card_of(config, layer.arch, preprocess_steps(config), feed)
        card.label_list = class_names(parts, layer.num_classes)
        card.fpn_stride = layer.strides
        card.input_wh = self.input_wh(parts)
        onnx = None
        if nms and layer.onnx_holds_nms:
            reason = "the ONNX file takes 1 image at a time, since it holds the suppression"
            onnx = OnnxForm(layer, layer.input_spec(card.input_wh, batch=1), layer.output_names, reason)
        elif nms:
            bare = make(model, post_process, False, **feed.export_arguments())
            reason = f"the ONNX file ends before the suppression ({layer.nms_settings()}), which the runtime does by the card"
            onnx = OnnxForm(bare, bare.input_spec(card.input_wh), bare.output_names, reason)
        if not nms or not layer.onnx_holds_nms:
            card.nms = layer.nms_settings() or {"name": "MultiClassNMS", **DEFAULT_NMS}
        form = DeployedForm(layer, card, layer.input_spec(card.input_wh), layer.output_names, onnx)
        if nms:
            form.without_suppression = lambda: self.deployed_form(parts, model, post_process=True, nms=False)
        return form

    def evaluated_form(self, parts: Parts, model: Any) -> DeployedForm:
        """With NMS outside the graph, which then takes several images at once."""
        return self.deployed_form(parts, model, post_process=True, nms=False)

    def detector(self, parts: Parts, model: Any) -> BoxDetector:
        """The detector to evaluate: an exported folder with its own preprocessing and NMS, or weights run by the framework with
        NMS outside the graph."""
        if isinstance(model, ExportedModel):
            return BoxDetector(model.runtime, model.card)
        form = self.evaluated_form(parts, model)
        return BoxDetector(form.runtime(), form.card, batch_size=BATCH_SIZE)

    def collect(
        self,
        parts: Parts,
        model: Any,
        metric: Any,
        data: Any = None,
        precision: Precision | None = None,
        bad: list[tuple[str, str]] | None = None,
    ) -> Collected:
        """Run the detector on whole images in small batches; see `Task.collect`."""
        detector = self.detector(parts, model)
        dataset = parts.dataset("Eval") if data is None else data
        bad = [] if bad is None else bad
        rows, count = process_rows(dataset), 0
        for start in with_progress(range(0, len(rows), BATCH_SIZE)):
            samples = list(readable(dataset, rows[start : start + BATCH_SIZE], bad))
            if samples:
                metric.update(_rows([sample.image_id for sample in samples], detector.detect([s.image for s in samples])))
            count += len(samples)
        return Collected(count, f"{box_setting(parts.config, detector.card, len(dataset))}; {detector.runtime.description}")

    def refuse_detector(self, parts: Parts) -> None:
        """A detector takes no boxes from another."""
        raise ConfigError(f"{parts.config.path} is a detector itself: leave out --det_config and --det_weights.")

    def finder(self, parts: Parts, model: Any, options: PredictOptions, detector: BoxDetector | None = None) -> Finder:
        """Finds boxes with the deployed form."""
        form = self.deployed_form(parts, model)
        return BoxFinder(BoxDetector(form.runtime(), form.card, batch_size=IMAGES_TOGETHER), options)

    def sample_boxes(self, sample: Any) -> np.ndarray:
        """The annotated boxes."""
        return np.asarray(sample.boxes_xyxy, np.float64).reshape(-1, 4)

    def stable_outputs(self, outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """None if the graph holds the suppression: which rows there are depends on the last bit."""
        return [] if is_finished(outputs) else list(outputs)

    def predictions(self, runtime: Runtime, card: ModelCard, samples: Sequence[Sample], batch_size: int) -> list[BoxPrediction]:
        """See `predict_boxes`."""
        return predict_boxes(runtime, card, [image for image, _ in samples], batch_size)

    def compare(self, reference: list[Any], found: list[Any]) -> Difference:
        """See `compare_boxes`."""
        return compare_boxes(reference, found)


def class_names(parts: Parts, count: int) -> list[str]:
    """Names of a detector's classes: those of the annotation file if their number fits, otherwise numbers (one class: "person").

    PaddleDetection writes COCO's 80 names when the file is missing, whatever the number of classes.
    """
    for role in ("Test", "Eval"):
        if role + "Dataset" in parts.config:
            names = _names_of(parts.dataset(role))
            if len(names) == count:
                return list(names)
    return ["person"] if count == 1 else [f"class_{i}" for i in range(count)]


def _names_of(dataset: Any) -> Sequence[str]:
    names = getattr(dataset, "label_list", [])
    if callable(names):
        return list(names())
    try:
        dataset.parse()
    except PpdetError:  # the annotation file is only needed to name the classes
        return []
    return list(dataset.label_list)


def _rows(image_ids: list[Any], found: list[Detections]) -> dict[str, np.ndarray]:
    counts = [len(each) for each in found]
    return {
        "evaluated": np.array(image_ids),
        "image_id": np.repeat(np.array(image_ids), counts),
        "boxes": np.concatenate([each.boxes_xyxy for each in found]),
        "scores": np.concatenate([each.scores for each in found]),
        "labels": np.concatenate([each.labels for each in found]),
    }

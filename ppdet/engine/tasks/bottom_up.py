"""Bottom-up models: all poses of an image at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Sequence

import numpy as np

from ppdet.core.config.load import Config
from ppdet.core.config.nodes import ConfigDict
from ppdet.core.errors import ConfigError
from ppdet.core.problem import Problem
from ppdet.engine.precision import Precision
from ppdet.engine.tasks.base import Collected, Parts, Sample, Task, process_rows, readable, with_progress
from ppdet.engine.tasks.bottom_up_parity import (
    bottom_up_samples,
    compare_predictions,
    predict_bottom_up,
    stable_outputs,
)
from ppdet.engine.tasks.bottom_up_prediction import BottomUpPredictor, bottom_up_setting, scales_of, wants_bottom_up_flip
from ppdet.engine.tasks.dataset_check import OF_BOXES, datasets_of_another_kind
from ppdet.engine.tasks.deployed_form import NORMALIZATIONS, DeployedForm, Feed, card_of, preprocess_steps
from ppdet.engine.tasks.difference import Difference
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.engine.tasks.finders import Finder, PoseFinder, PredictOptions
from ppdet.engine.tasks.setting import precision_text
from ppdet.inference.estimators.bottom_up import BottomUpEstimator
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.model_card import ModelCard
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.video.background import BackgroundSource
from ppdet.modeling.export.bottom_up import BottomUpExport

ARCH = "HigherHRNet"  # PaddleDetection's name for all of them


class BottomUpTask(Task):
    """Whole images, heatmaps and tags, grouped into people."""

    kind = "bottom_up"
    architectures = ("HigherHRNet",)
    iou_type = "keypoints"
    keypoint_metric = "KeyPointBottomUpCOCOEval"

    def check(self, config: Config) -> list[Problem]:
        """Finds datasets of single persons, and a half-configured SWAHR: scale maps without its loss, or the reverse."""
        problems = datasets_of_another_kind(
            config, ("KeypointTopDown", *OF_BOXES), "finds people in whole images: give KeypointBottomUpCocoDataset"
        )
        head, loss = (config.get(name) for name in ("HrHRNetHead", "HrHRNetLoss"))
        if not isinstance(head, Mapping) or str(head.get("loss")) != "HrHRNetLoss":
            return problems
        scales, learnt = (isinstance(each, Mapping) and bool(each.get("swahr")) for each in (head, loss))
        if scales != learnt:
            said, other = ("HrHRNetHead", "HrHRNetLoss") if scales else ("HrHRNetLoss", "HrHRNetHead")
            text = f"{said}.swahr is true, but {other}.swahr is false: set both for SWAHR, neither for HigherHRNet"
            section = config[said]
            problems.append(Problem(text, section.mark_of("swahr") if isinstance(section, ConfigDict) else None))
        return problems

    def deployed_form(self, parts: Parts, model: Any) -> DeployedForm:
        """The network with the candidate search, for images of any size; see `Task.deployed_form`."""
        config = parts.config
        codec: Any = parts.codec
        feed = Feed.of_config(config)
        layer = BottomUpExport(model, codec, **feed.export_arguments(), to_bgr=feed.to_bgr)
        preprocess = [step for step in preprocess_steps(config) if step["type"] not in ("EvalAffine", *NORMALIZATIONS, "Permute")]
        preprocess += [{"type": "EvalAffine", "size": int(min(codec.input_wh))}]
        preprocess += [{"type": "NormalizeImage", **feed.normalize}, {"type": "Permute"}]
        card = card_of(config, ARCH, preprocess, feed)
        card.use_dynamic_shape = True
        card.label_list = ["keypoint"]
        card.codec, card.skeleton = codec, parts.skeleton
        card.input_wh = self.input_wh(parts)
        return DeployedForm(layer, card, layer.input_spec(), tuple(layer.output_names))

    def evaluated_form(self, parts: Parts, model: Any) -> DeployedForm | None:
        """None for flip and multi-scale tests: they average maps, and the graph gives candidates."""
        averaged = wants_bottom_up_flip(parts.config) or scales_of(parts.config) != (1.0,)
        return None if averaged else self.deployed_form(parts, model)

    def estimator(self, parts: Parts, model: Any, precision: Precision | None = None) -> BottomUpEstimator:
        """The estimator that evaluates or predicts with a bottom-up config's model.

        Args:
            parts: of the config.
            model: with its weights, or an `ExportedModel`, which outputs candidates of one scale and has no flip test.
            precision: mixed precision of the forward pass.

        Raises:
            ConfigError: impossible scales, or a test that an exported model does not support.
        """
        flip_test, scales = wants_bottom_up_flip(parts.config), scales_of(parts.config)
        if isinstance(model, ExportedModel):
            if scales != (1.0,):
                raise ConfigError(
                    f"test_scales is {list(scales)}, but an exported graph gives candidates of one scale and not the maps to "
                    "average: evaluate the weights (leave out --model_dir), or leave the key out"
                )
            return BottomUpEstimator(model.runtime, model.card, parts.skeleton)
        form = self.deployed_form(parts, model)
        if not flip_test and scales == (1.0,) and not (precision and precision.enabled):
            return BottomUpEstimator(form.runtime(), form.card)
        return BottomUpPredictor(form, model, flip_test, scales, precision)

    def collect(
        self,
        parts: Parts,
        model: Any,
        metric: Any,
        data: Any = None,
        precision: Precision | None = None,
        bad: list[tuple[str, str]] | None = None,
    ) -> Collected:
        """Run whole images one by one, read ahead by a thread; see `Task.collect`."""
        estimator = self.estimator(parts, model, precision)
        dataset = parts.dataset("Eval") if data is None else data
        samples = BackgroundSource(readable(dataset, process_rows(dataset), [] if bad is None else bad))
        count = 0
        try:
            for sample in with_progress(samples):
                found = estimator.people(np.ascontiguousarray(sample.image))
                metric.update(
                    {
                        "evaluated": np.array([sample.image_id]),
                        "image_id": np.repeat(np.array([sample.image_id]), len(found.boxes)),
                        "keypoints": np.concatenate([found.keypoints, found.scores[..., None]], axis=2),
                        "score": np.asarray(found.box_scores, np.float64),
                    }
                )
                count += 1
        finally:
            samples.close()
        exported = isinstance(model, ExportedModel)
        computed = estimator.runtime.description if exported else precision_text(precision)
        return Collected(count, bottom_up_setting(estimator, parts.config, len(dataset), computed))

    def refuse_detector(self, parts: Parts) -> None:
        """Bottom-up models take no boxes."""
        raise ConfigError(
            f"{parts.config.path} is a bottom-up model, which finds everybody in the image by itself: leave out --det_config "
            "and --det_weights."
        )

    def finder(self, parts: Parts, model: Any, options: PredictOptions, detector: BoxDetector | None = None) -> Finder:
        """Finds all people of an image, with the config's flip test and scales."""
        estimator = self.estimator(parts, model)
        return PoseFinder(PosePipeline(None, estimator, person_threshold=options.person_threshold), options)

    def parity_samples(self, samples: Sequence[Sample]) -> list[Sample]:
        """Images of various shapes."""
        return bottom_up_samples(samples)

    def stable_outputs(self, outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The highest heatmap values; see `bottom_up_parity.stable_outputs`."""
        return stable_outputs(outputs)

    def predictions(self, runtime: Runtime, card: ModelCard, samples: Sequence[Sample], batch_size: int) -> list[Any]:
        """`BottomUpPrediction` of each image."""
        estimator = BottomUpEstimator(runtime, card)
        return [predict_bottom_up(estimator, image) for image, _ in samples]

    def compare(self, reference: list[Any], found: list[Any]) -> Difference:
        """Compares candidates, and the people grouped from them."""
        return compare_predictions(reference, found)

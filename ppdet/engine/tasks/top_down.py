"""Top-down models: one person's pose per crop.

Axes: B crops, K keypoints, H W input pixels, h w heatmap cells.
"""

from __future__ import annotations

from typing import Any, ClassVar, Mapping, Sequence

import numpy as np
import paddle

from ppdet.codecs import Codec
from ppdet.core.config.load import Config
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.problem import Problem
from ppdet.engine.precision import Precision
from ppdet.engine.tasks.base import Collected, Parts, Sample, Task, with_progress
from ppdet.engine.tasks.dataset_check import OF_BOXES, datasets_of_another_kind
from ppdet.engine.tasks.deployed_form import DeployedForm, Feed, card_of, preprocess_steps
from ppdet.engine.tasks.difference import SCORE_FLOOR, Difference
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.engine.tasks.finders import Finder, PoseFinder, PredictOptions
from ppdet.engine.tasks.setting import pose_setting, precision_text, wants_flip_test
from ppdet.geometry.crop import BOX_PADDING
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.model_card import BOX_KEY, CATEGORY_KEY, PADDING_KEY, ModelCard
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.runtimes.base import Runtime
from ppdet.modeling.export.top_down import TopDownExport, decoded_tensors
from ppdet.skeletons import Skeleton

CROPS = ("TopDownEvalAffine", "TopDownAffine")


class TopDownTask(Task):
    """Crops of single persons; the codec says what a network gives for one: heatmaps, or classifications of the axes.

    Attributes:
        arch: PaddleDetection's name for all such networks in a card.
        estimator: class that runs exported models of this kind.
    """

    arch: ClassVar[str] = "HRNet"
    estimator: ClassVar[type[TopDownEstimator]] = TopDownEstimator
    kind = "top_down"
    keypoint_metric = "KeyPointTopDownCOCOEval"
    architectures = ("TopDownHRNet", "SimpleBaseline", "VitPose_TopDown", "TopDownSimCC")

    def check(self, config: Config) -> list[Problem]:
        """Finds datasets of whole images."""
        return datasets_of_another_kind(
            config, ("KeypointBottomUp", *OF_BOXES), "looks at one person at a time: give KeypointTopDownCocoDataset"
        )

    def deployed_form(self, parts: Parts, model: Any) -> DeployedForm:
        """The network with the outputs that its codec decodes; see `Task.deployed_form`."""
        config, codec = parts.config, parts.codec
        assert codec is not None
        feed = Feed.of_config(config)
        layer = TopDownExport(model, **feed.export_arguments(), to_bgr=feed.to_bgr, outputs=codec.output_names)
        preprocess = preprocess_steps(config) or [{"type": "TopDownEvalAffine"}]
        for step in preprocess:  # deployment programs read the size here; a config does not have to state it again
            if step["type"] in CROPS:
                step["trainsize"] = list(codec.input_wh)
        if not any(step["type"] == "NormalizeImage" for step in preprocess):
            preprocess += [{"type": "NormalizeImage", **feed.normalize}, {"type": "Permute"}]
        card = card_of(config, self.arch, preprocess, feed)
        card.label_list = ["keypoint"]
        card.codec, card.skeleton = codec, parts.skeleton
        card.extra.update(_trained_on(config))
        width, height = card.input_wh = self.input_wh(parts)
        cells = getattr(codec, "heatmap_wh", None)
        card.heatmap_wh = None if cells is None else (cells[0], cells[1])
        return DeployedForm(layer, card, layer.input_spec((width, height)), layer.output_names)

    def evaluated_form(self, parts: Parts, model: Any) -> DeployedForm | None:
        """None for a graph that normalises pixels itself: the reader does that already."""
        return None if Feed.of_config(parts.config).fuse else self.deployed_form(parts, model)

    def eval_reader(self, parts: Parts) -> Any:
        """Batches of crops."""
        return parts.reader("Eval")

    def collect(
        self,
        parts: Parts,
        model: Any,
        metric: Any,
        data: Any = None,
        precision: Precision | None = None,
        bad: list[tuple[str, str]] | None = None,
    ) -> Collected:
        """Run the model on the crops of a reader; see `Task.collect`."""
        codec = parts.codec
        assert codec is not None
        flip_test = wants_flip_test(parts.config, model)
        predictor = PosePredictor(model, codec, parts.skeleton, flip_test, precision)
        reader = parts.reader("Eval") if data is None else data
        bad = [] if bad is None else bad
        count = 0
        for batch in with_progress(reader):
            bad += [(str(path), str(reason)) for path, reason in batch.get("bad") or ()]
            if not len(batch.get("image", ())):
                continue
            xy, scores = predictor(batch)
            count += len(xy)
            metric.update(_person_rows(batch, xy, scores, codec))
        bad[:] = list(getattr(reader, "bad", dict(bad)).items())
        if data is None and hasattr(reader, "close"):
            reader.close()
        computed = model.runtime.description if isinstance(model, ExportedModel) else precision_text(precision)
        setting = pose_setting(parts.config, getattr(reader, "dataset", None), codec, flip_test, computed)
        return Collected(count, setting)

    def finder(self, parts: Parts, model: Any, options: PredictOptions, detector: BoxDetector | None = None) -> Finder:
        """Finds poses in a detector's boxes; without a detector, the whole image is one person's box, as in PaddleDetection."""
        form = self.deployed_form(parts, model)
        estimator = self.estimator(form.runtime(), form.card, flip_test=wants_flip_test(parts.config, model))
        return PoseFinder(PosePipeline(detector, estimator, det_threshold=options.det_threshold), options)

    def sample_boxes(self, sample: Any) -> np.ndarray:
        """The person's box, without the padding of the crop."""
        half = np.asarray(sample.size_wh, np.float64) / BOX_PADDING / 2
        return np.concatenate([sample.center_xy - half, sample.center_xy + half])[None]

    def predictions(self, runtime: Runtime, card: ModelCard, samples: Sequence[Sample], batch_size: int) -> list[Any]:
        """(keypoints, scores, areas of the boxes, sigmas of the keypoints) of the people of each sample."""
        estimator = self.estimator(runtime, card, batch_size=batch_size)
        sigmas = None if card.skeleton is None else np.asarray(card.skeleton.sigmas, np.float64)
        return [(*estimator.estimate(image, boxes), np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), sigmas)
                for image, boxes in samples]  # fmt: skip

    def compare(self, reference: list[Any], found: list[Any]) -> Difference:
        """Compares positions of keypoints with a score above the floor, and all scores."""
        xy, scores = (np.concatenate([each[i] for each in reference]) for i in (0, 1))
        other_xy, other_scores = (np.concatenate([each[i] for each in found]) for i in (0, 1))
        distance = np.linalg.norm(xy - other_xy, axis=-1)
        difference = Difference.of(distance[scores > SCORE_FLOOR], np.abs(scores - other_scores))
        difference.oks = _mean_oks(distance, scores > SCORE_FLOOR, reference)
        return difference


def _mean_oks(distance: np.ndarray, confident: np.ndarray, reference: list[Any]) -> float | None:
    """Mean over people of their OKS with the reference as truth, from distances (N, K) of their keypoints."""
    if not reference or len(reference[0]) < 4 or reference[0][3] is None:
        return None
    areas = np.concatenate([each[2] for each in reference])
    variance = (2 * reference[0][3]) ** 2
    likeness = np.exp(-(distance**2) / (2 * variance[None] * np.maximum(areas, 1.0)[:, None]))
    people = confident.any(axis=1)
    if not people.any():
        return None
    return float(((likeness * confident).sum(axis=1)[people] / confident.sum(axis=1)[people]).mean())


class PosePredictor:
    """Runs a top-down model on crops and decodes in source-image pixels.

    Args:
        model: a network that returns the codec's `output_names` for (B, 3, H, W) images, put into evaluation mode here; or an
            `ExportedModel`.
        codec: the codec that made the crops; decodes and merges maps.
        skeleton: provides the mirror pairs.
        flip_test: also run the mirrored crops (in the same batch) and average.
        precision: mixed precision of the forward pass; None is float32.

    Raises:
        ConfigError: an exported graph that normalises pixels itself (``fuse_normalize``); the reader does that already.
    """

    def __init__(
        self,
        model: Any,
        codec: Codec,
        skeleton: Skeleton,
        flip_test: bool = False,
        precision: Precision | None = None,
    ) -> None:
        model.eval()
        self._run = self._run_network
        if isinstance(model, ExportedModel):
            if model.card.operation("NormalizeImage") is None:
                raise ConfigError(
                    f"{model.card.place} normalises pixels inside the graph (fuse_normalize); export without it to evaluate"
                )
            self._run = self._run_exported
        self._model = model
        self.codec, self.skeleton = codec, skeleton
        self.flip_test = bool(flip_test)
        self._precision = precision or Precision()

    def __call__(self, batch: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints of one reader batch: image (B, 3, H, W), center_xy and size_wh (B, 2), rotation (B,).

        Returns:
            xy_image (B, K, 2) in source-image pixels and scores (B, K).
        """
        crop = self.codec.crop_at(batch["center_xy"], batch["size_wh"], batch["rotation"])
        xy, scores = self.codec.decode(self.outputs(batch["image"]), crop)
        return xy, scores

    def outputs(self, images: Any) -> Any:
        """What the codec decodes, float32, of (B, 3, H, W) normalised crops: averaged with the mirrored ones under flip test.

        Raises:
            DataError: model and skeleton differ in the number of keypoints.
        """
        images = np.asarray(images)
        return self.codec.flip_tested(self._checked, images, self.skeleton) if self.flip_test else self._checked(images)

    def _checked(self, images: np.ndarray) -> Any:
        arrays = [np.asarray(array, np.float32) for array in self._run(images)]
        outputs = self.codec.outputs_of(arrays)
        joints = (outputs if isinstance(outputs, np.ndarray) else outputs[0]).shape[1]
        if joints != self.skeleton.num_keypoints:
            raise DataError(
                f"the model gives {joints} keypoints, skeleton {self.skeleton.name!r} has "
                f"{self.skeleton.num_keypoints}. Set `num_joints` and `skeleton` to what the model was trained for."
            )
        return outputs

    def _run_network(self, images: np.ndarray) -> list[np.ndarray]:
        with paddle.no_grad(), self._precision.autocast():
            tensors = decoded_tensors(self._model(paddle.to_tensor(images)), self.codec.output_names)
            return [tensor.astype("float32").numpy() for tensor in tensors]

    def _run_exported(self, images: np.ndarray) -> list[np.ndarray]:
        (name,) = self._model.runtime.input_names
        return list(self._model.runtime.run({name: images}))


def _trained_on(config: Config) -> dict[str, Any]:
    """What the datasets say of their crops: `box`, and `padding` and `category` if they state them. Programs that crop
    differently warn, and a detector has to find that category."""
    stated = [config.get(f"{role}Dataset") or {} for role in ("Train", "Eval")]

    def first(key: str) -> Any:
        return next((section[key] for section in stated if section.get(key) is not None), None)

    box, padding, category = (first(key) for key in (BOX_KEY, PADDING_KEY, CATEGORY_KEY))
    found: dict[str, Any] = {BOX_KEY: "given" if box is None else str(box)}
    if padding is not None and float(padding) != BOX_PADDING:
        found[PADDING_KEY] = float(padding)
    return {**found, CATEGORY_KEY: str(category)} if isinstance(category, str) else found


def _person_rows(batch: dict[str, Any], xy: np.ndarray, scores: np.ndarray, codec: Codec) -> dict[str, np.ndarray]:
    size = np.asarray(batch["size_wh"], np.float64)
    rows = {
        "image_id": np.asarray(batch["image_id"]),
        "keypoints": np.concatenate([xy, scores[..., None]], axis=2),
        "box_score": np.asarray(batch["box_score"]),
        # The padded crop, which PaddleDetection and the HRNet authors use as area for OKS-NMS.
        "area": size.prod(axis=1),
        "center_xy": np.asarray(batch["center_xy"]),
        "size_wh": size,
    }
    rows.update({name: np.asarray(batch[name]) for name in ("index", "category_row") if name in batch})
    if "xy_input" in batch:
        crop = codec.crop_at(batch["center_xy"], batch["size_wh"], batch["rotation"])
        rows["truth_xy"], rows["visible"] = crop.to_image(batch["xy_input"]), np.asarray(batch["visible"])
        rows["object_area"] = np.asarray(batch["area"])
        if "box_wh" in batch:
            rows["box_wh"] = np.asarray(batch["box_wh"])
    return rows

"""Knowledge distillation: the heatmaps of a better model, the teacher, become part of the target.

    teacher:
      config: configs/keypoint/tiny_pose/tinypose_256x192.yml   # default: this config
      weights: tinypose_256x192.pdparams
      # instead of config and weights: model_dir: output_inference/tinypose_256x192, run by `engine`
      mix: 0.5
      unlabelled_weight: 0.4

Teacher and student see the same crop. Source: Hinton et al., "Distilling the knowledge in a neural network",
2015; for heatmaps Zhang et al., "Fast human pose estimation", CVPR 2019.

Legend: B batch, K keypoints, H W input pixels, h w heatmap cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np
import paddle

from ppdet.codecs import HeatmapCodec
from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError, PpdetError
from ppdet.core.logger import get_logger
from ppdet.core.problem import did_you_mean
from ppdet.data.transforms.pixels.normalize_image import NormalizeImage
from ppdet.engine.assembly import Assembly
from ppdet.engine.teaching.teacher_features import FeatureMatch, feature_arguments
from ppdet.engine.teaching.teacher_maps import MapResampler, mixed_target
from ppdet.engine.weights.checkpoint import load_pretrained
from ppdet.image.normalize import Normalization
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.registry import load_runtime
from ppdet.skeletons import Skeleton

_log = get_logger(__name__)
MODEL_KEYS = ("weights", "config", "model_dir", "engine", "device", "cpu_threads")
TERM_KEYS = ("mix", "weight", "unlabelled_weight", "flip_test", "features")
ALL_AT_ONCE, EXPORTED_BATCH = 1 << 20, 64  # crops per batch of the teacher
WIDTHS_DIFFER = 1.25


@dataclass(frozen=True)
class TeacherSettings:
    """Settings of the section `teacher`, apart from the model.

    Attributes:
        mix: weight of the teacher's maps in the target of labelled keypoints, 0 to 1.
        weight: factor on the loss of labelled keypoints.
        unlabelled_weight: loss weight of keypoints without a label, whose target is the teacher's map.
        flip_test: average the teacher's maps with those of the mirrored crop.
    """

    mix: float = 0.5
    weight: float = 1.0
    unlabelled_weight: float = 0.4
    flip_test: bool = False

    def __post_init__(self) -> None:
        for name, most in (("mix", 1.0), ("weight", float("inf")), ("unlabelled_weight", float("inf"))):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
                limit = "from 0 to 1" if most == 1 else "from 0 on"
                raise ConfigError(f"teacher.{name} is a number {limit}, got {value!r}")
        if not isinstance(self.flip_test, bool):
            raise ConfigError(f"teacher.flip_test is true or false, got {self.flip_test!r}")


class Teacher:
    """Adds a teacher's heatmaps to the batches of a student; see `TrainStep`.

    Args:
        estimator: the teacher, from weights or an exported folder.
        codec, skeleton: the student's.
        normalize: the student's normalisation, which is undone before the teacher applies its own; None for raw pixels.
        settings: weights of the loss terms.
        features: the loss on inner layers, if any, with its weight and the fraction of training after which it has faded to 0.
        steps: iterations of the whole training.

    Raises:
        ConfigError: the teacher lacks keypoints of the student, or its maps use another kind of grid.
    """

    def __init__(
        self,
        estimator: TopDownEstimator,
        codec: HeatmapCodec,
        skeleton: Skeleton,
        normalize: Optional[Normalization] = None,
        settings: Optional[TeacherSettings] = None,
        features: Optional[Tuple[FeatureMatch, float, float, bool]] = None,
        steps: int = 1,
    ) -> None:
        self.estimator, self.settings = estimator, settings or TeacherSettings()
        self._order = _keypoint_order(skeleton, estimator.skeleton, estimator.card.place)
        self._resampler = MapResampler(codec, _same_grid(codec, estimator.codec, estimator.card.place))
        self._normalize = normalize
        self._features, self._steps, self._iteration = features, max(1, steps), 0

    def prepare(self, batch: Mapping[str, Any], iteration: int = 0) -> Dict[str, Any]:
        """The batch with mixed `target` and `target_weight`.

        Raises:
            ConfigError: the batch has no heatmap target.
        """
        if "target" not in batch or "target_weight" not in batch:
            raise ConfigError("a teacher needs heatmap targets: put EncodeHeatmap (ToHeatmapsTopDown...) into TrainReader")
        self._iteration = iteration
        if self._features is not None:
            self._features[0].begin()
        taught = self.heatmaps(np.asarray(batch["image"]))
        settings = self.settings
        target, weight = mixed_target(
            batch["target"], batch["target_weight"], taught, settings.mix, settings.weight, settings.unlabelled_weight
        )
        return {**batch, "target": target, "target_weight": weight}

    def heatmaps(self, images: np.ndarray) -> np.ndarray:
        """(B, K, h, w) maps on the student's grid for (B, 3, H, W) normalised images."""
        crops = self._resampler.crops(self._pixels(images))
        size = self.estimator.batch_size
        maps = [self.estimator.run_crops(crops[start : start + size]) for start in range(0, len(crops), size)]
        return self._resampler.maps(np.concatenate(maps)[:, self._order])

    def losses(
        self, model: Any, outputs: Any, batch: Mapping[str, Any], losses: Mapping[str, paddle.Tensor]
    ) -> Dict[str, paddle.Tensor]:
        """The losses, with the feature term added to the total; blockwise training uses only that term."""
        if self._features is None:
            return dict(losses)
        match, weight, fade, blockwise = self._features
        weight *= max(0.0, 1.0 - self._iteration / (fade * self._steps)) if fade < 1 else 1.0
        distance = match.distance()
        total = distance if blockwise else losses["loss"] + weight * distance
        return {**losses, "loss": total, "feature_loss": distance.detach()}

    def _pixels(self, images: np.ndarray) -> np.ndarray:
        """(B, H, W, 3) uint8 RGB pixels of the network's input."""
        pixels = images.transpose(0, 2, 3, 1)
        if self._normalize is not None:
            pixels = (pixels - self._normalize.offset) / self._normalize.gain
            pixels = pixels[..., ::-1] if self._normalize.to_bgr else pixels
        return np.ascontiguousarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def build_teacher(assembly: Assembly, student: Any, reader: Any, steps: int, processes: int = 1) -> Optional[Teacher]:
    """Create the teacher of a config; None if it has none.

    Args:
        assembly: parts of the student's config.
        student: the student's network.
        reader: training batches, whose normalisation is undone for the teacher.
        steps: iterations of the whole training.
        processes: number of processes of the run.

    Raises:
        ConfigError: an unknown key or value, or a model that cannot teach this student.
        CheckpointError, ModelDirError: the teacher's files are missing or broken.
    """
    section = assembly.config.get("teacher")
    if not section:
        return None
    _check_section(section)
    codec: Any = assembly.codec
    if assembly.task.kind != TopDownEstimator.kind or not hasattr(codec, "grid"):
        raise ConfigError("teacher: only top-down heatmap models can be taught; take the section out of this config")
    if getattr(getattr(student, "_loss", None), "use_target_weight", True) is False:
        raise ConfigError("teacher: the loss ignores target_weight, and with it unlabelled_weight; set use_target_weight: true")
    settings = TeacherSettings(**{key: section[key] for key in TERM_KEYS[:-1] if key in section})
    try:
        estimator, network = _load(section, assembly, settings.flip_test)
    except PpdetError as error:
        raise error.in_context("in the section teacher of the config") from None
    features = None
    if section.get("features"):
        if network is None or settings.flip_test:
            raise ConfigError("teacher.features needs a teacher from weights (not model_dir), without flip_test")
        layers, weight, fade, blockwise = feature_arguments(section["features"])
        if blockwise and processes > 1:
            raise ConfigError("teacher.features.blockwise trains in one process: start it without paddle.distributed.launch")
        features = (FeatureMatch(network, student, layers, blockwise), weight, fade, blockwise)
    transforms = [*reader.maker.per_sample, *reader.maker.on_batch]
    normalize = next((step.normalization for step in transforms if isinstance(step, NormalizeImage)), None)
    teacher = Teacher(estimator, codec, assembly.skeleton, normalize, settings, features, steps)
    _log.info("Teacher: %s (%s), mix %g", estimator.card.place, estimator.runtime.description, settings.mix)
    return teacher


def _check_section(section: Any) -> None:
    if not isinstance(section, Mapping):
        raise ConfigError(f"teacher is a section with model_dir, or weights and config; given {section!r}")
    known = (*MODEL_KEYS, *TERM_KEYS)
    for key in section:
        if key not in known:
            raise ConfigError(f"teacher has no key {key!r}{did_you_mean(str(key), known)}; known: {', '.join(known)}")
    if bool(section.get("weights")) == bool(section.get("model_dir")):
        raise ConfigError("teacher needs either weights (with their config), or model_dir, an exported folder; not both")


def _load(section: Mapping[str, Any], assembly: Assembly, flip_test: bool) -> Tuple[TopDownEstimator, Any]:
    """The teacher, and its network if it is a Paddle layer."""
    if section.get("model_dir"):
        folder = str(section["model_dir"])
        card = ModelCard.load(folder)
        if card.kind != TopDownEstimator.kind:
            raise ConfigError(f"{folder} is a {card.kind.replace('_', '-')} model; a teacher has to be a top-down pose model")
        options = {key: section[key] for key in ("engine", "device", "cpu_threads") if key in section}
        runtime = load_runtime(folder, **options, dynamic_shape=card.use_dynamic_shape)
        return TopDownEstimator(runtime, card, flip_test=flip_test, batch_size=EXPORTED_BATCH), None
    teacher = assembly
    if section.get("config"):
        teacher = Assembly(load_config(_config_path(str(section["config"]), assembly), []))
    if teacher.task.kind != TopDownEstimator.kind:
        raise ConfigError(f"{teacher.config.path} is not a config of a top-down pose model, which a teacher has to be")
    network = teacher.model()
    load_pretrained(network, str(section["weights"]), strict=True)
    network.eval()
    form = teacher.task.deployed_form(teacher, network)
    form.card.model_dir = Path(str(section["weights"]))
    return TopDownEstimator(form.runtime(), form.card, flip_test=flip_test, batch_size=ALL_AT_ONCE), network


def _config_path(given: str, assembly: Assembly) -> Path:
    """The path as given, or relative to the student's config."""
    beside = Path(str(assembly.config.path)).parent / given
    return beside if not Path(given).exists() and beside.exists() else Path(given)


def _keypoint_order(student: Skeleton, teacher: Skeleton, place: str) -> np.ndarray:
    """(K,) index of each of the student's keypoints in the teacher's output, by name."""
    missing = [name for name in student.names if name not in teacher.names]
    if missing:
        raise ConfigError(
            f"teacher: {place} finds the keypoints of {teacher.name} and lacks {', '.join(missing)} of the student's "
            f"{student.name}; give a teacher of the same keypoints"
        )
    return np.array([teacher.index(name) for name in student.names])


def _same_grid(student: HeatmapCodec, teacher: Any, place: str) -> HeatmapCodec:
    """The teacher's codec, after checking that its maps can be resampled to the student's grid."""
    kind = getattr(teacher, "grid", type(teacher).__name__)
    if kind != student.grid:
        raise ConfigError(
            f"teacher: the maps of {place} lie on the {kind} grid, the student's on the {student.grid} grid; give a teacher of "
            f"the same grid, or train the student with codec.grid={kind}"
        )
    widths = np.array([c.sigma / c.cells_per_pixel[0] / c.input_wh[0] for c in (student, teacher)])
    if widths.max() > WIDTHS_DIFFER * widths.min():
        _log.warning(
            "The teacher's peaks are %.2f times as wide as the student's targets (codec.sigma); a mixed target is neither. Set "
            "codec.sigma of the student to %.2f cells, or mix: 1",
            widths[1] / widths[0], student.sigma * widths[1] / widths[0],
        )  # fmt: skip
    return teacher

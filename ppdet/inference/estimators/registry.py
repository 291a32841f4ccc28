"""Which class runs which kind of model: one table, to which packages outside ppdet add their own.

Above it nobody looks at the kind: `pose_estimator_class(card)` gives the class, and the class answers the rest.
"""
from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Callable, TypeVar

from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference.estimators.base import EstimatorOptions, PoseEstimator
from ppdet.inference.estimators.bottom_up import BottomUpEstimator
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.estimators.onnx_detector import OnnxDetector
from ppdet.inference.estimators.onnx_one_stage import OneStageEstimator
from ppdet.inference.estimators.paddledet_top_down import PaddleDetTopDown
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.estimators.tracking_network import TrackingNetwork
from ppdet.inference.model_card import KIND_OF_ARCH, ModelCard
from ppdet.inference.runtimes.base import Runtime

T = TypeVar("T", bound=type)

_OURS = (TopDownEstimator, BottomUpEstimator, BoxDetector, TrackingNetwork, OnnxDetector, OneStageEstimator)
_ESTIMATORS: dict[str, type[Any]] = {each.kind: each for each in _OURS}


def register_estimator(archs: Sequence[str] = ()) -> Callable[[T], T]:
    """Class decorator: run models of kind `cls.kind` with this class.

    Args:
        archs: `arch` of cards that are of this kind; a card with a codec needs none, its codec says the kind.

    Raises:
        ConfigError: the kind or an arch belongs to another class already.
    """

    def add(cls: T) -> T:
        kind = str(getattr(cls, "kind", ""))
        taken = [arch for arch in archs if KIND_OF_ARCH.get(arch, kind) != kind]
        if not kind or (_ESTIMATORS.get(kind, cls).__qualname__ != cls.__qualname__) or taken:
            raise ConfigError(f"{cls.__name__} cannot be registered: kind {kind!r} and archs {list(archs)} must be new, and "
                              f"{', '.join(taken) or repr(kind)} is taken")
        _ESTIMATORS[kind] = cls
        KIND_OF_ARCH.update(dict.fromkeys(archs, kind))
        return cls

    return add


def estimator_class(card: ModelCard) -> type[Any]:
    """The class that runs a card's model: a `PoseEstimator`, or `BoxDetector`.

    Raises:
        ModelDirError: no class is registered for its kind.
    """
    if card.kind not in _ESTIMATORS:
        raise ModelDirError(f"{card.place} is a model of kind {card.kind!r}, which no estimator here runs: known are "
                            f"{', '.join(_ESTIMATORS)}; import the package that registers one")
    return _ESTIMATORS[card.kind]


def finds_poses(card: ModelCard, in_boxes: bool = False) -> bool:
    """Whether a card's model finds poses; with `in_boxes`, whether it finds them in the boxes of a detector."""
    cls = estimator_class(card)
    return issubclass(cls, PoseEstimator) and not (in_boxes and cls.finds_people_itself)


def pose_estimator_class(card: ModelCard, options: EstimatorOptions | None = None) -> type[PoseEstimator]:
    """The class that runs a card's pose model.

    Args:
        card: of the model.
        options: how it will be run.

    Raises:
        ModelDirError: the model finds no poses, or see `estimator_class`.
        ConfigError: options that mean nothing to this kind of model.
    """
    options = options or EstimatorOptions()
    cls = estimator_class(card)
    if not issubclass(cls, PoseEstimator):
        raise ModelDirError(f"{card.place} has arch {card.arch}, which is no pose model: give the directory of an exported "
                            "HRNet, Lite-HRNet, TinyPose or HigherHRNet as the keypoint model")
    cls.check_options(card, options)
    return PaddleDetTopDown if options.paddledet_crop and issubclass(PaddleDetTopDown, cls) else cls


def with_one_thread(model: Any) -> Any:
    """A detector or pose estimator whose network runs with one thread, see `Runtime.with_one_thread`.

    Args:
        model: any; one without an engine that can do so, such as a user's own, is returned as it is.
    """
    runtime = getattr(model, "runtime", None)
    if runtime is None or runtime.with_one_thread() is runtime:
        return model
    twin = copy(model)
    twin.runtime = runtime.with_one_thread()
    if hasattr(model, "network"):  # of other toolkits' models
        twin.network = copy(model.network)
        twin.network.runtime = twin.runtime
    return twin


def load_detector(runtime: Runtime, card: ModelCard, batch_size: int = 1) -> Any:
    """The detector of a card.

    Args:
        runtime: the loaded network.
        card: of the model.
        batch_size: images that go through the network together.

    Raises:
        ModelDirError: the model is no detector, or card and network contradict each other.
    """
    cls = estimator_class(card)
    if issubclass(cls, PoseEstimator):
        raise ModelDirError(f"{card.place} is a pose model (arch {card.arch}), no detector: give it as the pose model")
    return cls(runtime, card, batch_size)

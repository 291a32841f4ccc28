"""Base class of pose estimators. Pipeline and commands call it and do not branch on the kind of model.

Legend: N people, K keypoints, H W pixels.
"""
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ppdet.core.errors import ConfigError, ModelDirError

if TYPE_CHECKING:
    from typing_extensions import Self

    from ppdet.codecs import Codec
    from ppdet.inference.model_card import ModelCard
    from ppdet.inference.results import PoseResult
    from ppdet.inference.runtimes.base import Runtime
    from ppdet.inference.stage_timer import StageTimer
    from ppdet.skeletons import Skeleton

# Smallest mean keypoint score of a person that is shown: about two certain keypoints of 17, so that a head alone counts.
# Evaluation uses all people.
PERSON_THRESHOLD = 0.1
CHOICES = ("flip_test", "use_dark", "paddledet_crop")


class People(NamedTuple):
    """People of one image: boxes (N, 4) xyxy, box_scores (N,), keypoints (N, K, 2) in image pixels and scores (N, K), all
    float32."""

    boxes: np.ndarray
    box_scores: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray

    def above(self, threshold: float) -> People:
        """The people with at least this box score."""
        return People(*(each[self.box_scores >= threshold] for each in self))


@dataclass(frozen=True)
class EstimatorOptions:
    """How to run a pose model. An estimator rejects options that it does not support.

    Attributes:
        flip_test: average with the mirrored input.
        batch_size: largest number of crops that go through the network together.
        use_dark: decode with DARK (True) or the quarter offset (False); None follows the card.
        skeleton: overrides the card's skeleton; a name, a mapping or a Skeleton.
        paddledet_crop: PaddleDetection's deployed crop.
    """

    flip_test: bool = False
    batch_size: int = 8
    use_dark: bool | None = None
    skeleton: str | Mapping[str, Any] | Skeleton | None = None
    paddledet_crop: bool = False


class PoseEstimator(ABC):
    """Finds poses with a network behind a `Runtime`.

    Attributes:
        kind: kind of model, as in `ModelCard.kind`.
        finds_people_itself: whether it takes whole images. Otherwise it needs the boxes of people.
        accepts: names of the `EstimatorOptions` that it supports, besides `skeleton` and `batch_size`.
        runtime, card, codec, skeleton: the loaded network, its card, how it encodes keypoints, and which these are.
    """

    kind: ClassVar[str]
    finds_people_itself: ClassVar[bool] = False
    accepts: ClassVar[tuple[str, ...]] = ()
    runtime: Runtime
    card: ModelCard
    codec: Codec
    skeleton: Skeleton

    @property
    def people_together(self) -> int:
        """How many people in boxes go through the network together at the least cost per person."""
        return 8

    def tune(self) -> None:  # noqa: B027 - most have nothing to find out
        """Find out what is fastest on this machine, before work of some length; results do not change by it."""

    @classmethod
    @abstractmethod
    def from_options(cls, runtime: Runtime, card: ModelCard, options: EstimatorOptions) -> Self:
        """Create the estimator; the options were checked by `check_options`."""

    @classmethod
    def check_options(cls, card: ModelCard, options: EstimatorOptions) -> None:
        """Reject options that this kind of model does not support, before loading its network.

        Raises:
            ConfigError: an option is not supported.
        """
        given = [f"--{name}" for name in CHOICES if getattr(options, name) and name not in cls.accepts]
        if given:
            raise ConfigError(f"{' and '.join(given)}: {card.place} is a {words_of(card)}, which has no such choice: leave it "
                              "out")

    @classmethod
    def refuse_detector(cls, card: ModelCard, advice: str) -> None:
        """Raise an error if this kind of model cannot be combined with a detector, or replace it.

        Args:
            card: the pose model's.
            advice: what to do instead.

        Raises:
            ModelDirError: the model finds people itself.
        """
        if cls.finds_people_itself:
            raise ModelDirError(f"{card.place} is a {words_of(card)} ({card.arch}): it finds all people of a whole image at once "
                                f"and takes no boxes from a detector; {advice}")

    @abstractmethod
    def poses(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[tuple[np.ndarray, np.ndarray]] | None,
        person_threshold: float,
        timer: StageTimer,
    ) -> list[People]:
        """People and poses of several images.

        Args:
            images: (H, W, 3) RGB uint8 each, of any sizes.
            boxes: for each image (N, 4) xyxy boxes of people and their (N,) scores; None if `finds_people_itself`.
            person_threshold: smallest mean keypoint score of people that the estimator found itself.
            timer: records the stages.
        """

    @abstractmethod
    def ranking_scores(self, result: PoseResult) -> np.ndarray:
        """(N,) scores by which an evaluation ranks people."""


def words_of(card: ModelCard) -> str:
    """A pose model's kind for messages: "bottom-up pose model"."""
    return f"{card.kind.replace('_', '-')} pose model"

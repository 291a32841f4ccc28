"""What a pose estimator offers to pipeline and commands, which ask it and never look at the kind of model.

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

# Mean keypoint score from which a person counts where people are shown: about two sure keypoints of 17, so that a head alone is
# somebody. Evaluation takes everybody.
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
        """The people whose box score is at least this."""
        return People(*(each[self.box_scores >= threshold] for each in self))


@dataclass(frozen=True)
class EstimatorOptions:
    """How to run a pose model, in words that every estimator understands or refuses.

    Attributes:
        flip_test: average with the mirrored input.
        batch_size: largest number of crops that go through the network together.
        use_dark: decode with DARK (True) or the quarter offset (False); None does as the card says.
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
        kind: kind of model, as `ModelCard.kind` has it.
        finds_people_itself: whether it takes whole images. If not, it is given the boxes of people.
        accepts: names of the `EstimatorOptions` that mean something to it, besides `skeleton` and `batch_size`.
        runtime, card, codec, skeleton: the loaded network, its card, how it encodes keypoints, and which these are.
    """

    kind: ClassVar[str]
    finds_people_itself: ClassVar[bool] = False
    accepts: ClassVar[tuple[str, ...]] = ()
    runtime: Runtime
    card: ModelCard
    codec: Codec
    skeleton: Skeleton

    @classmethod
    @abstractmethod
    def from_options(cls, runtime: Runtime, card: ModelCard, options: EstimatorOptions) -> Self:
        """Build the estimator; the options have passed `check_options`."""

    @classmethod
    def check_options(cls, card: ModelCard, options: EstimatorOptions) -> None:
        """Refuse options that mean nothing to this kind of model, before its network is loaded.

        Raises:
            ConfigError: there is one.
        """
        given = [f"--{name}" for name in CHOICES if getattr(options, name) and name not in cls.accepts]
        if given:
            raise ConfigError(f"{' and '.join(given)}: {card.place} is a {words_of(card)}, which has no such choice: leave it "
                              "out")

    @classmethod
    def refuse_detector(cls, card: ModelCard, advice: str) -> None:
        """Raise if this kind of model cannot stand beside a detector, or in its place.

        Args:
            card: the pose model's.
            advice: what to do instead.

        Raises:
            ModelDirError: it finds people by itself.
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
            person_threshold: leave out people whom the estimator found itself with a smaller mean keypoint score.
            timer: notes the stages.
        """

    @abstractmethod
    def ranking_scores(self, result: PoseResult) -> np.ndarray:
        """(N,) scores by which an evaluation ranks people."""


def words_of(card: ModelCard) -> str:
    """A pose model's kind in words, for messages: "bottom-up pose model"."""
    return f"{card.kind.replace('_', '-')} pose model"

"""Finds people with an exported network that also describes their looks, by which they are followed (FairMOT).

Legend: P rows of the network, N boxes, D length of a look.
"""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.estimators.preprocess import DetectorInput
from ppdet.inference.model_card import TRACKER_KEY, ModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.tracking.jde.settings import JdeSettings, settings_of_file
from ppdet.inference.tracking.jde.tracker import JdeTracker


class TrackingNetwork(BoxDetector):
    """An exported FairMOT, ours or PaddleDetection's. As a detector it gives its boxes with looks; with `follower` these get
    identities.

    Args:
        runtime: the loaded network.
        card: its card; `tracker` holds the settings of its tracker.
        batch_size: not used: the graph takes one image.

    Attributes:
        settings: of the tracker.

    Raises:
        ModelDirError: the card is of another kind, or its tracker's settings are malformed.
    """

    kind = "tracking"

    def __init__(self, runtime: Runtime, card: ModelCard, batch_size: int = 1) -> None:
        super().__init__(runtime, card)
        self.settings = tracker_of(card)

    def configure(self, path: str | Path) -> bool:
        """Take the settings of a tracker_config.yml for this network's tracker, whose keys change the card's.

        Returns:
            False if the file is for the tracker of poses.

        Raises:
            ConfigError: the file cannot be read, or is for neither.
        """
        settings = settings_of_file(path, tracker_of(self.card))
        self.settings = self.settings if settings is None else settings
        return settings is not None

    def follower(self, fps: float) -> JdeTracker:
        """A tracker for one video."""
        return JdeTracker(self.settings, fps)

    def _decode(self, outputs: Sequence[np.ndarray], inputs: DetectorInput) -> list[Detections]:
        shapes = [tuple(output.shape) for output in outputs]
        if len(shapes) != 2 or [len(shape) for shape in shapes] != [2, 2] or shapes[0] != (shapes[1][0], 6):
            raise ModelDirError(f"{self.card.place}: the outputs of a FairMOT are rows of six and as many looks, here their "
                                f"shapes are {', '.join(map(str, shapes))}; export it again")
        rows, looks = (np.asarray(output, np.float32) for output in outputs)
        order = np.argsort(-rows[:, 1], kind="stable")
        return [Detections(rows[order, 2:], rows[order, 1], rows[order, 0].astype(np.int64), looks[order])]

    def _in_image(self, found: Detections, image: np.ndarray, row: int, inputs: DetectorInput) -> Detections:
        """Boxes of people who reach beyond the image are not clipped, since their motion could not be followed otherwise."""
        height, width = image.shape[:2]
        x1, y1, x2, y2 = found.boxes_xyxy.T
        is_person = (found.scores > 0) & (x2 > x1) & (y2 > y1) & (x2 > 0) & (y2 > 0) & (x1 < width) & (y1 < height)
        return found[is_person & np.isfinite(found.boxes_xyxy).all(axis=1)]

    def _keeps_batch(self, outputs: Sequence[np.ndarray], batch: int) -> bool:
        return batch == 1


def tracker_of(card: ModelCard) -> JdeSettings:
    """The settings in a card, or the defaults.

    Raises:
        ModelDirError: they are malformed.
    """
    try:
        return JdeSettings.from_mapping(card.extra.get(TRACKER_KEY) or {})
    except ConfigError as error:
        raise ModelDirError(f"{card.place}: {error}; correct its infer_cfg.yml, or export it again") from error

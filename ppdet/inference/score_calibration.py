"""Confidences that mean probabilities: sigmoid(logit(score) / temperature + shift), as stored in a model's card.

Heights of heatmap peaks rank keypoints well and are no probabilities. Temperature: Guo et al., ICML 2017; shift: Platt, 1999.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

import numpy as np

CARD_KEY = "score_calibration"
SMALLEST = 1e-4
"""Scores are cut to this distance from 0 and 1, where the logit ends."""


@dataclass(frozen=True)
class ScoreCalibration:
    """A monotonic map of scores, which leaves their order as it is.

    Attributes:
        temperature: above 1 makes scores less certain, below 1 more.
        shift: moves all in logits; 0 for a temperature alone.
    """

    temperature: float = 1.0
    shift: float = 0.0

    @classmethod
    def from_card(cls, content: Optional[Mapping[str, Any]]) -> Optional[ScoreCalibration]:
        """From the card's entry, None if it has none."""
        return None if content is None else cls(float(content["temperature"]), float(content.get("shift", 0.0)))

    @staticmethod
    def identity(scores: np.ndarray) -> np.ndarray:
        """The scores as they are, for cards without a calibration."""
        return scores

    def to_dict(self) -> dict[str, float]:
        """The card's entry."""
        return {"temperature": round(self.temperature, 6), "shift": round(self.shift, 6)}

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Calibrated scores of any shape, in the same type."""
        value = logit(scores) / self.temperature + self.shift
        calibrated: np.ndarray = (1 / (1 + np.exp(-value))).astype(np.asarray(scores).dtype)
        return calibrated


def logit(scores: np.ndarray) -> np.ndarray:
    """log(s / (1 - s)) of scores cut to (0, 1)."""
    clipped = np.clip(np.asarray(scores, np.float64), SMALLEST, 1 - SMALLEST)
    value: np.ndarray = np.log(clipped / (1 - clipped))
    return value

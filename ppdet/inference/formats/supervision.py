"""Results as `supervision.KeyPoints`, for the annotators of Roboflow's supervision."""
from __future__ import annotations

import inspect
from importlib.util import find_spec
from typing import Any

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.core.extras import install_extra
from ppdet.inference.formats.poses import Poses

PERSON_CLASS = 0


def supervision_key_points(result: Poses) -> Any:
    """The people as `supervision.KeyPoints`.

    `xy` (N, K, 2) and the confidence (N, K) are the result's; `class_id` is 0; `data` has "box" (N, 4) xyxy, "box_score" (N,)
    and, if there are identities, "track_id" (N,).

    Raises:
        ConfigError: supervision is not installed.
    """
    if find_spec("supervision") is None:
        raise ConfigError("to_supervision() needs supervision, which is not installed: pip install supervision, or "
                          f"{install_extra('formats')}")
    import supervision

    confidence = "keypoint_confidence"  # of release 0.28 and later; "confidence" before
    if confidence not in inspect.signature(supervision.KeyPoints.__init__).parameters:
        confidence = "confidence"
    data: dict[str, Any] = {"box": result.boxes.copy(), "box_score": result.box_scores.copy()}
    if result.track_ids is not None:
        data["track_id"] = np.asarray(result.track_ids)
    people = {"xy": result.keypoints.copy(), confidence: result.scores.copy()}
    return supervision.KeyPoints(**people, class_id=np.full(len(result), PERSON_CLASS), data=data)

"""Settings of the tracker of networks that find people and embed their appearance at once."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ppdet.core.config.yaml_loader import load_plain_yaml
from ppdet.core.content_schema import Rule, anything, mapping, number, one_of, optional, summary, switch, whole
from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.inference.tracking.settings import SECTION, TrackerSettings

#: Frames per second that `track_buffer` refers to.
BUFFER_FPS = 30.0
COSINE, EUCLIDEAN = "cosine", "euclidean"
#: Score above `conf_thres` from which a box starts an identity, with `use_byte`.
BYTE_MARGIN = 0.1
TYPE = "JDETracker"
#: Keys of PaddleDetection's JDETracker that change nothing here.
UNUSED_KEYS = ("min_hits", "num_classes", "motion")


@dataclass(frozen=True)
class JdeSettings:
    """How boxes with appearance are associated. Names and defaults are those of PaddleDetection's `JDETracker`.

    Attributes:
        conf_thres: boxes with scores above it are people.
        tracked_thresh: largest distance in appearance and motion, in the first round.
        r_tracked_thresh: largest 1 - IoU, in the second round.
        unconfirmed_thresh: largest 1 - IoU to a person seen only once.
        det_thresh: smallest score that starts an identity.
        match_thres: largest 1 - IoU in the first round, without appearance.
        use_byte: the second round takes boxes with scores between `low_conf_thres` and `conf_thres` instead; identities start
            from `conf_thres` + .1 on (Zhang et al., ByteTrack, ECCV 2022).
        low_conf_thres: see there.
        metric_type: distance of two embeddings, "cosine" or "euclidean".
        track_buffer: how long somebody may be out of sight and keep the identity, in frames at 30 per second; it is used as a
            time, so it holds for any frame rate.
        min_box_area: boxes up to this area, in square pixels, are not shown.
        vertical_ratio: boxes wider than this many heights are not shown; 0 or less shows all.
        paddledet_exact: also forget whom PaddleDetection forgets by mistake, see `JdeTracker`.
    """

    conf_thres: float = 0.0
    tracked_thresh: float = 0.7
    r_tracked_thresh: float = 0.5
    unconfirmed_thresh: float = 0.7
    det_thresh: float = 0.3
    match_thres: float = 0.8
    use_byte: bool = False
    low_conf_thres: float = 0.2
    metric_type: str = EUCLIDEAN
    track_buffer: int = 30
    min_box_area: float = 0.0
    vertical_ratio: float = 0.0
    paddledet_exact: bool = False

    def __post_init__(self) -> None:
        problems = summary(RULE(asdict(self), TYPE))
        if problems:
            raise ConfigError(problems)

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any], place: str = "tracker") -> JdeSettings:
        """Settings from a card's `tracker`, or a config's or tracker_config.yml's `JDETracker`.

        Raises:
            ConfigError: unknown names or values out of range.
        """
        problems = summary(RULE(content, place))
        if problems:
            raise ConfigError(problems)
        unused = [key for key in UNUSED_KEYS if key in content]
        if unused:
            get_logger(__name__).warning("%s: %s have no effect", place, ", ".join(unused))
        names = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in content.items() if key in names})

    def to_dict(self) -> dict[str, Any]:
        """All settings by name."""
        return asdict(self)

    @property
    def start_score(self) -> float:
        """Smallest score of a box that starts an identity."""
        return self.conf_thres + BYTE_MARGIN if self.use_byte else self.det_thresh

    @property
    def lowest_score(self) -> float:
        """Boxes with scores up to this are ignored."""
        return min(self.low_conf_thres, self.conf_thres) if self.use_byte else self.conf_thres

    def most_missed(self, fps: float) -> int:
        """Frames that somebody may be out of sight."""
        return int(fps / BUFFER_FPS * self.track_buffer)

    def shown(self, boxes_xyxy: np.ndarray) -> np.ndarray:
        """(N,) bool: boxes that are large and upright enough."""
        width, height = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).T
        upright = np.ones(len(boxes_xyxy), bool) if self.vertical_ratio <= 0 else width <= self.vertical_ratio * height
        return (width * height > self.min_box_area) & upright


RULE: Rule = mapping(
    {
        "conf_thres": number(0, 1),
        "tracked_thresh": number(0, 10),
        "r_tracked_thresh": number(0, 1),
        "unconfirmed_thresh": number(0, 1),
        "det_thresh": number(0, 1),
        "match_thres": number(0, 1),
        "use_byte": switch(),
        "low_conf_thres": number(0, 1),
        "metric_type": one_of(COSINE, EUCLIDEAN),
        "track_buffer": whole(0, 1_000_000),
        "min_box_area": number(0),
        "vertical_ratio": number(-1),
        "paddledet_exact": switch(),
        **{key: optional(anything()) for key in UNUSED_KEYS},
    },
    only_known=True,
)


def settings_of_file(path: str | Path, defaults: JdeSettings) -> JdeSettings | None:
    """Settings of a tracker_config.yml for a network with appearance embeddings.

    Args:
        path: a file with `type: JDETracker` and a section of that name (PaddleDetection's layout), or with a mapping `tracker:`.
        defaults: what the file leaves out.

    Returns:
        None for a mapping `tracker:`, whose settings are those of `PersonTracker`.

    Raises:
        ConfigError: the file cannot be read, or has neither layout, or holds unknown keys or values.
    """
    content = load_plain_yaml(path)
    if isinstance(content, Mapping) and content.get("type") == TYPE and isinstance(content.get(TYPE), Mapping):
        given = JdeSettings.from_mapping(content[TYPE], f"{path}: {TYPE}")
        stated = {key: getattr(given, key) for key in content[TYPE] if key not in UNUSED_KEYS}
        return JdeSettings(**{**asdict(defaults), **stated})
    if isinstance(content, Mapping) and SECTION in content:
        TrackerSettings.load(path)
        return None
    raise ConfigError(f"{path} has neither `type: {TYPE}` with a section of that name, for a FairMOT's own tracker, nor a "
                      f"mapping `{SECTION}:`, to follow its people by their poses (docs/tracking.md)")

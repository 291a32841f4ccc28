"""Settings of the tracker, from Python or YAML."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ppdet.core.config.yaml_loader import load_plain_yaml
from ppdet.core.content_schema import Rule, mapping, number, optional, summary, switch, whole
from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger

SECTION = "tracker"
PADDLEDET_FPS = 30.0
#: PaddleDetection's keys (deploy/python/tracker_config.yml) -> ours; numbers of frames are divided by 30 frames per second.
PADDLEDET_KEYS = {
    "conf_thres": "high_score", "low_conf_thres": "low_score", "min_hits": "min_hits",
    "track_buffer": "reentry_seconds", "max_age": "reentry_seconds",
}  # fmt: skip
PADDLEDET_TYPES = ("JDETracker", "OCSORTTracker", "BOTSORTTracker", "DeepSORTTracker", "CenterTracker")


@dataclass(frozen=True)
class TrackerSettings:
    """How people of consecutive frames are associated.

    Attributes:
        high_score: boxes from this score on are people, and may start a new identity. None takes the pipeline's `det_threshold`.
        low_score: boxes between this and `high_score` only continue an identity that the previous frame had (ByteTrack's second
            round): people who are half hidden or blurred score low.
        min_similarity: least similarity of a person and a prediction, the weighted mean of box IoU and OKS.
        oks_weight: share of OKS in the similarity; 0 associates by boxes alone.
        reentry_seconds: how long a person may be out of sight and keep the identity.
        min_hits: frames in which a newcomer must be seen to count as a person; until then one missed frame ends the identity.
            People of the first frame count at once.
        camera_motion: compensate a shift of the whole image, estimated from the people.
        scene_cuts: end all identities at a scene cut.
    """

    high_score: float | None = None
    low_score: float = 0.15
    min_similarity: float = 0.2
    oks_weight: float = 0.5
    reentry_seconds: float = 2.0
    min_hits: int = 3
    camera_motion: bool = True
    scene_cuts: bool = True

    def __post_init__(self) -> None:
        problems = summary(RULE(asdict(self), SECTION))
        if problems:
            raise ConfigError(f"tracker settings: {problems}")

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any], place: str = SECTION) -> TrackerSettings:
        """Settings from a mapping of their names.

        Raises:
            ConfigError: unknown names or values out of range.
        """
        problems = summary(RULE(content, place))
        if problems:
            raise ConfigError(problems)
        return cls(**content)

    @classmethod
    def load(cls, path: str | Path) -> TrackerSettings:
        """Settings from a YAML file.

        Args:
            path: a file with a mapping `tracker:`, or one in the layout of PaddleDetection's tracker_config.yml (`type:
                JDETracker` and a section of that name), whose keys are translated.

        Raises:
            ConfigError: the file cannot be read, or has neither layout, or holds unknown keys or values.
        """
        content = load_plain_yaml(path)
        if not isinstance(content, Mapping):
            raise ConfigError(f"{path} holds no mapping: write the settings below `{SECTION}:`, such as reentry_seconds: 2.0")
        kind = content.get("type")
        if SECTION in content and isinstance(content[SECTION], Mapping):
            return cls.from_mapping(content[SECTION], f"{path}: {SECTION}")
        if kind in PADDLEDET_TYPES and isinstance(content.get(kind), Mapping):
            return cls.from_mapping(_translated(content[kind], str(path)), f"{path}: {kind}")
        raise ConfigError(f"{path} has neither a mapping `{SECTION}:` nor PaddleDetection's `type: JDETracker` with its section; "
                          f"known settings are {', '.join(field.name for field in fields(cls))}")


RULE: Rule = mapping(
    {
        "high_score": optional(number(0, 1)),
        "low_score": number(0, 1),
        "min_similarity": number(0.01, 1),
        "oks_weight": number(0, 1),
        "reentry_seconds": number(0, 3600),
        "min_hits": whole(1, 10_000),
        "camera_motion": switch(),
        "scene_cuts": switch(),
    },
    only_known=True,
)


def _translated(section: Mapping[str, Any], file: str) -> dict[str, Any]:
    """PaddleDetection's keys as ours; logs those without a counterpart."""
    content: dict[str, Any] = {}
    for key, value in section.items():
        if key in PADDLEDET_KEYS:
            content[PADDLEDET_KEYS[key]] = value
    if isinstance(content.get("reentry_seconds"), (int, float)):
        content["reentry_seconds"] = content["reentry_seconds"] / PADDLEDET_FPS
    others = [key for key in section if key not in PADDLEDET_KEYS]
    if others:
        get_logger(__name__).warning("%s: %s have no effect: this tracker has its own rule (docs/tracking.md)", file,
                                     ", ".join(map(str, others)))
    return content

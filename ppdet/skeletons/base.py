"""A skeleton: names of keypoints, mirror partners, body parts, OKS sigmas, links.

Legend: K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Mapping, Optional

import numpy as np

from ppdet.core.content_schema import either, list_of, mapping, number, one_of, optional, summary, text, whole
from ppdet.core.errors import ConfigError
from ppdet.skeletons.side_names import side_of

BGR = tuple[int, int, int]

PARTS = ("upper", "lower", "other")
#: OKS sigma of keypoints that state none: the mean of COCO's seventeen.
DEFAULT_SIGMA = 0.0644

_LABEL = either(whole(), text())  # numbers as names: YAML reads `name: 7` as one
_ROW = mapping(
    {
        "name": _LABEL,
        "mirror": optional(either(one_of(""), _LABEL)),
        "part": text(),
        "sigma": number(),
        "color": optional(list_of(whole(0, 255), length=3)),
    },
    required=("name",),
    only_known=True,
)
#: What `Skeleton.from_dict` reads.
MAPPING_RULE = mapping(
    {
        "name": _LABEL,
        "keypoints": list_of(either(text(), _ROW), least=1, most=10_000),
        "links": optional(list_of(list_of(_LABEL, length=2))),
        "sigma_source": optional(text()),
    },
    required=("keypoints",),
    only_known=True,
)

_LEFT: BGR = (80, 200, 60)
_RIGHT: BGR = (40, 120, 255)
_MIDDLE: BGR = (230, 160, 40)


@dataclass(frozen=True)
class Keypoint:
    """One row of a skeleton table.

    Attributes:
        name: unique within its skeleton, e.g. ``left_knee``.
        mirror: name of the keypoint it becomes in a mirrored image; its own name if it is on the midline.
        part: ``upper``, ``lower`` (half-body augmentation) or ``other``.
        sigma: OKS fall-off of this keypoint, relative to the square root of the object's area (COCO keypoint evaluation).
        color: BGR for drawing; default: the colour of its side.
    """

    name: str
    mirror: str = ""
    part: str = "other"
    sigma: float = DEFAULT_SIGMA
    color: Optional[BGR] = None


@dataclass(frozen=True)
class Skeleton:
    """An immutable, validated set of keypoints and the links drawn between them.

    Args:
        name: short identifier, e.g. ``coco17``.
        keypoints: in the order of the network's outputs and of the annotations.
        link_names: pairs of keypoint names.
        sigma_source: where the OKS sigmas come from, for reports; empty if nobody said, see `sigma_note`.

    Raises:
        ConfigError: a name appears twice, a mirror is not an involution, a link names a keypoint that does not exist, a
            sigma is not positive or a part is unknown.
    """

    name: str
    keypoints: tuple[Keypoint, ...]
    link_names: tuple[tuple[str, str], ...] = field(default=())
    sigma_source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.keypoints:
            raise ConfigError(f"skeleton {self.name!r} has no keypoints; give at least one row")
        index = {kp.name: i for i, kp in enumerate(self.keypoints)}
        if len(index) != len(self.keypoints):
            names = [kp.name for kp in self.keypoints]
            twice = sorted({n for n in names if names.count(n) > 1})
            raise ConfigError(f"skeleton {self.name!r}: keypoint names must be unique, repeated: {', '.join(twice)}")
        for kp in self.keypoints:
            self._check_row(kp, index)
        for a, b in self.link_names:
            for end in (a, b):
                if end not in index:
                    raise ConfigError(
                        f"skeleton {self.name!r}: link ({a}, {b}) names {end!r}, which is not one of its keypoints: "
                        f"{', '.join(index)}"
                    )

    def _check_row(self, kp: Keypoint, index: Mapping[str, int]) -> None:
        where = f"skeleton {self.name!r}, keypoint {kp.name!r}"
        if not kp.sigma > 0:
            raise ConfigError(f"{where}: sigma must be positive, given {kp.sigma}")
        if kp.part not in PARTS:
            raise ConfigError(f"{where}: part must be one of {', '.join(PARTS)}, given {kp.part!r}")
        mirror = kp.mirror or kp.name
        if mirror not in index:
            raise ConfigError(f"{where}: its mirror {mirror!r} is not a keypoint of this skeleton")
        back = self.keypoints[index[mirror]].mirror or mirror
        if back != kp.name:
            raise ConfigError(
                f"{where}: its mirror is {mirror!r}, but the mirror of {mirror!r} is {back!r}; mirrors must name each other"
            )

    @property
    def num_keypoints(self) -> int:
        """K."""
        return len(self.keypoints)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Keypoint names in output order."""
        return tuple(kp.name for kp in self.keypoints)

    def index(self, name: str) -> int:
        """Position of a keypoint by its name.

        Raises:
            ConfigError: no keypoint has that name.
        """
        if name not in self.names:
            raise ConfigError(f"skeleton {self.name!r} has no keypoint {name!r}; it has: {', '.join(self.names)}")
        return self.names.index(name)

    @cached_property
    def sigmas(self) -> np.ndarray:
        """(K,) float64 OKS sigmas."""
        return np.array([kp.sigma for kp in self.keypoints], dtype=np.float64)

    @property
    def sigma_note(self) -> str:
        """Where the OKS sigmas come from, which decide what an AP means."""
        default = sum(kp.sigma == DEFAULT_SIGMA for kp in self.keypoints)
        if self.sigma_source:
            return self.sigma_source
        if default == self.num_keypoints:
            return f"the default {DEFAULT_SIGMA} for every keypoint (nobody stated any; it is the mean of COCO's 17)"
        rest = f", the default {DEFAULT_SIGMA} for {default} of {self.num_keypoints} keypoints" if default else ""
        return f"those stated in skeleton {self.name}{rest}"

    @cached_property
    def flip_permutation(self) -> np.ndarray:
        """(K,) int: keypoint ``i`` of a mirrored image is keypoint ``flip_permutation[i]`` of the original."""
        return np.array([self.names.index(kp.mirror or kp.name) for kp in self.keypoints], dtype=np.int64)

    @cached_property
    def flip_pairs(self) -> tuple[tuple[int, int], ...]:
        """Index pairs (i, j), i < j, that swap in a mirrored image."""
        return tuple((i, int(j)) for i, j in enumerate(self.flip_permutation) if i < j)

    @cached_property
    def upper_body_ids(self) -> tuple[int, ...]:
        """Indices of the upper-body keypoints (half-body augmentation)."""
        return tuple(i for i, kp in enumerate(self.keypoints) if kp.part == "upper")

    @cached_property
    def links(self) -> tuple[tuple[int, int], ...]:
        """Index pairs to draw a line between."""
        return tuple((self.names.index(a), self.names.index(b)) for a, b in self.link_names)

    @cached_property
    def colors(self) -> np.ndarray:
        """(K, 3) uint8 BGR: each keypoint's own colour, or that of its side."""
        return np.array([kp.color or _side_color(kp.name) for kp in self.keypoints], dtype=np.uint8)

    @cached_property
    def link_colors(self) -> np.ndarray:
        """(L, 3) uint8 BGR: a link within one side has that side's colour, others the colour of the middle."""
        rows = [
            self.colors[a] if np.array_equal(self.colors[a], self.colors[b]) else np.array(_MIDDLE, np.uint8)
            for a, b in self.links
        ]
        return np.array(rows, dtype=np.uint8).reshape(-1, 3)

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for YAML; ``from_dict`` restores the skeleton."""
        rows = []
        for kp in self.keypoints:
            row: dict[str, Any] = {"name": kp.name, "part": kp.part, "sigma": float(kp.sigma)}
            if kp.mirror and kp.mirror != kp.name:
                row["mirror"] = kp.mirror
            if kp.color is not None:
                row["color"] = [int(c) for c in kp.color]
            rows.append(row)
        content = {"name": self.name, "keypoints": rows, "links": [list(pair) for pair in self.link_names]}
        return {**content, "sigma_source": self.sigma_source} if self.sigma_source else content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Skeleton:
        """Build from a mapping ``{name, keypoints: [name | {name, mirror, part, sigma, color}], links: [[a, b]],
        sigma_source}``.

        Raises:
            ConfigError: a key is missing or unknown, or the skeleton is inconsistent.
        """
        wrong = summary(MAPPING_RULE(content, "skeleton"))
        if wrong:
            raise ConfigError(f"{wrong}. A skeleton mapping has the keys name, keypoints, links; see docs/config.md")
        rows = tuple(_keypoint(row) for row in content["keypoints"])
        links = tuple((str(start), str(end)) for start, end in content.get("links") or ())
        return cls(str(content.get("name", "custom")), rows, links, str(content.get("sigma_source") or ""))


def _keypoint(row: Any) -> Keypoint:
    if isinstance(row, str):
        return Keypoint(row)
    color = row.get("color")
    return Keypoint(
        name=str(row["name"]),
        mirror=str(row.get("mirror") or ""),
        part=row.get("part", "other"),
        sigma=float(row.get("sigma", DEFAULT_SIGMA)),
        color=None if color is None else (int(color[0]), int(color[1]), int(color[2])),
    )


def _side_color(name: str) -> BGR:
    return {"left": _LEFT, "right": _RIGHT}.get(side_of(name) or "", _MIDDLE)

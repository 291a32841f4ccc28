"""How one family of networks names its tensors, and how to know it by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ppdet.core.errors import CheckpointError
from ppdet.engine.converters.key_rule import KeyRule, Transform, name_pattern

Shape = Tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """What shapes tell about a checkpoint's network.

    Attributes:
        name: such as "HRNet-W32, 17 keypoints".
        joints: number of keypoints; 0 for a backbone alone.
        configs: configurations that fit, the first one best; by name, and by path in a `Conversion`.
    """

    name: str
    joints: int
    configs: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Renaming:
    """What becomes of every key of a file.

    Attributes:
        targets: file key -> our key.
        changes: file key -> change of its numbers, where there is one.
        dropped: file key -> why it is not needed.
        unknown: keys which no rule is about.
    """

    targets: Dict[str, str] = field(default_factory=dict)
    changes: Dict[str, Transform] = field(default_factory=dict)
    dropped: Dict[str, str] = field(default_factory=dict)
    unknown: List[str] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """A table of rules.

    Attributes:
        name: for --layout.
        title: for people.
        rules: each key is renamed by the one rule that fits.
        has, lacks: keys by which the layout is known; ``*`` and ``{i}`` as in rules.
        describe: shapes by the file's keys (without mmpose's prefixes), home -> the network.
        home, mmpose_home: whose checkpoints these are, unless said otherwise; see `feeds`.
        dropped: names of tensors -> why they are not needed.
        absent: prefixes of our keys that such a file lacks by nature.
        surplus: our keys that a model may lack, as rules name them.
    """

    name: str
    title: str
    rules: Sequence[KeyRule]
    has: Sequence[str]
    lacks: Sequence[str]
    describe: Callable[[Mapping[str, Shape], str], Network]
    home: str
    mmpose_home: str = "mmpose"
    dropped: Mapping[str, str] = field(default_factory=dict)
    absent: Tuple[str, ...] = ()
    surplus: Tuple[str, ...] = ()

    def may_be_left_over(self, key: str) -> bool:
        """Whether one of our keys is nothing to worry about when a model has no use for it."""
        return any(name_pattern(name).fullmatch(key) for name in self.surplus)

    def fits(self, keys: Sequence[str]) -> bool:
        """Whether a file's keys look like this layout's."""
        return all(_any(name, keys) for name in self.has) and not any(_any(name, keys) for name in self.lacks)

    def rename(self, keys: Sequence[str]) -> Renaming:
        """Our key of each of a file's.

        Args:
            keys: of the file; mmpose's ``backbone.`` and ``keypoint_head.`` may be before them.

        Raises:
            CheckpointError: two of the file's keys would become one.
        """
        result = Renaming()
        taken: Dict[str, str] = {}
        for key, bare in zip(keys, without_mmpose(keys)):
            why = self._needless(bare)
            if why is not None:
                result.dropped[key] = why
                continue
            rule, target = self._renamed(bare)
            if rule is None or target is None:
                result.unknown.append(key)
                continue
            if target in taken:
                raise CheckpointError(f"{taken[target]!r} and {key!r} of the file would both become {target!r}")
            taken[target] = key
            result.targets[key] = target
            change = rule.change(key)
            if change is not None:
                result.changes[key] = change
        return result

    def _needless(self, key: str) -> Optional[str]:
        if key.endswith(".num_batches_tracked"):
            return "a counter of PyTorch's batch norms"
        return next((why for name, why in self.dropped.items() if name_pattern(name).fullmatch(key)), None)

    def _renamed(self, key: str) -> Tuple[Optional[KeyRule], Optional[str]]:
        for rule in self.rules:
            target = rule.rename(key)
            if target is not None:
                return rule, target
        return None, None


def is_mmpose(keys: Sequence[str]) -> bool:
    """Whether the keys tell backbone and head apart, as mmpose does."""
    return any(key.startswith("backbone.") for key in keys)


def without_mmpose(keys: Sequence[str]) -> List[str]:
    """The keys without ``backbone.``, ``keypoint_head.`` and ``head.``; as they are if they are not mmpose's."""
    if not is_mmpose(keys):
        return list(keys)
    return [next((key[len(p) :] for p in ("backbone.", "keypoint_head.", "head.") if key.startswith(p)), key) for key in keys]


def _any(name: str, keys: Sequence[str]) -> bool:
    pattern = name_pattern(name)
    return any(pattern.fullmatch(key) for key in keys)

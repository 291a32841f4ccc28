"""How a family of networks names its tensors, and how to recognise it by those names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ppdet.core.errors import CheckpointError
from ppdet.engine.converters.key_rule import KeyRule, Transform, name_pattern

Shape = Tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """A checkpoint's network, as identified from its shapes.

    Attributes:
        name: such as "HRNet-W32, 17 keypoints".
        keypoints: their number; 0 for a backbone alone.
        configs: configs that fit, the best one first; names, or paths in a `Conversion`.
    """

    name: str
    keypoints: int
    configs: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Renaming:
    """What happens to every key of a file.

    Attributes:
        targets: file key -> our key.
        changes: file key -> function applied to its array, if any.
        dropped: file key -> why it is not needed.
        unknown: keys that match no rule.
    """

    targets: Dict[str, str] = field(default_factory=dict)
    changes: Dict[str, Transform] = field(default_factory=dict)
    dropped: Dict[str, str] = field(default_factory=dict)
    unknown: List[str] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """A table of renaming rules.

    Attributes:
        name: for --layout.
        title: shown to the user.
        rules: each key is renamed by the one rule that matches.
        has, lacks: keys that identify the layout by their presence or absence; ``*`` and ``{i}`` as in rules.
        describe: function of the shapes by file key (without mmpose's prefixes) and the home, which returns the network.
        home, mmpose_home: default repository of such checkpoints; see `feeds`.
        dropped: tensor names -> why they are not needed.
        absent: prefixes of our keys that such files never contain.
        surplus: patterns of our keys that a model may lack.
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
        """Whether one of our keys may be left over because a model does not use it."""
        return any(name_pattern(name).fullmatch(key) for name in self.surplus)

    def fits(self, keys: Sequence[str]) -> bool:
        """Whether a file's keys match this layout."""
        return all(_any(name, keys) for name in self.has) and not any(_any(name, keys) for name in self.lacks)

    def rename(self, keys: Sequence[str]) -> Renaming:
        """Rename all keys of a file.

        Args:
            keys: of the file, with or without mmpose's prefixes ``backbone.`` and ``keypoint_head.``.

        Raises:
            CheckpointError: two keys of the file would get the same name.
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
    """Whether the keys have mmpose's prefixes for backbone and head."""
    return any(key.startswith("backbone.") for key in keys)


def without_mmpose(keys: Sequence[str]) -> List[str]:
    """The keys without mmpose's ``backbone.``, ``keypoint_head.`` and ``head.``; other keys unchanged."""
    if not is_mmpose(keys):
        return list(keys)
    return [next((key[len(p) :] for p in ("backbone.", "keypoint_head.", "head.") if key.startswith(p)), key) for key in keys]


def _any(name: str, keys: Sequence[str]) -> bool:
    pattern = name_pattern(name)
    return any(pattern.fullmatch(key) for key in keys)

"""Distillation of inner layers from a teacher with the same network.

Legend: B batch, C channels, h w cells of a feature map.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import paddle

from ppdet.core.errors import ConfigError

SMALLEST_VARIANCE = 0.05
"""Fraction of the mean over channels, so that a channel that hardly varies does not outweigh all others."""


class FeatureMatch:
    """Distance between outputs of named layers of teacher and student, in units of the teacher's variance.

    Args:
        teacher: network in evaluation mode, which is run first.
        student: network with the same layers.
        layers: names of sub-layers (`backbone.stem`); `*` stands for any one part (`backbone.stage0.*`).
        blockwise: feed every named layer of the student with the teacher's input of that layer, so that each learns
            independently and errors do not accumulate (Li et al., "Blockwisely supervised NAS with knowledge distillation",
            CVPR 2020). Layers between the named ones do not learn.

    Raises:
        ConfigError: a name matches no layer, or the networks' layers differ.
    """

    def __init__(self, teacher: Any, student: Any, layers: Sequence[str], blockwise: bool = False) -> None:
        theirs, ours = dict(teacher.named_sublayers()), dict(student.named_sublayers())
        self.names = [name for name in ours if any(_fits(name, pattern) for pattern in layers)]
        for pattern in layers:
            if not any(_fits(name, pattern) for name in ours):
                known = ", ".join([name for name in ours if name.count(".") < 2][:12])
                raise ConfigError(f"teacher.features.layers: the student has no layer {pattern!r}; it has {known}, ...")
        missing = [name for name in self.names if name not in theirs or type(theirs[name]) is not type(ours[name])]
        if missing:
            raise ConfigError(
                f"teacher.features needs a teacher of the same network, but the teacher has no {missing[0]} like the student's; "
                "give the student's own config, or leave features out"
            )
        self._inputs: Dict[str, Any] = {}
        self._taught: Dict[str, List[paddle.Tensor]] = {}
        self._learnt: Dict[str, List[paddle.Tensor]] = {}
        for name in self.names:
            theirs[name].register_forward_post_hook(self._note_teacher(name))
            ours[name].register_forward_post_hook(self._note_student(name))
            if blockwise:
                ours[name].register_forward_pre_hook(self._feed(name))

    def begin(self) -> None:
        """Drop the features of the previous iteration, before the teacher's forward pass."""
        self._inputs, self._taught, self._learnt = {}, {}, {}

    def _note_teacher(self, name: str) -> Any:
        def note(layer: Any, inputs: Any, outputs: Any) -> None:
            self._inputs.setdefault(name, inputs)
            self._taught.setdefault(name, _tensors(outputs))

        return note

    def _note_student(self, name: str) -> Any:
        def note(layer: Any, inputs: Any, outputs: Any) -> None:
            if layer.training:  # not during evaluation
                self._learnt[name] = _tensors(outputs)

        return note

    def _feed(self, name: str) -> Any:
        def feed(layer: Any, inputs: Any) -> Any:
            # A copy, because layers may append to or change the list that they get.
            return _copied(self._inputs[name]) if layer.training and name in self._inputs else inputs

        return feed

    def distance(self) -> paddle.Tensor:
        """Mean over layers of mean((student - teacher)^2 / variance of the teacher's channel), a scalar.

        Raises:
            ConfigError: a layer's output differs in shape from the teacher's.
        """
        terms = [self._of_layer(name) for name in self.names if name in self._taught and name in self._learnt]
        if not terms:
            raise ConfigError("teacher.features: none of the named layers was run; name layers that compute, not containers")
        return paddle.stack(terms).mean()

    def _of_layer(self, name: str) -> paddle.Tensor:
        ours, theirs = self._learnt[name], self._taught[name]
        if [tensor.shape for tensor in ours] != [tensor.shape for tensor in theirs]:
            raise ConfigError(
                f"teacher.features: {name} gives {[t.shape for t in ours]}, the teacher's {[t.shape for t in theirs]}; it "
                "must be a teacher of the same network and input size"
            )
        return paddle.stack([_distance(*pair) for pair in zip(ours, theirs)]).mean()


def _distance(ours: paddle.Tensor, theirs: paddle.Tensor) -> paddle.Tensor:
    """(B, C, h, w) each, or any shape with channels second."""
    ours, theirs = ours.astype("float32"), theirs.astype("float32").detach()
    axes = [axis for axis in range(theirs.ndim) if axis != 1]
    variance = theirs.var(axis=axes, keepdim=True, unbiased=False)
    return ((ours - theirs) ** 2 / (variance + SMALLEST_VARIANCE * variance.mean() + 1e-6)).mean()


def _fits(name: str, pattern: str) -> bool:
    parts, wanted = name.split("."), pattern.split(".")
    return len(parts) == len(wanted) and all(fnmatchcase(part, want) for part, want in zip(parts, wanted))


def _tensors(outputs: Any) -> List[paddle.Tensor]:
    """The tensors of a nested output, in a fixed order."""
    if isinstance(outputs, paddle.Tensor):
        return [outputs]
    if isinstance(outputs, Mapping):
        return [tensor for key in sorted(outputs) for tensor in _tensors(outputs[key])]
    if isinstance(outputs, (list, tuple)):
        return [tensor for item in outputs for tensor in _tensors(item)]
    return []


def _copied(value: Any) -> Any:
    if isinstance(value, paddle.Tensor):
        return value.detach()
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(item) for item in value)
    return value


def feature_arguments(section: Any) -> Tuple[List[str], float, float, bool]:
    """Checked values of `features: {layers, weight, fade, blockwise}` of a config.

    Raises:
        ConfigError: an unknown key or an impossible value.
    """
    known = ("layers", "weight", "fade", "blockwise")
    if not isinstance(section, Mapping) or not section.get("layers") or set(section) - set(known):
        raise ConfigError(f"teacher.features is {{layers: [names], weight: 1, fade: 1, blockwise: false}}, given {section!r}")
    layers = section["layers"]
    layers = [layers] if isinstance(layers, str) else [str(name) for name in layers]
    weight, fade = section.get("weight", 1.0), section.get("fade", 1.0)
    for name, value, most in (("weight", weight, float("inf")), ("fade", fade, 1.0)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= most:
            limit = " and at most 1" if most == 1 else ""
            raise ConfigError(f"teacher.features.{name} is a number above 0{limit}, got {value!r}")
    return layers, float(weight), float(fade), bool(section.get("blockwise", False))

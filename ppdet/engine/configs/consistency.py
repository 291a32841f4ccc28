"""Build the parts of a config that need neither data nor a network, and see whether what is stated twice agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ppdet.codecs import Codec, codec_from_config
from ppdet.core.config.builder import Builder
from ppdet.core.config.known_keys import READER_KEYS
from ppdet.core.config.load import Config
from ppdet.core.config.nodes import ConfigDict, Spec
from ppdet.core.config.registry import Registry
from ppdet.core.errors import ConfigError, PpdetError
from ppdet.core.problem import Mark, Problem

TOP_DOWN = ("TopDownHRNet", "SimpleBaseline", "VitPose_TopDown")
BOTTOM_UP = ("HigherHRNet",)
INPUT_MULTIPLES: Mapping[str, int] = {"HRNet": 32, "LiteHRNet": 32, "PoseResNet": 32, "LPN": 16}
"""Backbones that halve the input so often that its sides must be multiples of this; with others the parts do not fit."""


def try_codec(config: Config, registry: Registry) -> list[Problem]:
    """Problems of the `codec` section that its constructor finds, and sizes elsewhere that contradict it."""
    section = config.get("codec")
    if not isinstance(section, Mapping) or section.get("name") not in registry:
        return []  # told elsewhere, or a config in PaddleDetection's words
    try:
        codec = codec_from_config(config, Builder(config, registry=registry))
    except ConfigError as error:
        return [Problem(found.message, found.mark or _place(section, found.message)) for found in error.problems]
    except PpdetError as error:
        return [Problem(str(error), _place(section, str(error)))]
    except (TypeError, ValueError) as error:
        return [Problem(f"codec: {error}; input_wh and heatmap_wh are [width, height]", _latest(section))]
    return [] if codec is None else [*_wrong_multiples(config, codec, section), *_contradictions(config, codec)]


def contradicting_kinds(config: Config) -> list[Problem]:
    """Data of whole images for a network of crops or the reverse, and half of SWAHR: its scale maps without its loss."""
    problems = []
    architecture = str(config.get("architecture"))
    wrong = "KeypointTopDown" if architecture in BOTTOM_UP else "KeypointBottomUp" if architecture in TOP_DOWN else None
    for role in ("TrainDataset", "EvalDataset"):
        section = config.get(role)
        name = section.tag if isinstance(section, Spec) else section.get("name") if isinstance(section, Mapping) else None
        if wrong is not None and str(name).startswith(wrong):
            text = f"{role} is a {name}, but {architecture} finds people in whole images: give KeypointBottomUpCocoDataset"
            if architecture in TOP_DOWN:
                text = f"{role} is a {name}, but {architecture} looks at one person at a time: give KeypointTopDownCocoDataset"
            problems.append(Problem(text, getattr(section, "mark", None)))
    head, loss = (config.get(name) for name in ("HrHRNetHead", "HrHRNetLoss"))
    if architecture in BOTTOM_UP and isinstance(head, Mapping) and str(head.get("loss")) == "HrHRNetLoss":
        scales, learnt = (isinstance(each, Mapping) and bool(each.get("swahr")) for each in (head, loss))
        if scales != learnt:
            said, other = ("HrHRNetHead", "HrHRNetLoss") if scales else ("HrHRNetLoss", "HrHRNetHead")
            text = f"{said}.swahr is true, but {other}.swahr is false: set both for SWAHR, neither for HigherHRNet"
            problems.append(Problem(text, _mark(config[said], "swahr")))
    return problems


def _wrong_multiples(config: Config, codec: Codec, section: Mapping[str, Any]) -> list[Problem]:
    name = _backbone(config)
    factor = INPUT_MULTIPLES.get(name, 1)
    if all(side % factor == 0 for side in codec.input_wh):
        return []
    legal = [max(round(side / factor), 1) * factor for side in codec.input_wh]
    text = f"codec.input_wh is {list(codec.input_wh)}, but {name} takes sides that are multiples of {factor}, such as {legal}"
    return [Problem(text, _mark(section, "input_wh"))]


def _backbone(config: Config) -> str:
    model = config.get(str(config.get("architecture")))
    backbone = model.get("backbone") if isinstance(model, Mapping) else None
    return str(backbone.get("name") if isinstance(backbone, Mapping) else backbone)


def _contradictions(config: Config, codec: Codec) -> list[Problem]:
    """Input sizes that are stated beside the codec's. Whoever changes the codec's alone would deploy another model."""
    problems = []
    wanted = [int(value) for value in codec.input_wh]
    advice = "make them agree, or leave it out: it is taken from the codec"
    for place, size, mark in _stated_sizes(config):
        if size != wanted:
            problems.append(Problem(f"{place} is {size}, but codec.input_wh is {wanted} (width, height); {advice}", mark))
    vit = config.get("ViT")
    if _backbone(config) == "ViT" and isinstance(vit, Mapping) and "img_size" in vit:
        size = _numbers(vit["img_size"])
        if size != wanted[::-1]:
            text = f"ViT.img_size is {size} (height, width), but codec.input_wh is {wanted} (width, height); a ViT has one size, "
            problems.append(Problem(f"{text}set both, to multiples of its patch_size", _mark(vit, "img_size")))
    for reader in sorted(READER_KEYS & set(config)):
        definition = (config[reader] or {}).get("inputs_def") if isinstance(config[reader], Mapping) else None
        shape = definition.get("image_shape") if isinstance(definition, Mapping) else None
        if isinstance(shape, list) and len(shape) >= 2 and -1 not in shape[-2:] and shape[-2:] != wanted[::-1]:
            text = f"{reader}.inputs_def.image_shape is {list(shape)} (channels, height, width), but codec.input_wh is {wanted}"
            problems.append(Problem(f"{text} (width, height); {advice}", _mark(definition, "image_shape")))
    return problems


def _stated_sizes(config: Config) -> Iterator[tuple[str, list[Any], Mark | None]]:
    """(place, [width, height], mark) of every `trainsize` of the crops and data sets."""
    for reader in sorted(READER_KEYS & set(config)):
        section = config[reader]
        for entry in (section.get("sample_transforms") or ()) if isinstance(section, Mapping) else ():
            for name, arguments in entry.items() if isinstance(entry, Mapping) else ():
                if str(name).startswith("TopDown") and isinstance(arguments, Mapping) and arguments.get("trainsize"):
                    place = f"{reader}.sample_transforms.{name}.trainsize"
                    yield place, _numbers(arguments["trainsize"]), _mark(arguments, "trainsize")
    for role in ("TrainDataset", "EvalDataset"):
        section = config.get(role)
        if isinstance(section, Mapping) and section.get("trainsize"):
            yield f"{role}.trainsize", _numbers(section["trainsize"]), _mark(section, "trainsize")


def _numbers(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _place(section: Mapping[str, Any], message: str) -> Mark | None:
    """The line of the key that a message names, else of the section."""
    named = [key for key in section if key != "name" and f"{key}" in message.split(", given")[0]]
    return _mark(section, max(named, key=len)) if named else getattr(section, "mark", None)


def _latest(section: Mapping[str, Any]) -> Mark | None:
    """Where the section was changed last: an option, else its own place."""
    marks = list(getattr(section, "key_marks", {}).values())
    return next((mark for mark in reversed(marks) if mark.file.startswith("-o")), getattr(section, "mark", None))


def _mark(section: Any, key: Any) -> Mark | None:
    return section.mark_of(key) if isinstance(section, ConfigDict) else None

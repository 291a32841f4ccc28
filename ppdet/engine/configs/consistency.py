"""Builds the parts of a config that need neither data nor a network, and checks that duplicated settings agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ppdet.codecs import Codec, codec_from_config
from ppdet.core.config.builder import Builder
from ppdet.core.config.known_keys import READER_KEYS
from ppdet.core.config.load import Config
from ppdet.core.config.nodes import ConfigDict
from ppdet.core.config.registry import Registry
from ppdet.core.errors import ConfigError, PpdetError
from ppdet.core.problem import Mark, Problem
from ppdet.engine.tasks.base import backbone_name
from ppdet.engine.tasks.table import find_task


def try_codec(config: Config, registry: Registry) -> list[Problem]:
    """Problems found by the constructor of the `codec` section, and sizes elsewhere that contradict it."""
    section = config.get("codec")
    if not isinstance(section, Mapping) or section.get("name") not in registry:
        return []  # reported elsewhere, or a config in PaddleDetection's spelling
    try:
        codec = codec_from_config(config, Builder(config, registry=registry))
    except ConfigError as error:
        return [Problem(found.message, found.mark or _place(section, found.message)) for found in error.problems]
    except PpdetError as error:
        return [Problem(str(error), _place(section, str(error)))]
    except (TypeError, ValueError) as error:
        return [Problem(f"codec: {error}; input_wh and heatmap_wh are [width, height]", _latest(section))]
    assert codec is not None, "there is a codec section"
    return [*_wrong_multiples(config, registry, codec, section), *_contradictions(config, codec)]


def parts_of_another_kind(config: Config) -> list[Problem]:
    """Problems found by the task of the config's architecture, for example a dataset for another kind of model."""
    task = find_task(config)
    return [] if task is None else task.check(config)


def _wrong_multiples(config: Config, registry: Registry, codec: Codec, section: Mapping[str, Any]) -> list[Problem]:
    name, task = backbone_name(config), find_task(config, codec)
    factor = 1 if task is None else task.input_multiple(config, registry)
    if all(side % factor == 0 for side in codec.input_wh):
        return []
    legal = [max(round(side / factor), 1) * factor for side in codec.input_wh]
    text = f"codec.input_wh is {list(codec.input_wh)}, but {name} takes sides that are multiples of {factor}, such as {legal}"
    return [Problem(text, _mark(section, "input_wh"))]


def _contradictions(config: Config, codec: Codec) -> list[Problem]:
    """Input sizes that are stated in addition to the codec's and differ from it; the deployed model would not be the trained
    one."""
    problems = []
    wanted = [int(value) for value in codec.input_wh]
    advice = "make them agree, or leave it out: it is taken from the codec"
    for place, size, mark in _stated_sizes(config):
        if size != wanted:
            problems.append(Problem(f"{place} is {size}, but codec.input_wh is {wanted} (width, height); {advice}", mark))
    problems += _other_decoder(config, codec)
    vit = config.get("ViT")
    if backbone_name(config) == "ViT" and isinstance(vit, Mapping) and "img_size" in vit:
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


def _other_decoder(config: Config, codec: Codec) -> Iterator[Problem]:
    """PaddleDetection's `use_dark` beside a codec that decodes otherwise: only the codec is used."""
    decoder = getattr(codec, "decoder", None)
    for name in (str(config.get("architecture")), "VitPosePostProcess"):
        section = config.get(name)
        stated = section.get("use_dark") if isinstance(section, Mapping) else None
        if stated is not None and decoder is not None and bool(stated) != (decoder == "dark"):
            wanted = "dark" if stated else "quarter"
            text = f"{name}.use_dark is {stated}, but codec.decoder is {decoder}, which decides: set codec.decoder={wanted}"
            yield Problem(f"{text}, or leave use_dark out", _mark(section, "use_dark"))


def _stated_sizes(config: Config) -> Iterator[tuple[str, list[Any], Mark | None]]:
    """(place, [width, height], mark) of every `trainsize` of the transforms and datasets."""
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
    """The line of the key that a message names, otherwise of the section."""
    named = [key for key in section if key != "name" and f"{key}" in message.split(", given")[0]]
    return _mark(section, max(named, key=len)) if named else getattr(section, "mark", None)


def _latest(section: Mapping[str, Any]) -> Mark | None:
    """Where the section was changed last: by an option, otherwise in its file."""
    marks = list(getattr(section, "key_marks", {}).values())
    return next((mark for mark in reversed(marks) if mark.file.startswith("-o")), getattr(section, "mark", None))


def _mark(section: Any, key: Any) -> Mark | None:
    return section.mark_of(key) if isinstance(section, ConfigDict) else None

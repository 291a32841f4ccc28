"""Finds datasets and training targets in a config that do not fit its kind of model."""

from __future__ import annotations

from collections.abc import Mapping

from ppdet.core.config.load import Config
from ppdet.core.config.nodes import Spec, plain
from ppdet.core.problem import Problem
from ppdet.engine.tasks.deployed_form import operations

ROLES = ("TrainDataset", "EvalDataset")
OF_BOXES = ("COCODataSet", "MOTDataSet")
"""Datasets without keypoints."""


def datasets_of_another_kind(config: Config, prefixes: tuple[str, ...], advice: str) -> list[Problem]:
    """Problems for datasets whose class begins with one of some prefixes.

    Args:
        config: a loaded config.
        prefixes: of dataset classes for another kind of model.
        advice: what the config's network does, and which dataset it needs.
    """
    problems = []
    for role in ROLES:
        section = config.get(role)
        name = section.tag if isinstance(section, Spec) else section.get("name") if isinstance(section, Mapping) else None
        if str(name).startswith(prefixes):
            text = f"{role} is a {name}, but {config.get('architecture')} {advice}"
            problems.append(Problem(text, getattr(section, "mark", None)))
    return problems


def targets_of_other_anchors(config: Config) -> list[Problem]:
    """Problems for a `Gt2YoloTarget` whose anchors are not those of the head: the network would learn wrong sizes."""
    head, loss = (plain(config.get(name) or {}) for name in ("YOLOv3Head", "YOLOv3Loss"))
    homes = {"anchors": head, "anchor_masks": head, "downsample_ratios": loss}
    problems = []
    for name, arguments in operations(config.get("TrainReader")):
        if name != "Gt2YoloTarget":
            continue
        for key, section in homes.items():
            home = "YOLOv3Loss.downsample" if section is loss else f"YOLOv3Head.{key}"
            stated = section.get(home.rpartition(".")[2])
            if None not in (stated, arguments.get(key)) and list(stated) != list(arguments[key]):
                text = f"Gt2YoloTarget in TrainReader has {key} {arguments[key]}, but {home} is {stated}; they must agree"
                problems.append(Problem(text, None))
    return problems

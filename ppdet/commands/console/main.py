"""`ppdet`: the console command. Each sub-command is a module of `ppdet.commands`, imported when it is called."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Optional, Sequence

import ppdet
from ppdet.core.command import USER_ERROR

_HOMES = (
    ("running.pose", "find people and their poses in images, videos, cameras, streams"),
    ("running.batch", "poses of thousands of videos, by several processes or a Ray cluster"),
    ("running.detect", "find boxes only"),
    ("running.draw", "draw the poses of a JSON file on their images"),
    ("running.serve", "serve poses of images and videos over HTTP, with a browser page"),
    ("demonstration.demo", "see people with skeletons in one command"),
    ("running.doctor", "check what this machine can run and what is missing"),
    ("training.train", "train a model"),
    ("training.eval", "evaluate weights or an exported model"),
    ("training.analyze", "explain the errors of a model in one page"),
    ("training.infer", "predict from weights"),
    ("models.export", "export weights for deployment"),
    ("models.bundle", "make a folder or zip that runs models without Paddle"),
    ("datasets.dataset", "make, check, split, merge and convert annotation files"),
    ("training.check_config", "check configurations without building anything"),
    ("models.model_info", "parameters, multiply-adds and memory of a network"),
    ("models.convert_weights", "convert the authors' PyTorch weights"),
    ("models.zoo", "list models, fetch published weights"),
    ("models.benchmark", "measure pipelines, networks and training"),
    ("console.completion", "print a completion script for bash, zsh or fish"),
)
_MODULES = {home.rpartition(".")[2].replace("_", "-"): f"ppdet.commands.{home}" for home, _ in _HOMES}

COMMANDS = dict(zip(_MODULES, (text for _, text in _HOMES)))
"""Sub-command -> description."""


def command_module(name: str) -> ModuleType:
    """The module of a sub-command."""
    return import_module(_MODULES[name])


def main(argv: Optional[Sequence[str]] = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        print(_usage(), file=sys.stderr)
        return USER_ERROR
    if words[0] in ("-h", "--help", "help"):
        print(_usage())
        return 0
    if words[0] in ("-V", "--version", "version"):
        print(f"ppdet {ppdet.__version__}")
        return 0
    name = words[0].lower().replace("_", "-")
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1) or [f"dataset {name}"] * (name in command_module("dataset").subcommands())
        hint = f": did you mean {near[0]}? `ppdet --help` lists all" if near else "; `ppdet --help` lists all"
        print(f"error: ppdet has no command {words[0]!r}{hint}", file=sys.stderr)
        return USER_ERROR
    return command_module(name).main(words[1:], prog=f"ppdet {name}")


def _usage() -> str:
    lines = [f"  {name:17}{text}" for name, text in COMMANDS.items()]
    return "\n".join(["usage: ppdet COMMAND ... (ppdet COMMAND --help for details)", "", *lines])

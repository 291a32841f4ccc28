"""Make, check, look at, split, merge and convert annotation files."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import add_subcommands, run_module

FOLDER = "datasets"


def subcommands() -> dict[str, ModuleType]:
    """The modules of the sub-commands by name: `datasets/from_labelme.py` is ``from-labelme``.

    A new sub-command is a new file in `datasets/` with a docstring, `add_arguments(parser)` and `run(args)`.
    """
    files = sorted(file for file in (Path(__file__).parent / FOLDER).glob("*.py") if file.stem != "__init__")
    return {file.stem.replace("_", "-"): import_module(f"{__package__}.{FOLDER}.{file.stem}") for file in files}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands with their flags."""
    add_subcommands(parser, subcommands())


def run(args: argparse.Namespace) -> Optional[int]:
    """Run the chosen sub-command."""
    return args.subcommand.run(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

"""Make, check, look at, split, merge and convert annotation files."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import add_subcommands, run_module


def subcommands() -> dict[str, ModuleType]:
    """The modules of the sub-commands by name: `from_labelme.py` is ``from-labelme``.

    A new sub-command is a new file in this folder with a docstring, `add_arguments(parser)` and `run(args)`.
    """
    names = sorted({file.stem for file in Path(__file__).parent.glob("*.py")} - {"__init__", Path(__file__).stem})
    return {name.replace("_", "-"): import_module(f"{__package__}.{name}") for name in names}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands with their flags."""
    add_subcommands(parser, subcommands())


def run(args: argparse.Namespace) -> Optional[int]:
    """Run the chosen sub-command."""
    return args.subcommand.run(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

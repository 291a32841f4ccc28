"""Make and convert annotation files."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import add_subcommands, run_module


def subcommands() -> dict[str, ModuleType]:
    """The modules of the sub-commands by name: `dataset_from_labelme` is ``from-labelme``.

    A new sub-command is a new file `dataset_NAME.py` with a docstring, `add_arguments(parser)` and `run(args)`.
    """
    files = sorted(Path(__file__).parent.glob("dataset_*.py"))
    return {
        file.stem[len("dataset_"):].replace("_", "-"): import_module(f"{__package__}.{file.stem}") for file in files
    }  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands with their flags."""
    add_subcommands(parser, subcommands())


def run(args: argparse.Namespace) -> Optional[int]:
    """Run the chosen sub-command."""
    return args.subcommand.run(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

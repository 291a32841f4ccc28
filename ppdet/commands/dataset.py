"""Make and convert annotation files.

Each sub-command is a module `ppdet/commands/dataset_NAME.py` with `add_arguments(parser)` and `run(args)`; a new one is found by
its name.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import add_subcommands, run_module


def subcommands() -> dict[str, ModuleType]:
    """The modules `dataset_*.py` beside this one, by the name of the sub-command: dataset_from_labelme is from-labelme."""
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

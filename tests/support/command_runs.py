"""Runs a command's module in this process, with errors as exceptions instead of exit statuses."""

from __future__ import annotations

import argparse
from types import ModuleType
from typing import Optional

from ppdet.commands.flags.command_line import make_parser


def parsed(command: ModuleType, *words: str) -> argparse.Namespace:
    """The arguments of a command."""
    return make_parser(command).parse_args(list(words))


def run_module(command: ModuleType, *words: str) -> Optional[int]:
    """What the command's `run` returns."""
    return command.run(parsed(command, *words))

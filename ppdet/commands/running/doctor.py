"""Report what this machine can run: versions, engines, video, cameras, GPUs, models; and how to install what is missing.

Exit status 0 if exported models can be run, 1 if no engine is installed. Needs neither Paddle nor an engine.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.values import add_switch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to skip."""
    add_switch(parser, "--cameras", "open the cameras (default: on)", default=True)


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    from ppdet.commands.running.machine import report

    return report(args.cameras)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

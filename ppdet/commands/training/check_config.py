"""Check configs without building anything: names, arguments and structure, all problems at once.

    ppdet check-config -c configs/keypoint/tiny_pose/tinypose_128x96.yml [more.yml ...] [-o key=value ...]

Exit status: 0 if every config is sound, 1 if one has an error or names a component that this toolkit does not have.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.config_flags import add_config_flags


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Configs, and options for all of them."""
    add_config_flags(parser, several=True)


def run(args: argparse.Namespace) -> int:
    """Print the problems; returns 1 if there is an error."""
    from ppdet.engine.configs.report import report_configs

    return report_configs(args.config, args.opt)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

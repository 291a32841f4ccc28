"""Size and cost of a config's network: parameters, multiply-adds (in two ways of counting), activation memory.

    ppdet model-info -c configs/keypoint/lpn/lpn_50_256x192.yml --stages
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.config_flags import add_config_flags
from ppdet.commands.flags.values import add_switch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The config, and whether to show stages."""
    add_config_flags(parser)
    add_switch(parser, "--stages", "a table of the network's stages as well")


def run(args: argparse.Namespace) -> None:
    """Build the network and print its costs."""
    from ppdet.core.config.load import load_config
    from ppdet.engine.model_info import info_of_config

    print(info_of_config(load_config(args.config, args.opt)).to_text(args.stages))


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

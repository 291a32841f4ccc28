"""Convert the authors' PyTorch weights: ppdet convert-weights FILE.pth [-c CONFIG.yml]

Writes FILE.pdparams, FILE.feed.yml (preprocessing that the weights expect) and FILE.report.txt (what happened to every tensor).
PyTorch is not needed, and no code in the file is executed. See docs/convert_weights.md.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.values import add_switch
from ppdet.core.shipped import find_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, and how to interpret it."""
    add = parser.add_argument
    add("file", help=".pth, .pth.tar or .pt file")
    add("-o", "--output", metavar="FILE", help="weights to write (default: beside the file)")
    add("-c", "--config", type=find_config, metavar="FILE",
        help="config whose model the weights must fit in all names and shapes")  # fmt: skip
    add("--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="options for the config")
    add("--layout", help="naming scheme of the file (default: identified from its keys); a wrong value lists all")
    add("--home", help="repository of the checkpoint: decides colours and codec (default: the layout's); a wrong value lists all")
    add("--state-dict", metavar="KEY", help="which of several state dicts in the file (default: ema, state_dict, model, ...)")
    add_switch(parser, "--to-rgb", "convert the first convolution of weights trained on BGR to RGB")


def run(args: argparse.Namespace) -> None:
    """Convert."""
    from ppdet.engine.converters.convert_file import convert_file

    convert_file(args.file, args.output, args.config, args.opt, args.layout, args.home, args.state_dict, args.to_rgb)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

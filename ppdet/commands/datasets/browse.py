"""Show the data as training sees them: ppdet dataset browse -c CONFIG -o browse.html

One self-contained page: originals with labels and boxes, augmented crops, targets, and how far decoded targets are from the
labels, a lower bound for the error of any network with that config. See docs/data.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ppdet.core.shipped import find_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    add = parser.add_argument
    add("-c", "--config", required=True, type=find_config, metavar="FILE", help="top-down config")
    add("--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="options for the config")
    add("-o", "--output", required=True, metavar="FILE", help="the HTML file to write")
    add("--part", choices=["train", "val"], default="train", help="which dataset and reader (default: %(default)s)")
    add("--count", type=int, default=24, help="samples to show (default: %(default)s)")
    add("--epochs", type=int, default=3, help="augmented crops per sample (default: %(default)s)")
    add("--seed", type=int, default=0, help="seed for choosing the samples (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Write the page."""
    from ppdet.core.config.load import load_config
    from ppdet.engine.inspection.browse import browse

    browse(load_config(args.config, args.opt), Path(args.output), args.count, args.epochs, args.part, args.seed)

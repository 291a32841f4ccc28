"""Flags of the formats in which poses are written. Nothing heavy is imported here, so that `--help` is quick."""

from __future__ import annotations

import argparse

from ppdet.inference.formats.options import FormatOptions
from ppdet.inference.formats.table import FORMATS, format_named


def format_name(text: str) -> str:
    """The name of a format, in any spelling.

    Raises:
        argparse.ArgumentTypeError: no format has this name.
    """
    from ppdet.core.errors import ConfigError

    try:
        return format_named(text).name
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_format_flags(group: argparse._ActionsContainer, effect: str) -> None:
    """Add the choice of the format and its scale.

    Args:
        group: where to add them.
        effect: what choosing a format does, for the help text.
    """
    names = ", ".join(FORMATS)
    group.add_argument("--format", type=format_name, metavar="FORMAT", help=f"{effect}: {names} (docs/formats.md)")
    group.add_argument("--mm_per_pixel", type=float, metavar="MM",
                       help="write trc and c3d_csv in millimetres at this scale instead of in pixels")


def format_options(args: argparse.Namespace, threshold: float) -> FormatOptions:
    """The options that the flags ask for.

    Args:
        args: parsed flags.
        threshold: smallest score of a keypoint in formats without scores.

    Raises:
        ConfigError: an invalid scale.
    """
    return FormatOptions(threshold=threshold, mm_per_pixel=args.mm_per_pixel)

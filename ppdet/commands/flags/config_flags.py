"""The flags -c and -o of commands with a config."""

from __future__ import annotations

import argparse

from ppdet.core.shipped import find_config


def add_config_flags(parser: argparse._ActionsContainer, several: bool = False) -> None:
    """Add -c and -o, as in PaddleDetection."""
    parser.add_argument("-c", "--config", required=True, type=find_config, metavar="FILE", nargs="+" if several else None,
                        help="config (YAML): a path, or the name of a shipped config")
    parser.add_argument("-o", "--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="options for the config")

"""The configuration of a command: -c and -o."""

from __future__ import annotations

import argparse

from ppdet.core.shipped import find_config


def add_config_flags(parser: argparse._ActionsContainer, several: bool = False) -> None:
    """The configuration and changes of it: -c and -o, as PaddleDetection has them."""
    parser.add_argument("-c", "--config", required=True, type=find_config, metavar="FILE", nargs="+" if several else None,
                        help="configuration (YAML): a path, or the name of one that is shipped")
    parser.add_argument("-o", "--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="changes of it")

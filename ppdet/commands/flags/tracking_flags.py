"""Flags of identities in videos."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ppdet.inference.tracking.settings import TrackerSettings


def add_tracking_flags(group: argparse._ActionsContainer) -> None:
    """How people of a video are told apart."""
    group.add_argument("--tracker_config", metavar="FILE",
                       help="YAML with settings of the tracker below `tracker:`, or PaddleDetection's tracker_config.yml "
                            "(default: docs/tracking.md)")  # fmt: skip


def tracker_settings(args: argparse.Namespace) -> TrackerSettings | None:
    """The settings that the flags ask for, or None for the defaults.

    Raises:
        ConfigError: the file cannot be read or holds unknown settings.
    """
    if not args.tracker_config:
        return None
    from ppdet.inference.tracking.settings import TrackerSettings

    return TrackerSettings.load(args.tracker_config)

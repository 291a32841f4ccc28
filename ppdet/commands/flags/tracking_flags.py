"""Flags of identities in videos."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ppdet.inference.tracking.settings import TrackerSettings
    from ppdet.inference.zones.zone import Zone

MOT_THRESHOLD = 0.5
"""Default for the smallest score of a person's box."""


def add_tracking_flags(group: argparse._ActionsContainer) -> None:
    """Flags for the tracker and zones."""
    group.add_argument("--tracker_config", metavar="FILE",
                       help="YAML with settings of the tracker below `tracker:`, or PaddleDetection's tracker_config.yml "
                            "(default: docs/tracking.md)")  # fmt: skip
    group.add_argument("--zone", action="append", default=[], metavar="NAME:x,y,x,y,...",
                       help="count only people whose feet are in this polygon of the image, and their entries and exits; "
                            "corners in pixels or, if all are from 0 to 1, shares of the image; or a .yml file; repeatable")


def chosen_zones(args: argparse.Namespace) -> list[Zone]:
    """The zones that the flags ask for.

    Raises:
        ConfigError: a zone that is not a polygon, or a file without zones.
    """
    if not args.zone:
        return []
    from ppdet.inference.zones.reading import zones_of_flags

    return zones_of_flags(args.zone)


def tracker_settings(args: argparse.Namespace, detector: Any = None) -> TrackerSettings | None:
    """The settings that the flags ask for, or None for the defaults.

    Args:
        args: parsed flags.
        detector: of the pipeline; one that brings its own tracker (FairMOT) takes the settings meant for it.

    Raises:
        ConfigError: the file cannot be read or holds unknown settings.
    """
    if not args.tracker_config:
        return None
    if hasattr(detector, "configure") and detector.configure(args.tracker_config):
        return None
    from ppdet.inference.tracking.settings import TrackerSettings

    return TrackerSettings.load(args.tracker_config)

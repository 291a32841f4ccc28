"""Detector and top-down pose model on images, a video or a camera."""
from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ppdet.commands.flags import unite_parser
from ppdet.core.command import run_command


def main() -> int:
    args = unite_parser().parse_args()
    from ppdet.commands.pose import run_unite  # heavy, so after the flags are read

    return run_unite(args)


if __name__ == "__main__":
    raise SystemExit(run_command(main))

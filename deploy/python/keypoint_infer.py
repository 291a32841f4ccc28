"""A pose model alone: a bottom-up model finds everybody; to a top-down model the whole picture is one person's box."""
from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ppdet.commands.flags import add_person_threshold, add_pose_flags, single_parser
from ppdet.core.command import run_command


def main() -> int:
    parser = single_parser("Estimate poses with one model: a bottom-up model (HigherHRNet) finds everybody in the picture, a "
                           "top-down model takes the whole picture as one person's box.")
    add_pose_flags(parser)
    add_person_threshold(parser)
    args = parser.parse_args()
    from ppdet.commands.pose import run_keypoint  # heavy, so after the flags are read

    return run_keypoint(args)


if __name__ == "__main__":
    raise SystemExit(run_command(main))

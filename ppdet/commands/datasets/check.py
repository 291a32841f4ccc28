"""Find defects of annotation files, explain and rank them: ppdet dataset check train.json val.json --images DIR

Looks for points outside image or box, area 0, visibility codes, duplicates, wrong num_keypoints, swapped sides, one-sided data,
coordinates of another frame, damaged images, and images that are in both files. --fix FILE writes a repaired copy. The exit
status is 1 if there are errors or warnings. See docs/data.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    add = parser.add_argument
    add("annotations", nargs="+", help="COCO-style files; of several, the training file first")
    add("--images", nargs="+", default=[], metavar="DIR", help="folder of the images, one for all files or one per file "
        "(default: looked for near each file)")  # fmt: skip
    add("--no_images", action="store_true", help="do not read images: quick, but finds no damaged images, wrong sizes or leakage")
    add("--report", metavar="FILE", help="also write the findings as JSON")
    add("--fix", metavar="FILE", help="write a repaired copy; with several annotation files, a folder")


def run(args: argparse.Namespace) -> int:
    """Check; returns 1 if there are errors or warnings."""
    from ppdet.data.checking.check import check_files, report, write_fixed, write_report

    folders = [Path(folder) for folder in args.images]
    diagnosis = check_files([Path(path) for path in args.annotations], folders, look_at_images=not args.no_images)
    print(report(diagnosis))
    if args.report:
        write_report(diagnosis, Path(args.report))
    if args.fix:
        write_fixed(diagnosis, Path(args.fix))
    return 0 if diagnosis.healthy else 1

"""Merge annotation files of the same keypoints: ppdet dataset merge a.json b.json -o all.json

Images are merged by file name, categories by name; keypoints are reordered by name, ids are renumbered. --prefix puts a folder
before the file names of each file. See docs/data.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    add = parser.add_argument
    add("annotations", nargs="+", help="COCO-style files")
    add("-o", "--output", required=True, metavar="FILE", help="the file to write")
    add("--prefix", nargs="+", default=[], metavar="FOLDER", help="folder before the file names, one per file ('' for none)")
    add("--overwrite", action="store_true", help="replace the file if it exists")


def run(args: argparse.Namespace) -> None:
    """Merge and write."""
    import json

    from ppdet.annotations.coco_file import read_coco
    from ppdet.annotations.merging import merge_contents
    from ppdet.core.errors import ConfigError
    from ppdet.core.files import atomic_write
    from ppdet.core.logger import get_logger

    output = Path(args.output)
    if len(args.annotations) < 2:
        raise ConfigError("give two or more files to merge")
    if args.prefix and len(args.prefix) != len(args.annotations):
        raise ConfigError(f"--prefix: {len(args.prefix)} folders for {len(args.annotations)} files; give one per file")
    if output.exists() and not args.overwrite:
        raise ConfigError(f"{output} exists: give another --output, or --overwrite")
    content, notes = merge_contents([(path, read_coco(path)) for path in args.annotations], args.prefix)
    with atomic_write(output) as stream:
        json.dump(content, stream)
    logger = get_logger(__name__)
    for note in notes:
        logger.warning(note)
    logger.info("%d images with %d objects written to %s", len(content["images"]), len(content["annotations"]), output)

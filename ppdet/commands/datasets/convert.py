"""Convert annotations between the formats of labelling tools: ppdet dataset convert labels.xml --images DIR --to coco -o a.json

Recognises and reads COCO, labelme, CVAT, Label Studio, DeepLabCut, SLEAP, YOLO-pose and MPII, and writes any of them. What a
format cannot express, such as hidden points, is reported with its count. See docs/data.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

FORMATS = ("coco", "cvat", "deeplabcut", "label-studio", "labelme", "mpii", "sleap", "yolo-pose")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    add = parser.add_argument
    add("annotations", help="annotation file, or folder of files")
    add("--images", required=True, metavar="DIR", help="folder of the images, including sub-folders")
    add("--to", required=True, choices=FORMATS, metavar="FORMAT", help=f"one of {', '.join(FORMATS)}")
    add("-o", "--output", required=True, metavar="PATH", help="file to write; a folder for labelme and yolo-pose")
    add("--category", metavar="NAME", help="only the objects of this class")


def run(args: argparse.Namespace) -> None:
    """Convert."""
    from ppdet.annotations.coco_file import select_categories
    from ppdet.core.logger import get_logger
    from ppdet.data.formats.reading import read_annotations
    from ppdet.data.formats.writers.writing import write_annotations

    logger = get_logger(__name__)
    found = read_annotations(Path(args.annotations), Path(args.images))
    content = found.content
    if args.category is not None:
        chosen = select_categories(content, args.category, args.annotations) or set()
        content = {
            **content,
            "categories": [each for each in content["categories"] if each["id"] in chosen],
            "annotations": [each for each in content["annotations"] if each.get("category_id") in chosen],
        }
    notes = write_annotations(content, args.to, Path(args.output), found.images)
    for note in [*found.notes, *notes]:
        logger.warning(note)
    objects, images = len(content["annotations"]), len(content["images"])
    logger.info("%s: %d images with %d objects, written as %s to %s", found.tool, images, objects, args.to, args.output)

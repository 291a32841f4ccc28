"""Analyse annotations, split them and write a config that is ready to train: ppdet dataset init annotations.json --images DIR
--output DIR [--minutes 10]

ANNOTATIONS is a file or folder of COCO, labelme, CVAT, Label Studio, DeepLabCut, SLEAP, YOLO-pose or MPII. The comments of the
config say why each setting was chosen. Then: ppdet train -c DIR/NAME.yml. See docs/custom_data.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional, Sequence, Union

from ppdet.commands.flags.command_line import run_module


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    add = parser.add_argument
    add("annotations", help="annotation file or folder")
    add("--images", required=True, metavar="DIR", help="folder of the images, including sub-folders")
    add("--output", required=True, metavar="DIR", help="folder to create for the project")
    add("--minutes", type=float, default=10.0, help="time that a training may take on this machine (default: %(default)g)")
    add("--category", help="name or id of the class (default: one config per class that has keypoints)")
    add("--val", type=share_or_file, default=0.2, metavar="SHARE|FILE",
        help="share of the images for validation, or annotations of other images in --images (default: %(default)s)")  # fmt: skip
    add("--sigmas", type=float, nargs="+", help="OKS sigmas: one for all keypoints, or one each (default: estimated or stated)")
    add("--preset", metavar="PRESET", default="auto",
        help="xray, photo or auto: xray augments as radiographs and takes whole images, auto does so for DICOM and "
        "grey 16-bit images (default: %(default)s)")  # fmt: skip
    add("--no_measure", action="store_true", help="estimate the training speed instead of timing some iterations")
    add("--seed", type=int, default=42, help="seed of the split (default: %(default)s)")
    add("--overwrite", action="store_true", help="replace a project in the same folder")


def share_or_file(text: str) -> Union[float, Path]:
    """A number, or else the path of a file."""
    try:
        return float(text)
    except ValueError:
        return Path(text)


def run(args: argparse.Namespace) -> None:
    """Write the project."""
    from ppdet.engine.projects.start import ProjectOptions, start_project

    options = ProjectOptions(
        minutes=args.minutes,
        category=args.category,
        val=args.val,
        sigmas=args.sigmas,
        measure=not args.no_measure,
        seed=args.seed,
        preset=args.preset,
        overwrite=args.overwrite,
    )
    start_project(Path(args.annotations), Path(args.images), Path(args.output), options)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

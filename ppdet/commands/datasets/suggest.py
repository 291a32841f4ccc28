"""Suggest which frames to label next: ppdet dataset suggest SOURCE ... --model DIR -o DIR --count 20

SOURCE is a folder of images or a video. Frames are ranked by how much the model disagrees with itself about them: between the
image and smaller, shifted, turned and (if it was trained on such) mirrored views of it. With several --model, such as those of
ppdet train --folds, their disagreement counts, too. Frames that look like one already suggested are deferred. Writes
suggested.csv, contact_sheet.jpg and, for videos, the frames as images. See docs/custom_data.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ppdet.commands.flags.pose_model_flags import NO_DETECTOR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="folder of images, image or video")
    add("--model", nargs="+", required=True, metavar="MODEL", help="exported pose models: names, folders or ONNX files")
    add("--det", metavar="MODEL",
        help=f"detector (default: the bundled one for models of persons); {NO_DETECTOR} takes each whole image")  # fmt: skip
    add("-o", "--output", required=True, metavar="DIR", help="folder for the results")
    add("--count", type=int, default=20, help="frames to suggest (default: %(default)s)")
    add("--look_at", type=int, default=500, metavar="N",
        help="frames of each source to look at, evenly spread over it (default: %(default)s)")  # fmt: skip
    add("--labelled", nargs="*", default=[], metavar="FILE",
        help="COCO files of what is labelled already; images with these names are left out")  # fmt: skip
    add("--det_threshold", type=float, default=0.5, help="boxes below this score are left out (default: %(default)s)")
    add("--engine", default="auto", help="auto takes the fastest that is installed (default: %(default)s)")
    add("--device", default="cpu", help="cpu or gpu (default: %(default)s)")
    add("--cpu_threads", type=int, default=2, help="threads of the engine (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Look at the frames and write the suggestions."""
    from ppdet.annotations.coco_file import read_coco
    from ppdet.core.errors import ConfigError
    from ppdet.core.files import require_folder
    from ppdet.inference.pipeline import AUTO, PosePipeline
    from ppdet.inference.suggestions.suggest import SuggestOptions, suggest_frames

    output = require_folder(Path(args.output), "--output")
    if args.det is not None and args.det.lower().endswith(".json"):
        raise ConfigError(f"--det {args.det}: boxes from a file do not fit scaled and rotated views of the images; give a "
                          f"detector, or {NO_DETECTOR} to take whole images")  # fmt: skip
    detector = None if args.det == NO_DETECTOR else args.det or AUTO
    entries = [image for file in args.labelled for image in read_coco(file)["images"] if isinstance(image, dict)]
    known = frozenset(Path(str(image.get("file_name", "")).replace("\\", "/")).name for image in entries)
    pipelines = [
        PosePipeline(detector, model, engine=args.engine, device=args.device, cpu_threads=args.cpu_threads,
                     det_threshold=args.det_threshold)
        for model in args.model
    ]  # fmt: skip
    suggest_frames(pipelines, args.sources, output, SuggestOptions(args.count, args.look_at, known))

"""Label a folder of images with models, as a start for manual correction: ppdet dataset prelabel IMAGES --det_model_dir DIR
--keypoint_model_dir DIR -o labels.json

Writes boxes and keypoints as a COCO annotation file. Every annotation has `machine_made: true` and a `score`, so that doubtful
ones can be corrected first. Coordinates refer to the stored pixels, without EXIF orientation, as in the datasets. A bottom-up
model needs no detector.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional, Sequence

from ppdet.commands.flags.run_flags import add_range_flag


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    add = parser.add_argument
    add("images", help="folder of images")
    add("--keypoint_model_dir", required=True, metavar="DIR", help="folder of an exported pose model")
    add("--det_model_dir", metavar="DIR", help="folder of an exported detector; not for bottom-up models")
    add("-o", "--output", required=True, metavar="FILE", help="the annotation file to write")
    add("--overwrite", action="store_true", help="replace the file if it exists")
    add("--det_threshold", type=float, default=0.5, help="boxes below this score are left out (default: %(default)s)")
    add("--keypoint_threshold", type=float, default=0.3, help="keypoints below this score stay unlabelled (default: %(default)s)")
    add("--min_keypoints", type=int, default=1, help="people with fewer labelled keypoints are left out (default: %(default)s)")
    add("--category", default="person", help="name of the category (default: %(default)s)")
    add("--flip_test", action="store_true", help="average with the mirrored crop: slower, a little more accurate")
    add_range_flag(parser)
    add("--engine", default="auto", help="auto takes the fastest that is installed (default: %(default)s)")
    add("--device", default="cpu", help="cpu or gpu (default: %(default)s)")
    add("--cpu_threads", type=int, default=2, help="threads of the engine (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Label; returns 1 if images could not be read, else 0."""
    import json

    from ppdet import __version__
    from ppdet.core.errors import ConfigError
    from ppdet.core.files import atomic_write, require_folder
    from ppdet.core.logger import get_logger
    from ppdet.inference.files.coco_results import image_ids
    from ppdet.inference.files.inputs import ImageInputs
    from ppdet.inference.files.machine_labels import MachineLabels
    from ppdet.inference.pipeline import PosePipeline
    from ppdet.inference.progress import Progress

    output, folder = Path(args.output), Path(args.images)
    if output.exists() and not args.overwrite:
        raise ConfigError(f"{output} exists, and its labels may be somebody's work: give another --output, or --overwrite")
    for name in ("det_threshold", "keypoint_threshold"):
        if not 0 <= getattr(args, name) <= 1:
            raise ConfigError(f"--{name} is {getattr(args, name)}: scores lie between 0 and 1")
    require_folder(output.parent, "--output")
    inputs = ImageInputs(None, args.images, apply_orientation=False, image_range=args.image_range)
    pipeline = PosePipeline(
        args.det_model_dir, args.keypoint_model_dir, engine=args.engine, device=args.device, cpu_threads=args.cpu_threads,
        det_threshold=args.det_threshold, flip_test=args.flip_test,
    )  # fmt: skip
    models = {"keypoints": args.keypoint_model_dir, **({"detector": args.det_model_dir} if args.det_model_dir else {})}
    labels = MachineLabels(pipeline.estimator.skeleton, models, args.keypoint_threshold, args.min_keypoints, args.category)
    ids = dict(zip(inputs.paths, image_ids(inputs.paths)))
    progress = Progress("prelabel", len(inputs.paths), "image")
    for paths, images in inputs.groups(1):
        for path, result in zip(paths, pipeline.estimate_batch(images, [str(path) for path in paths])):
            labels.add(result, path.relative_to(folder).as_posix(), ids[path])
        progress.step(len(paths))
    progress.close()
    with atomic_write(output) as file:
        json.dump(labels.content(__version__), file)
    get_logger(__name__).info(
        "%d people in %d images written to %s; the labels are machine-made: correct them before you evaluate on them",
        len(labels.annotations), len(labels.images), output,
    )  # fmt: skip
    return inputs.exit_status()


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    """Parse and run; returns the exit status."""
    from ppdet.core.command import run_command

    parser = argparse.ArgumentParser(prog=prog, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    return run_command(lambda: run(parser.parse_args(argv)))

"""Show people with skeletons: run a person detector and a pose model on a video, images or a camera.

Without --source the demo renders a street scene with known keypoints and reports the accuracy on it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Optional

from ppdet.commands.flags.command_line import run_module


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the demo."""
    add = parser.add_argument
    add("--source", "--video_file", metavar="SOURCE",
        help="a video, an image, a folder of images, a URL, or the number of a camera (default: the rendered clip)")  # fmt: skip
    add("--weights", metavar="FOLDER",
        help="folder that holds an exported detector and an exported pose model, or folder or URL that holds "
             "picodet_s_320_lcnet_pedestrian.pdparams and tinypose_256x192.pdparams, which are exported first and need Paddle "
             "(default: the bundled models)")  # fmt: skip
    add("--output_dir", default="output/demo", help="where results go (default: %(default)s)")
    add("--engine", default="auto",
        help="auto takes the fastest that is installed and can read the models (default: %(default)s)")  # fmt: skip
    add("--cpu_threads", type=int, default=2, help="threads of the engine (default: %(default)s)")
    add("--max_frames", type=int, metavar="N", help="stop after N frames (default: at the end; a camera runs until Ctrl-C)")


def run(args: argparse.Namespace) -> int:
    """Run the demo; returns the exit status."""
    from ppdet.commands.demonstration.run import DemoOptions, run_demo

    source, weights = args.source or None, args.weights or None  # make passes an empty text if nothing is given
    run_demo(DemoOptions(source, weights, args.output_dir, args.engine, args.cpu_threads, args.max_frames))
    return 0


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    """Parse `argv` and run."""
    return run_module(__name__, argv, prog)

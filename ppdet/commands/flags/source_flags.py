"""Flags of the commands with sources as positional arguments: `ppdet pose`, `ppdet detect`."""

from __future__ import annotations

import argparse

from ppdet.commands.flags.format_flags import add_format_flags
from ppdet.commands.flags.run_flags import add_image_flags, add_precision_flags
from ppdet.commands.flags.values import add_switch
from ppdet.inference.runtimes.registry import runtime_devices


def add_plain_source_flags(parser: argparse.ArgumentParser, output_dir: str, things: str, poses: bool = False) -> None:
    """Add sources and the flags for output and engines.

    Args:
        parser: parser of the command.
        output_dir: default folder of drawings.
        things: name of the results in help texts.
        poses: also offer the formats of poses.
    """
    parser.add_argument("sources", nargs="+", metavar="SOURCE",
                        help="image, folder of images, video, number of a camera (0), or URL of an image or stream")
    group = parser.add_argument_group("results")
    group.add_argument("--json", metavar="FILE", help=f"write the {things} as JSON; - for stdout, with every log line on stderr")
    if poses:
        group.add_argument("--results", metavar="FILE",
                           help="write the poses in the format of the suffix (.jsonl, .csv, .parquet, .trc, ...); - for stdout")
        add_format_flags(group, "format of --results whatever its suffix; alone: write poses.SUFFIX into the output folder")
    group.add_argument("--output_dir", metavar="DIR", help="folder of drawn images and videos "
                       f"(default: {output_dir}; none if only {'--results or --json' if poses else '--json'} is given)")
    group.add_argument("--max_frames", type=int, metavar="N", help="end a video, camera or stream after N frames")
    add_image_flags(group)
    parser.set_defaults(default_output_dir=output_dir)
    engine = parser.add_argument_group("engine")
    add_precision_flags(engine, cpu_threads=2)
    engine.add_argument("--device", type=str.lower, default="cpu", choices=runtime_devices(), help="default: %(default)s")
    add_switch(engine, "--run_benchmark", "print times of each stage and peak memory at the end, on stderr with --json -")

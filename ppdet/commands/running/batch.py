"""Poses of thousands of videos or images, one result file each: ppdet batch videos/ --output results

    ppdet batch videos/ --output results --workers 8                 a folder with all folders below
    ppdet batch list.txt 'more/**/*.mp4' --output results            a list with one path per line, a pattern
    ppdet batch videos/ --output results --format parquet            other formats: docs/formats.md
    ppdet batch videos/ --output results --engine ray --workers 64 --address HEAD:6379        a Ray cluster: docs/scale.md

Run the same command again after an interruption: it goes on where it stopped. A file that cannot be read is recorded and does not
stop the others. results/manifest.json has counts, seconds and failures, results/journal.jsonl a line per input. Exit status 1 if
some inputs failed.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.format_flags import add_format_flags
from ppdet.commands.flags.pose_model_flags import add_pose_model_flags
from ppdet.commands.flags.run_flags import add_image_flags, add_precision_flags, add_smoothing_flags, add_speed_flags
from ppdet.commands.flags.tracking_flags import add_tracking_flags
from ppdet.commands.flags.values import add_switch
from ppdet.inference.runtimes.registry import runtime_devices

ENGINES = ("local", "ray")
MEDIA = ("videos", "images", "all")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Inputs, results, workers, models."""
    parser.add_argument("inputs", nargs="+", metavar="INPUT",
                        help="folder, text file (.txt) with one path per line, pattern in quotes, or file")
    results = parser.add_argument_group("results")
    results.add_argument("--output", required=True, metavar="DIR", help="folder of the results, named like their inputs")
    add_format_flags(results, "format of the results (default: jsonl)")
    results.add_argument("--media", choices=MEDIA, default="videos",
                         help="which files from folders and patterns are taken, by suffix (default: %(default)s)")
    results.add_argument("--max_frames", type=int, metavar="N", help="end each video after N frames")
    add_image_flags(results)
    add_switch(results, "--redo", "replace results that were made with other settings, which otherwise are an error")
    add_switch(results, "--retry_failed", "retry inputs that failed in an earlier run")
    workers = parser.add_argument_group("workers")
    workers.add_argument("--engine", choices=ENGINES, default=ENGINES[0],
                         help="local: processes of this machine; ray: actors of Ray Data (default: %(default)s)")
    workers.add_argument("--workers", type=int, metavar="N", help="processes or actors (default: one per processor core)")
    workers.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster (default: one is started on this machine)")
    workers.add_argument("--attempts", type=int, default=2, metavar="N",
                         help="an input counts as failed after N workers have died on it (default: %(default)s)")
    workers.add_argument("--stall_seconds", type=float, default=600.0, metavar="S",
                         help="stop a local worker that finishes no frame for this long (default: %(default)s)")
    add_precision_flags(workers, cpu_threads=1, name="--runtime")
    workers.add_argument("--device", type=str.lower, default="cpu", choices=runtime_devices(), help="default: %(default)s")
    add_pose_model_flags(parser)
    add_speed_flags(parser)
    add_smoothing_flags(parser)
    add_tracking_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Work on all inputs; returns 1 if some failed."""
    from ppdet.commands.running.batch_job import run_batch_command

    return run_batch_command(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

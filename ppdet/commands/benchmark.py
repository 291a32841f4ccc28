"""Measure the unite pipeline on videos, a network per engine, grouping, tracking, training steps, batches, the service under
load, and --help of every command.

The figures in docs/benchmarks.md are measured with it. Engines are compared within one run, so that ratios do not depend on the
speed of the machine.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.config_flags import add_config_flags
from ppdet.commands.flags.values import add_switch, check_numbers
from ppdet.core.errors import ConfigError
from ppdet.inference.runtimes.registry import runtime_names, runtime_precisions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A sub-command for each measurement."""
    engines = sorted(runtime_names(), key=lambda name: name != "paddle")  # ratios are to Paddle Inference
    kinds = parser.add_subparsers(dest="kind", required=True)

    unite = kinds.add_parser("unite", help="seconds, frames/s and peak memory of the whole unite command")
    unite.add_argument("--det_model_dir", required=True)
    unite.add_argument("--keypoint_model_dir", required=True)
    unite.add_argument("--video_file", nargs="+", required=True)
    unite.add_argument("--engines", nargs="+", default=engines)
    unite.add_argument("--cpu_threads", type=int, default=2)

    network = kinds.add_parser("network", help="milliseconds of an exported network alone, for each engine")
    network.add_argument("--model_dir", required=True)
    network.add_argument("--engines", nargs="+", default=engines)
    network.add_argument("--cpu_threads", type=int, default=2)
    network.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    network.add_argument("--repeats", type=int, default=40)
    network.add_argument("--precision", default="fp32", choices=runtime_precisions())

    train = kinds.add_parser("train", help="images/s and peak memory of training iterations; under paddle.distributed.launch too")
    add_config_flags(train)
    train.add_argument("--iterations", type=int, default=8)

    group = kinds.add_parser("group", help="milliseconds of bottom-up grouping, compared with the plain reference of the tests")
    group.add_argument("--people", nargs="+", type=int, default=[5, 30, 100])
    group.add_argument("--repeats", type=int, default=20)

    track = kinds.add_parser("track", help="identities on synthetic scenes, tracker beside tracker, and milliseconds per frame")
    track.add_argument("--people", nargs="+", type=int, default=[5, 30, 100], help="crowds to measure the time with")
    track.add_argument("--seeds", type=int, default=3, help="runs of each scene (default: %(default)s)")

    serve = kinds.add_parser("serve", help="the service with many clients beside the plain pipeline, and under attack")
    serve.add_argument("--images", required=True, metavar="FOLDER", help="images that the clients send")
    serve.add_argument("--clients", type=int, default=50)
    serve.add_argument("--seconds", type=float, default=180.0, help="of load (default: %(default)s)")
    serve.add_argument("--plain_seconds", type=float, default=60.0, help="of the plain pipeline (default: %(default)s)")
    serve.add_argument("--workers", type=int, default=2, help="of the service, and threads of the plain pipeline (default: 2)")
    add_switch(serve, "--attack", "also slow clients, a huge body, dropped connections, a bomb (default: on)", default=True)

    batch = kinds.add_parser("batch", help="frames/s of `ppdet batch` by engine and number of workers, on rendered clips")
    batch.add_argument("--clips", type=int, default=20)
    batch.add_argument("--frames", type=int, default=50, help="frames of each clip (default: %(default)s)")
    batch.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    batch.add_argument("--engines", nargs="+", choices=("local", "ray"), default=["local"])

    kinds.add_parser("help", help="seconds of --help for each command")


def run(args: argparse.Namespace) -> None:
    """Measure and print a table."""
    check_numbers(args)
    if args.kind == "train":
        _train(args)
        return
    if args.kind == "serve":
        _serve(args)
        return
    from ppdet.engine.benchmarks import benchmark

    if args.kind == "unite":
        rows = benchmark.unite_rows(
            args.det_model_dir, args.keypoint_model_dir, args.video_file, args.engines, args.cpu_threads
        )
        header = ["video", "engine", "seconds", "frames/s", "peak MiB"]
    elif args.kind == "network":
        rows = benchmark.network_rows(
            args.model_dir, args.engines, args.cpu_threads, args.batches, args.repeats, args.precision
        )
        header = ["engine", "precision", "batch", "median ms", "ms per crop"]
    elif args.kind == "group":
        from ppdet.engine.benchmarks import grouping

        rows = grouping.group_rows(args.people, args.repeats)
        header = grouping.HEADER
    elif args.kind == "track":
        _track(args)
        return
    elif args.kind == "batch":
        from ppdet.engine.benchmarks import batch_speed

        rows = batch_speed.batch_rows(args.clips, args.frames, args.workers, args.engines)
        header = batch_speed.HEADER
    else:
        rows = benchmark.help_rows()
        header = ["command", "seconds"]
    for line in benchmark.markdown_table(header, rows):
        print(line, flush=True)


def _track(args: argparse.Namespace) -> None:
    from ppdet.engine.benchmarks import tracking
    from ppdet.engine.benchmarks.benchmark import markdown_table

    for header, rows in ((tracking.HEADER, tracking.track_rows(seeds=args.seeds)),
                         (tracking.TIME_HEADER, tracking.time_rows(args.people))):
        for line in markdown_table(header, rows):
            print(line, flush=True)
        print()


def _serve(args: argparse.Namespace) -> None:
    from ppdet.engine.benchmarks.benchmark import markdown_table
    from ppdet.service.load.check import HEADER, LoadSettings, load_rows

    if min(args.clients, args.workers) < 1 or min(args.seconds, args.plain_seconds) <= 0:
        raise ConfigError("--clients, --workers, --seconds and --plain_seconds must be positive")
    settings = LoadSettings(Path(args.images), args.clients, args.seconds, args.plain_seconds, args.workers, bool(args.attack))
    for line in markdown_table(HEADER, load_rows(settings)):
        print(line, flush=True)


def _train(args: argparse.Namespace) -> None:
    from ppdet.core.config.load import load_config
    from ppdet.engine import distributed
    from ppdet.engine.benchmarks.training_speed import measure_training

    speed = measure_training(load_config(args.config, args.opt), iterations=args.iterations)
    if distributed.is_main():
        print(speed)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

"""Measure the unite pipeline on videos, a network per engine, its parts that run per person, grouping, tracking, training steps,
batches, the service under load, and --help of every command.

The figures in docs/benchmarks.md are measured with it. Engines are compared within one run, so that ratios do not depend on the
speed of the machine.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Iterator, Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.config_flags import add_config_flags
from ppdet.commands.flags.values import add_switch, check_numbers
from ppdet.core.errors import ConfigError
from ppdet.inference.presets import PRESETS
from ppdet.inference.runtimes.registry import runtime_names, runtime_precisions

MEASUREMENTS = ("unite", "pipeline", "network", "parts", "train", "group", "track", "serve", "batch", "help")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A sub-command for each measurement."""
    engines = sorted(runtime_names(), key=lambda name: name != "paddle")  # ratios are to Paddle Inference
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="{" + ",".join(MEASUREMENTS) + "}")

    unite = kinds.add_parser("unite", help="seconds, frames/s and peak memory of the whole unite command")
    unite.add_argument("--det_model_dir", required=True)
    unite.add_argument("--keypoint_model_dir", required=True)
    unite.add_argument("--video_file", nargs="+", required=True)
    unite.add_argument("--engines", nargs="+", default=engines)
    unite.add_argument("--cpu_threads", type=int, default=2)

    pipeline = kinds.add_parser("pipeline", help="frames/s, stages and drift of the pipeline, compared with its networks alone")
    pipeline.add_argument("videos", nargs="+", metavar="VIDEO")
    pipeline.add_argument("--det", metavar="MODEL", help="name, exported folder or ONNX file (default: the bundled one)")
    pipeline.add_argument("--model", metavar="MODEL", help="the same for the pose model")
    pipeline.add_argument("--engine", choices=("auto", *engines), default="auto")
    pipeline.add_argument("--cpu_threads", type=int, default=2, help="of all networks together (default: %(default)s)")
    pipeline.add_argument("--presets", nargs="+", choices=tuple(PRESETS), default=["balanced", "fast"])
    pipeline.add_argument("--steps", action="store_true", help="instead of presets: what each step gains")
    pipeline.add_argument("--repeats", type=int, default=5, help="rounds, whose medians are shown (default: %(default)s)")
    pipeline.add_argument("--max_frames", type=int, metavar="N", help="of each video")
    pipeline.add_argument("--json", metavar="FILE", help="write everything, stages and machine included")

    network = kinds.add_parser("network", help="milliseconds of an exported network alone, for each engine")
    network.add_argument("--model_dir", required=True)
    network.add_argument("--engines", nargs="+", default=engines)
    network.add_argument("--cpu_threads", type=int, default=2)
    network.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    network.add_argument("--repeats", type=int, default=40)
    network.add_argument("--precision", default="fp32", choices=runtime_precisions())

    parts = kinds.add_parser("parts", help="milliseconds of the parts beside the networks: crops, decoding, OKS-NMS, drawing")
    parts.add_argument("--repeats", type=int, default=30)

    train = kinds.add_parser("train", help="images/s and peak memory of training iterations; under paddle.distributed.launch too")
    add_config_flags(train)
    train.add_argument("--iterations", type=int, default=8)

    group = kinds.add_parser("group", help="milliseconds of bottom-up grouping, compared with the plain reference of the tests")
    group.add_argument("--people", nargs="+", type=int, default=[5, 30, 100])
    group.add_argument("--repeats", type=int, default=20)

    track = kinds.add_parser("track", help="identities of several trackers on synthetic scenes, and milliseconds per frame")
    track.add_argument("--people", nargs="+", type=int, default=[5, 30, 100], help="crowd sizes to time")
    track.add_argument("--seeds", type=int, default=3, help="runs of each scene (default: %(default)s)")

    serve = kinds.add_parser("serve", help="the service with many clients, compared with the plain pipeline, and under attack")
    serve.add_argument("--images", required=True, metavar="FOLDER", help="images that the clients send")
    serve.add_argument("--clients", type=int, default=50)
    serve.add_argument("--seconds", type=float, default=180.0, help="of load (default: %(default)s)")
    serve.add_argument("--plain_seconds", type=float, default=60.0, help="of the plain pipeline (default: %(default)s)")
    serve.add_argument("--workers", type=int, default=2, help="of the service, and threads of the plain pipeline (default: 2)")
    add_switch(serve, "--attack", "also slow clients, a huge body, dropped connections, a decompression bomb (default: on)",
               default=True)

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
    elif args.kind == "parts":
        from ppdet.engine.benchmarks import part_speed

        rows = part_speed.part_rows(args.repeats)
        header = part_speed.HEADER
    elif args.kind == "group":
        from ppdet.engine.benchmarks import grouping

        rows = grouping.group_rows(args.people, args.repeats)
        header = grouping.HEADER
    elif args.kind == "track":
        _track(args)
        return
    elif args.kind == "pipeline":
        _pipeline(args)
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


def _pipeline(args: argparse.Namespace) -> None:
    from ppdet.core.files import atomic_write
    from ppdet.engine.benchmarks import pipeline_speed as speed
    from ppdet.engine.benchmarks.benchmark import markdown_table

    if args.repeats < 1 or args.max_frames is not None and args.max_frames < 1:
        raise ConfigError("--repeats and --max_frames must be 1 or more")
    settings = speed.step_settings(args.cpu_threads) if args.steps else speed.usual_settings(args.cpu_threads, args.presets)
    models = {name: getattr(args, name) for name in ("det", "model") if getattr(args, name) is not None}
    stamp, found = speed.hardware_stamp(), []
    print(f"{stamp['machine']}; load {stamp['load']}; " + ", ".join(f"{k} {v}" for k, v in stamp["versions"].items()), flush=True)

    def rows() -> Iterator[list[str]]:
        for each in speed.measure(args.videos, settings, args.repeats, args.max_frames, engine=args.engine, **models):
            found.append(each)
            yield each.row()

    for line in markdown_table(speed.HEADER, rows()):
        print(line, flush=True)
    for each in found:
        print(f"\n{each.video}, {each.setting}: runs by batch {each.runs}")
        for name, figures in each.stages.items():
            print(f"  {name}: " + ", ".join(f"{key} {value}" for key, value in figures.items()))
    if args.json:
        with atomic_write(args.json, "w") as file:
            json.dump(speed.as_json(found, stamp), file, indent=1)
        print(f"wrote {args.json}")


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

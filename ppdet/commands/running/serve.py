"""Serve poses of images and videos over HTTP, with a browser page: ppdet serve --port 8000

    ppdet serve                                          http://127.0.0.1:8000, the bundled models
    ppdet serve --model output_inference/tinypose_256x192 --workers 4
    ppdet serve --host 0.0.0.0 --api_key_file key.txt    on a network, with a key that clients must send
    curl --data-binary @photo.jpg -H "content-type: image/jpeg" http://127.0.0.1:8000/v1/poses

Needs the extra serve: pip install '.[serve]' in a clone of ppdet-keypoint. More in docs/serve.md.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import fields
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.run_flags import add_person_threshold, add_precision_flags
from ppdet.commands.flags.values import add_switch, check_numbers
from ppdet.core.errors import ConfigError
from ppdet.inference.runtimes.registry import runtime_devices
from ppdet.service.limits import ServiceLimits

KEY_VARIABLE = "PPDET_API_KEY"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Address, models, engine, and all limits."""
    parser.add_argument("--host", default="127.0.0.1",
                        help="address to listen on; 0.0.0.0 for all networks (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--api_key_file", metavar="FILE",
                        help=f"file with the key that clients must send (or the environment variable {KEY_VARIABLE}; "
                             "default: no key)")
    models = parser.add_argument_group("models")
    models.add_argument("--model", help="pose model: name, exported folder or ONNX file (default: the one that is bundled)")
    models.add_argument("--det", default="auto",
                        help="detector: name, exported folder or ONNX file (default: the one that is bundled); none for a "
                             "bottom-up model, or to take each whole image as one person")
    models.add_argument("--det_threshold", type=float, default=0.5,
                        help="smallest score of a person's box (default: %(default)s)")
    models.add_argument("--batch_size", type=int, default=8, help="people per run of the network (default: %(default)s)")
    add_switch(models, "--flip_test", "average with the mirrored crop: slower, a little more accurate (default: off)")
    add_person_threshold(models)
    engine = parser.add_argument_group("engine")
    engine.add_argument("--workers", type=int,
                        help="batches that are estimated at the same time (default: one per processor core)")
    add_precision_flags(engine, cpu_threads=1)
    engine.add_argument("--device", type=str.lower, default="cpu", choices=runtime_devices(), help="default: %(default)s")
    group = parser.add_argument_group("limits")
    for each in fields(ServiceLimits):
        kind = float if isinstance(each.default, float) else int
        group.add_argument(f"--{each.name}", type=kind, default=each.default, metavar="N",
                           help=f"{each.metadata['text'].replace('%', '%%')} (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    check_numbers(args)
    workers = _cores() if args.workers is None else args.workers
    if workers < 1:
        raise ConfigError(f"--workers is {workers}: give 1 or more")
    limits = ServiceLimits(**{each.name: getattr(args, each.name) for each in fields(ServiceLimits)})
    from ppdet.service.access import checked_key, key_of_file
    from ppdet.service.served_models import ServedModels
    from ppdet.service.server import run_server

    key = os.environ.get(KEY_VARIABLE)
    api_key = key_of_file(args.api_key_file) if args.api_key_file else checked_key(key, KEY_VARIABLE) if key else None
    models = ServedModels(
        args.model, args.det, args.det_threshold, args.batch_size, args.person_threshold, args.engine, args.device,
        args.precision, bool(args.flip_test), args.cpu_threads, limits.people,
    )  # fmt: skip
    run_server(models, limits, args.host, args.port, api_key, workers)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

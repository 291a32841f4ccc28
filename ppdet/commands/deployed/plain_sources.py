"""Implementation of `ppdet pose` and `ppdet detect`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

from ppdet.commands.deployed.box_run import BoxRun
from ppdet.commands.deployed.boxes import detector_card
from ppdet.commands.deployed.pose_run import PoseRun
from ppdet.commands.deployed.report import print_benchmark
from ppdet.commands.deployed.sources import Sources, find_sources
from ppdet.commands.flags.run_flags import chosen_filter, split_threads
from ppdet.commands.flags.tracking_flags import chosen_zones, tracker_settings
from ppdet.commands.flags.values import check_numbers
from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.logger import get_logger
from ppdet.image.io import write_image
from ppdet.inference.estimators.registry import load_detector
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.json_lines import EarlierResults, JsonLinesWriter, is_json_lines
from ppdet.inference.files.json_list import JsonListWriter
from ppdet.inference.files.json_results import JsonResultsWriter
from ppdet.inference.files.model_names import DETECTOR, default_model, find_model
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.files.sources import image_of
from ppdet.inference.files.urls import fetch_image, split_url, without_secrets
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult
from ppdet.inference.runtimes.registry import load_runtime
from ppdet.inference.tracking.recorded import RECORDED_FILTERS
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.video.opening import is_live

STDOUT = "-"


def run_pose(args: argparse.Namespace) -> int:
    """Estimate, draw and record the poses of all sources; returns 1 if an image or frame could not be read."""
    check_numbers(args)
    check_resume(args)
    tracking = tracker_settings(args)
    sources = find_sources(args.sources)
    with _stdout_for_data(args.json == STDOUT) as stdout:
        return _run_pose(args, sources, tracking, stdout)


def _run_pose(args: argparse.Namespace, sources: Sources, tracking: TrackerSettings | None, stdout: IO[str]) -> int:
    earlier = EarlierResults.read(args.json) if args.resume else EarlierResults()
    writer: Callable[[Any], Any] = partial(JsonResultsWriter, layout="named")
    if args.json is not None and is_json_lines(args.json):
        writer = partial(JsonLinesWriter, resume=bool(args.resume))
    with _results(args, stdout, writer) as (drawings, records):
        work = PoseRun(_pipeline(args, sources), drawings, records, args.threshold, chosen_filter(args), args.max_frames,
                       names_videos=sources.count > 1, tracking=tracking, earlier=earlier)  # fmt: skip
        status = 0
        sources.images = [path for path in sources.images if str(path) not in earlier.images]
        if sources.images:
            inputs = _inputs(sources, args)
            work.run_images(inputs)
            status = inputs.exit_status()
        for url in sources.image_urls:
            status = max(status, _pose_of_url(work, url))
        for source, name in sources.videos:
            status = max(status, work.run_video(source, name).exit_status())
        if args.run_benchmark:
            print_benchmark(work.pipeline.timer, args.cpu_threads, work.frames, work.video_seconds)
    work.log_end()
    return status


def run_detect(args: argparse.Namespace) -> int:
    """Find, draw and record the boxes of all sources; returns 1 if an image could not be read."""
    check_numbers(args)
    sources = find_sources(args.sources)
    with _stdout_for_data(args.json == STDOUT) as stdout:
        return _run_detect(args, sources, stdout)


def _run_detect(args: argparse.Namespace, sources: Sources, stdout: IO[str]) -> int:
    card = detector_card(default_model(DETECTOR) if args.det is None else find_model(args.det, DETECTOR))
    options: dict[str, Any] = {
        "engine": args.engine, "device": args.device, "cpu_threads": args.cpu_threads, "precision": args.precision,
    }  # fmt: skip
    with _results(args, stdout, JsonListWriter) as (drawings, records):
        runtime = load_runtime(str(card.model_dir), **options, batch_size=args.batch_size, dynamic_shape=card.use_dynamic_shape)
        work = BoxRun(load_detector(runtime, card, args.batch_size), drawings, records, args.threshold, args.save_threshold,
                      args.max_frames)  # fmt: skip
        status = 0
        if sources.images:
            inputs = _inputs(sources, args)
            work.run_images(inputs, args.batch_size)
            status = inputs.exit_status()
        for number, url in enumerate(sources.image_urls, start=len(sources.images) + 1):
            status = max(status, _boxes_of_url(work, url, number))
        for source, name in sources.videos:
            status = max(status, work.run_video(source, name))
        if args.run_benchmark:
            print_benchmark(work.timer, args.cpu_threads)
    work.log_end()
    return status


def check_resume(args: argparse.Namespace) -> None:
    """Refuse `--resume` where nothing can be continued.

    Raises:
        ConfigError: no file of JSON lines, or settings that need the whole video.
    """
    if not args.resume:
        return
    if args.json is None or not is_json_lines(args.json):
        raise ConfigError(f"--resume continues a file of JSON lines, and --json is {args.json}: give a name that ends in .jsonl, "
                          "in the first run as well")
    if args.zone or chosen_filter(args) in RECORDED_FILTERS:
        raise ConfigError("--resume cannot continue the counts of a --zone, nor smooth a video as a whole: leave these out, or "
                          "--resume")


def _pipeline(args: argparse.Namespace, sources: Sources) -> PosePipeline:
    """The pipeline of the given models; by default the bundled ones."""
    models: dict[str, Any] = {}
    if args.det is not None:
        models["detector"] = None if args.det.lower() == "none" else args.det
    if args.model is not None:
        models["keypoint"] = args.model
    workers = split_threads(args, any(not is_live(source) for source, _ in sources.videos))
    return PosePipeline(
        **models, engine=args.engine, device=args.device, cpu_threads=args.engine_threads, precision=args.precision,
        det_threshold=args.det_threshold, keypoint_batch_size=args.batch_size, flip_test=bool(args.flip_test),
        person_threshold=args.person_threshold, zones=chosen_zones(args), workers=workers, det_interval=args.det_interval,
        preset=args.preset,
    )  # fmt: skip


def _inputs(sources: Sources, args: argparse.Namespace) -> ImageInputs:
    inputs = ImageInputs(str(sources.images[0]), None, not args.ignore_exif)
    inputs.paths = sources.images
    return inputs


def _pose_of_url(work: PoseRun, url: str) -> int:
    try:
        result = work.pipeline(url)
    except MediaError as error:
        get_logger(__name__).error("%s", error)
        return 1
    assert isinstance(result, PoseResult), "a URL of an image gives one result"
    if work.drawings is not None:
        name = f"{Path(split_url(url).place).stem}_vis.jpg"
        work.written.append(write_image(work.drawings.file(name), result.draw(threshold=work.threshold)))
    work.add(result)
    return 0


def _boxes_of_url(work: BoxRun, url: str, number: int) -> int:
    try:
        data = fetch_image(url)
        if data is None:
            raise MediaError(f"{without_secrets(url)} is no image: check the address")
        image = image_of(data, "bytes")
    except MediaError as error:
        get_logger(__name__).error("%s", error)
        return 1
    with work.timer.stage("detect"):
        found = work.detector.detect([image])[0]
    work.add(image, found, Path(split_url(url).place).name, number)
    return 0


@contextmanager
def _results(
    args: argparse.Namespace, stdout: IO[str], writer: Callable[[Any], Any]
) -> Iterator[tuple[OutputFolder | None, Any]]:
    """Folder for drawings and writer of the JSON, each None if not wanted; JSON for stdout is printed at the end."""
    if args.max_frames is not None and args.max_frames < 1:
        raise ConfigError(f"--max_frames is {args.max_frames}: give 1 or more")
    folder = args.output_dir or (None if args.json else args.default_output_dir)
    with ExitStack() as stack:
        drawings = None if folder is None else OutputFolder(folder)
        if args.json != STDOUT:
            yield drawings, None if args.json is None else stack.enter_context(writer(args.json))
            return
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "results.json"
        with writer(path) as records:
            records.path = Path("stdout")
            yield drawings, records
        with path.open(encoding="utf-8") as file:
            shutil.copyfileobj(file, stdout)
        stdout.flush()


@contextmanager
def _stdout_for_data(wanted: bool) -> Iterator[IO[str]]:
    """If wanted, redirect everything printed to stderr, including engines written in C, and yield the real stdout."""
    with ExitStack() as stack:
        real = sys.stdout
        if not wanted:
            yield real
            return
        with suppress(OSError, ValueError, AttributeError):  # stdout is not a file, as in notebooks
            number = real.fileno()
            real.flush()
            kept = os.dup(number)
            os.dup2(sys.stderr.fileno(), number)
            real = stack.enter_context(os.fdopen(kept, "w", encoding="utf-8"))
            stack.callback(os.dup2, kept, number)
        stack.enter_context(redirect_stdout(sys.stderr))
        yield real

"""Implementation of `ppdet pose` and `ppdet detect`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import IO, Any

from ppdet.commands.deployed.box_run import BoxRun
from ppdet.commands.deployed.boxes import detector_card
from ppdet.commands.deployed.pose_run import PoseRun
from ppdet.commands.deployed.report import print_benchmark
from ppdet.commands.flags.format_flags import format_options
from ppdet.commands.flags.pose_model_flags import NO_DETECTOR
from ppdet.commands.flags.run_flags import chosen_filter, split_threads
from ppdet.commands.flags.tracking_flags import chosen_zones, tracker_settings
from ppdet.commands.flags.values import check_numbers
from ppdet.commands.running.sources import Sources, find_sources
from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.logger import get_logger
from ppdet.image.io import write_image
from ppdet.inference.estimators.registry import load_detector
from ppdet.inference.files.earlier_results import ContinuedJsonLines, EarlierResults
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.model_names import DETECTOR, POSE, default_model, find_model
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.files.sources import image_of
from ppdet.inference.files.urls import fetch_image, split_url, without_secrets
from ppdet.inference.formats.json_list import JsonListWriter
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.table import format_named, format_of, open_writer, require
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.presets import BALANCED
from ppdet.inference.results import PoseResult
from ppdet.inference.runtimes.registry import load_runtime
from ppdet.inference.tracking.recorded import RECORDED_FILTERS
from ppdet.inference.video.opening import is_live

STDOUT = "-"


def run_pose(args: argparse.Namespace) -> int:
    """Estimate, draw and record the poses of all sources; returns 1 if an image or frame could not be read."""
    check_numbers(args)
    sources = find_sources(args.sources)
    if args.json and args.results:
        raise ConfigError(f"--json {args.json} and --results {args.results}: give one of them, or run twice")
    if args.json and args.format:
        raise ConfigError(f"--json is a format: leave out --format {args.format}, or give --results instead of --json")
    _check_pose_file(args, sources)
    _check_resume(args)
    _say_what_images_ignore(args, sources)
    with _stdout_for_data(STDOUT in (args.json, args.results)) as stdout:
        return _run_pose(args, sources, stdout)


def _run_pose(args: argparse.Namespace, sources: Sources, stdout: IO[str]) -> int:
    earlier = EarlierResults.read(file) if args.resume and (file := _pose_file(args)) is not None else EarlierResults()
    with _results(args, stdout, _pose_writer(args), _pose_file(args)) as (drawings, records):
        pipeline = pose_pipeline(args, any(not is_live(source) for source, _ in sources.videos), sources.are_few)
        tracking = tracker_settings(args, pipeline.detector)
        work = PoseRun(pipeline, drawings, records, args.threshold, chosen_filter(args), args.max_frames,
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
    with _results(args, stdout, JsonListWriter, args.json) as (drawings, records):
        runtime = load_runtime(str(card.model_dir), **options, batch_size=args.batch_size, dynamic_shape=card.use_dynamic_shape)
        work = BoxRun(load_detector(runtime, card, args.batch_size), drawings, records, args.threshold, args.save_threshold,
                      args.max_frames)  # fmt: skip
        status = 0
        if sources.images:
            inputs = _inputs(sources, args)
            work.run_images(inputs, args.batch_size)
            status = inputs.exit_status()
        for number, url in enumerate(sources.image_urls, start=len(sources.images) + 1):
            status = max(status, _boxes_of_url(work, url, number, args.image_range))
        for source, name in sources.videos:
            status = max(status, work.run_video(source, name))
        if args.run_benchmark:
            print_benchmark(work.timer, args.cpu_threads)
    work.log_end()
    return status


def pose_pipeline(args: argparse.Namespace, has_files: bool = False, is_brief: bool = False) -> PosePipeline:
    """The pipeline of the given models; by default the bundled ones.

    Args:
        args: parsed flags.
        has_files: there are video files.
        is_brief: see `RuntimeOptions`.
    """
    models: dict[str, Any] = {}
    if args.det is not None:
        models["detector"] = None if args.det.lower() == NO_DETECTOR else args.det
    if args.model is not None:
        models["keypoint"] = find_model(args.model, POSE)
    workers = split_threads(args, has_files, Path(models.get("keypoint") or default_model(POSE)))
    return PosePipeline(
        **models, engine=args.engine, device=args.device, cpu_threads=args.engine_threads, precision=args.precision,
        det_threshold=args.det_threshold, keypoint_batch_size=args.batch_size, flip_test=bool(args.flip_test),
        person_threshold=args.person_threshold, zones=chosen_zones(args), workers=workers,
        det_interval=getattr(args, "det_interval", None), preset=getattr(args, "preset", BALANCED),
        is_brief=is_brief,
        image_range=args.image_range,
    )  # fmt: skip


def _inputs(sources: Sources, args: argparse.Namespace) -> ImageInputs:
    inputs = ImageInputs(str(sources.images[0]), None, not args.ignore_exif, args.image_range)
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


def _boxes_of_url(work: BoxRun, url: str, number: int, image_range: Sequence[float] | None) -> int:
    try:
        data = fetch_image(url)
        if data is None:
            raise MediaError(f"{without_secrets(url)} is not an image: check the address")
        image = image_of(data, "bytes", image_range)
    except MediaError as error:
        get_logger(__name__).error("%s", error)
        return 1
    with work.timer.stage("detect"):
        found = work.detector.detect([image])[0]
    work.add(image, found, Path(split_url(url).place).name, number)
    return 0


def _named_file(args: argparse.Namespace) -> str | None:
    """The file of results that the flags name."""
    return args.json or getattr(args, "results", None)


def _pose_file(args: argparse.Namespace) -> str | Path | None:
    """The file of poses; that of `--format` alone is in the output folder."""
    if args.format is None or _named_file(args):
        return _named_file(args)
    return Path(args.output_dir or args.default_output_dir) / f"poses{format_named(args.format).suffix}"


def _pose_format(args: argparse.Namespace) -> str | None:
    """The name of the format of poses; None if the suffix decides."""
    return "json" if args.json or (args.results == STDOUT and args.format is None) else args.format


def _check_pose_file(args: argparse.Namespace, sources: Sources) -> None:
    """Check the format before any work.

    Raises:
        ConfigError: no format has this suffix, its package is missing, or it cannot be written to stdout or from these sources.
    """
    file = _pose_file(args)
    if file is None:
        return
    chosen = format_of(file, _pose_format(args))
    require(chosen)
    if file == STDOUT and not chosen.to_stream:
        raise ConfigError(f"the format {chosen.name} cannot be written to stdout: give a file as --results")
    if chosen.one_source and len(sources.videos) + bool(sources.images or sources.image_urls) > 1:
        raise ConfigError(f"a file of the format {chosen.name} has one time axis, and there are several sources: run `ppdet "
                          "batch`, which writes one file per source, or choose another format")


def _check_resume(args: argparse.Namespace) -> None:
    """Reject `--resume` if nothing can be continued.

    Raises:
        ConfigError: no file of JSON lines, or settings that need the whole video.
    """
    if not args.resume:
        return
    file = _pose_file(args)
    if file in (None, STDOUT) or format_of(str(file), _pose_format(args)).name != "jsonl":
        raise ConfigError(f"--resume continues a file of JSON lines, and the poses go to {file}: give --results FILE.jsonl, in "
                          "the first run as well")
    if args.zone or chosen_filter(args) in RECORDED_FILTERS:
        raise ConfigError("--resume cannot continue the counts of a --zone, nor smooth a video as a whole: leave these out, or "
                          "--resume")


def _say_what_images_ignore(args: argparse.Namespace, sources: Sources) -> None:
    """A folder of frames looks like a video to its owner."""
    given = {"--smooth": chosen_filter(args), "--det_interval": args.det_interval, "--max_frames": args.max_frames}
    useless = [flag for flag, value in given.items() if value is not None]
    if useless and not sources.videos:
        get_logger(__name__).warning("%s: for videos only, and the sources are single images, without order or time; make a "
                                     "video of frames, for example with: ffmpeg -i frame_%%04d.png VIDEO.mp4", ", ".join(useless))


def _pose_writer(args: argparse.Namespace) -> Callable[[str | Path], PoseWriter]:
    """The function that opens the file of poses."""
    name, options = _pose_format(args), format_options(args, args.threshold)
    if args.resume:
        return lambda path: ContinuedJsonLines(path, options)
    return lambda path: open_writer(path, name, options)


@contextmanager
def _results(
    args: argparse.Namespace, stdout: IO[str], writer: Callable[[str | Path], Any], file: str | Path | None
) -> Iterator[tuple[OutputFolder | None, Any]]:
    """Folder for drawings and writer of the results, each None if not wanted; results for stdout are printed at the end."""
    if args.max_frames is not None and args.max_frames < 1:
        raise ConfigError(f"--max_frames is {args.max_frames}: give 1 or more")
    folder = args.output_dir or (None if _named_file(args) else args.default_output_dir)
    with ExitStack() as stack:
        drawings = None if folder is None else OutputFolder(folder)
        if file != STDOUT:
            yield drawings, None if file is None else stack.enter_context(writer(file))
            return
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "results"
        with writer(path) as records:
            records.path = Path("stdout")
            yield drawings, records
        with path.open(encoding="utf-8") as written:
            shutil.copyfileobj(written, stdout)
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

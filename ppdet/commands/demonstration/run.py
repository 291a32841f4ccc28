"""From a source to a video with skeletons, JSON lines and a contact sheet; what `make demo` and `ppdet demo` run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Union
from urllib.parse import urlsplit

from ppdet.commands.demonstration.clip import TruthScore, render_clip
from ppdet.commands.demonstration.models import find_models
from ppdet.commands.demonstration.outputs import SheetFrames, video_sheet
from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.files import require_folder
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.image.io import is_image_file, write_image
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.formats.json_lines import JsonLinesWriter
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult
from ppdet.inference.video.process import process_video
from ppdet.inference.video.reader import VideoReader

DRAWN_THRESHOLD = 0.3
CLIP_NAME = "rendered_people.mp4"
_log = get_logger(__name__)


@dataclass(frozen=True)
class DemoOptions:
    """Options of the demo.

    Attributes:
        source: a video, an image, a folder of images, a URL, or the number of a camera as text; None renders the clip.
        weights: folder or URL of models or weights; None takes the bundled models.
        output_dir: where results go.
        engine: "auto" or the name of an engine.
        cpu_threads: of the engine.
        max_frames: stop after this many frames; None runs to the end.
    """

    source: Optional[str] = None
    weights: Optional[str] = None
    output_dir: str = "output/demo"
    engine: str = "auto"
    cpu_threads: int = 2
    max_frames: Optional[int] = None


@dataclass
class DemoReport:
    """Summary of a demo run.

    Attributes:
        written: the written files, the most important first.
        images: number of processed frames or images.
        people: people found in all of them together.
        persons: different people in a video; None for images.
        seconds: by step.
        score: on the rendered clip, else None.
    """

    written: list[Path] = field(default_factory=list)
    images: int = 0
    people: int = 0
    persons: Optional[int] = None
    seconds: dict[str, float] = field(default_factory=dict)
    score: Optional[TruthScore] = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a block."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def run_demo(options: DemoOptions) -> DemoReport:
    """Run both models on the source, write the results, and log their paths.

    Raises:
        PpdetError: no models, a source that cannot be read, a folder that cannot be written.
    """
    if options.max_frames is not None and options.max_frames < 1:
        raise ConfigError(f"--max_frames {options.max_frames}: expected a number of frames, 1 or more")
    folder = require_folder(options.output_dir, "--output_dir")
    report = DemoReport()
    _check_source(options.source)
    with report.step("models"):  # first, since a wrong folder should be reported at once
        models = find_models(options.weights, folder / "models")
        pipeline = PosePipeline(models.detector, models.pose, engine=options.engine, cpu_threads=options.cpu_threads)
    if options.source is not None and _is_images(options.source):
        _run_images(pipeline, options.source, folder, report)
    else:
        _run_video(pipeline, options, folder, report)
    _log_end(report)
    return report


def _check_source(source: Optional[str]) -> None:
    if source is None or source.isdigit() or "://" in source:
        return
    if not Path(source).exists():
        raise MediaError(f"there is no file or folder {source}: --source (SOURCE=) expects a video, an image, a folder of "
                         "images, a URL, or the number of a camera")
    if Path(source).is_file() and not _is_images(source):
        VideoReader(source).close()


def _is_images(source: str) -> bool:
    path = urlsplit(source).path if "://" in source else source
    return is_image_file(path) or Path(source).is_dir()


def _run_video(pipeline: PosePipeline, options: DemoOptions, folder: Path, report: DemoReport) -> None:
    source: Union[str, int]
    if options.source is None:
        source = str(folder / CLIP_NAME)
        with report.step("render the clip"):
            report.score = TruthScore(render_clip(Path(source), options.max_frames))
        name = Path(source).stem
    elif options.source.isdigit():
        source, name = int(options.source), f"camera_{options.source}"
    else:
        source = options.source
        name = Path(urlsplit(source).path if "://" in source else source).stem or "stream"
    with report.step("find poses, draw, encode"), JsonLinesWriter(folder / f"{name}_poses.jsonl") as lines:

        def note(result: PoseResult) -> None:
            lines.add(result)
            if report.score is not None:
                report.score.add(result)

        done = process_video(pipeline, source, folder / f"{name}_poses.mp4", keypoint_threshold=DRAWN_THRESHOLD,
                             max_frames=options.max_frames, on_result=note)  # fmt: skip
    with report.step("contact sheet"):
        sheet = video_sheet(done.written[0], folder / f"{name}_poses_sheet.jpg")
    report.images, report.people, report.persons = done.frames, done.people, done.persons
    report.written += [*done.written, folder / f"{name}_poses.jsonl", sheet]


def _run_images(pipeline: PosePipeline, source: str, folder: Path, report: DemoReport) -> None:
    is_folder = Path(source).is_dir()
    name = Path(source).resolve().name if is_folder else Path(urlsplit(source).path).stem
    tiles = SheetFrames()
    file = folder / f"{name}_poses.jsonl"
    with report.step("find poses, draw, encode"), JsonLinesWriter(file) as lines:
        for stem, result in _image_results(pipeline, source):
            drawn = result.draw(threshold=DRAWN_THRESHOLD)
            tiles.add(drawn)
            report.written.append(write_image(folder / f"{stem}_poses.jpg", drawn))
            lines.add(result)
            report.images += 1
            report.people += len(result)
    if not report.images:
        raise MediaError(f"none of the images in {source} could be read; the log has the reason for each")
    if is_folder:
        with report.step("contact sheet"):
            report.written = [folder / f"*_poses.jpg ({report.images} images)", file,
                              tiles.write(folder / f"{name}_poses_sheet.jpg", "image")]  # fmt: skip
    else:
        report.written.append(file)


def _image_results(pipeline: PosePipeline, source: str) -> Iterator[tuple[str, PoseResult]]:
    """(stem of the file, result with its pixels) for each image that can be read."""
    if not Path(source).is_dir():
        result = pipeline(source)
        assert isinstance(result, PoseResult)  # of one image
        yield Path(urlsplit(source).path).stem, result
        return
    for paths, images in ImageInputs(None, source).groups(1):
        yield paths[0].stem, pipeline.estimate(images[0], path=str(paths[0]))


def _log_end(report: DemoReport) -> None:
    poses = report.seconds["find poses, draw, encode"]
    rate = report.images / max(poses, 1e-9)
    if report.persons is None:
        _log.info("%s, %s, %.1f images per second", quantity(report.images, "image"),
                  quantity(report.people, "person", "people"), rate)
    else:
        _log.info("%s, %s in %s, %.1f frames per second", quantity(report.images, "frame"), quantity(report.persons, "person"),
                  quantity(report.people, "person-frame"), rate)
    if report.score is not None:
        _log.info("%s", report.score.text())
    steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in report.seconds.items())
    _log.info("%s; %.1f s in all", steps, sum(report.seconds.values()))
    _log.info("look at:\n  %s", "\n  ".join(map(str, report.written)))

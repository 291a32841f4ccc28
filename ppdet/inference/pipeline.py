"""From images to poses: a detector and a top-down estimator, or a bottom-up estimator alone.

Legend: N people, H W pixels.
"""
from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Union

import numpy as np

from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.logger import get_logger
from ppdet.image.depth import checked_range
from ppdet.image.io import is_photo_file, list_images
from ppdet.inference.estimators.base import PERSON_THRESHOLD, EstimatorOptions, PoseEstimator
from ppdet.inference.estimators.registry import with_one_thread
from ppdet.inference.files.sources import IMAGE_KINDS, checked_image, image_of, kind_of, no_image, pixels_of
from ppdet.inference.files.urls import fetch_image, without_secrets
from ppdet.inference.model_opening import AUTO, AnyDetector, is_auto, open_models
from ppdet.inference.people_finder import Found, PeopleFinder
from ppdet.inference.presets import BALANCED, preset_of
from ppdet.inference.redetection.every_other import StreamFinder, open_finder
from ppdet.inference.redetection.interval_finder import chosen_interval
from ppdet.inference.redetection.schedule import Interval
from ppdet.inference.results import PoseResult
from ppdet.inference.runtimes.model_files import is_light
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.tracking.candidates import Candidates
from ppdet.inference.tracking.follower import Follow
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.tracking.smoothing import REFERENCE_FPS
from ppdet.inference.tracking.stream import StreamTracker, stamp_of
from ppdet.inference.video.ahead import checked_workers
from ppdet.inference.video.estimation import open_results
from ppdet.inference.zone_people import only_in_zones, with_strangers
from ppdet.inference.zones.zone import Zone
from ppdet.skeletons import Skeleton

Detector = Union[AnyDetector, None]


class PosePipeline:
    """Finds the people in an image and the pose of each.

    One pipeline may be used from several threads at the same time; identities across calls are kept per stream, see `track`.

    Example:
        pipeline = PosePipeline()                                      # the models that come with the package
        pipeline = PosePipeline(det="picodet", model="tinypose")       # by name
        pipeline = PosePipeline("output_inference/picodet_s_320_lcnet_pedestrian", "output_inference/tinypose_256x192")
        pipeline = PosePipeline(None, "output_inference/higherhrnet_hrnet_w32_512")  # finds everybody by itself
        pipeline = PosePipeline("yolo.onnx", "rtmpose.onnx")           # other toolkits' models, see docs/any_model.md

        for person in pipeline("street.jpg"):
            print(person.id, person.box, person["left_wrist"])

    Args:
        detector: name or directory of an exported detector, an ONNX file of another toolkit, a JSON file of boxes (COCO
            annotations or results), a function that returns boxes, or a `BoxDetector`. "auto" takes the bundled one for top-down
            models of persons, and none for models that find people by themselves or were trained on whole
            images. None: a top-down model takes the whole image as one person's box.
        keypoint: name or directory of an exported pose model, an ONNX file of another toolkit, or its `PoseEstimator`; None takes
            the bundled one.
        engine: "auto" or one of `runtime_names()`, for directories.
        device: "cpu" or "gpu", for directories.
        cpu_threads: threads of all networks together, for directories.
        precision: "fp32" or "bf16", for directories.
        det_threshold: boxes below this score are not taken for people.
        keypoint_batch_size: largest number of people that go through the network together, for directories.
        flip_test: average with the mirrored crop, for directories of top-down models.
        person_threshold: people of a bottom-up model below this mean keypoint score are left out. Where the network doubts, a
            keypoint or two make a person, whose other keypoints are then searched for and found on somebody else.
        image_range: [black, white] values of images with more than 8 bits, for files, arrays and PIL images alike; None finds it
            from each image.
        det, model: short for `detector` and `keypoint`.
        zones: only people inside one of them count: poses are estimated for these alone. Keyword only.
        workers: frames of a video file that are worked on at the same time, each by engines of `cpu_threads` threads; 0: one
            after the other. None: on a CPU as many as `cpu_threads`, by engines of one thread each, else 1. Keyword only.
        det_interval: of a stream: the detector looks at every so many frames, or "adaptive"; see `IntervalFinder`. None: what the
            preset says. Keyword only.
        preset: "accurate", "balanced" or "fast"; see `PRESETS`. Keyword only.
        is_brief: see `RuntimeOptions`. Keyword only.

    Raises:
        ModelDirError: an unknown name, a directory that is not an exported model of its kind, or a bottom-up model with a
            detector.
        ConfigError: flip test of an exported bottom-up model; a model given twice; an interval without a detector; a threshold
            outside 0 to 1.
    """

    def __init__(
        self,
        detector: Detector = AUTO,
        keypoint: str | Path | PoseEstimator | None = None,
        engine: str = "auto",
        device: str = "cpu",
        cpu_threads: int = 2,
        precision: str = "fp32",
        det_threshold: float = 0.5,
        keypoint_batch_size: int = 8,
        flip_test: bool = False,
        person_threshold: float = PERSON_THRESHOLD,
        image_range: Sequence[float] | None = None,
        *,
        zones: Sequence[Zone] = (),
        workers: int | None = None,
        det_interval: Interval | None = None,
        preset: str = BALANCED,
        det: Detector = AUTO,
        model: str | Path | PoseEstimator | None = None,
        is_brief: bool = False,
    ) -> None:
        for name, score in (("det_threshold", det_threshold), ("person_threshold", person_threshold)):
            if not 0 <= score <= 1:
                raise ConfigError(f"{name} is {score}: scores lie between 0 and 1, so give a number from 0 to 1")
        self.workers = checked_workers(workers, cpu_threads if device == "cpu" else 1)
        options = {"engine": engine, "device": device, "cpu_threads": cpu_threads, "precision": precision,
                   "runs_at_once": max(1, self.workers), "is_brief": is_brief}  # fmt: skip
        speed = preset_of(preset)
        if not is_auto(det) and not is_auto(detector) or model is not None and keypoint is not None:
            raise ConfigError("det is short for detector, and model for keypoint: give each model once")
        is_alone = (speed.det_interval if det_interval is None else det_interval) != 1
        self.detector, self.estimator = open_models(
            det if is_auto(detector) else detector, model if keypoint is None else keypoint,
            EstimatorOptions(flip_test=flip_test, batch_size=keypoint_batch_size), speed.flip_test,
            cpu_threads * max(1, workers or 1) if is_alone else cpu_threads, **options,
        )  # fmt: skip
        self.det_threshold = det_threshold
        self.person_threshold = person_threshold
        self.image_range = checked_range(image_range)
        self.zones = tuple(zones)
        self.timer = StageTimer()
        self._warned: set[str] = set()
        self.det_interval = chosen_interval(self.finder, det_interval, speed.det_interval)
        self.interpolates = speed.interpolates
        self._streams: dict[Hashable, tuple[StreamTracker, StreamFinder | None]] = {}
        self._streams_lock = threading.Lock()
        self._may_divide_threads = workers is None and device == "cpu" and cpu_threads > 1

    @property
    def finder(self) -> PeopleFinder:
        """Finds people step by step, with the attributes as they are now."""
        return PeopleFinder(self.detector, self.estimator, self.det_threshold, self.person_threshold, self.zones, self.timer,
                            self._warned)

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton of the results."""
        return self.estimator.skeleton

    def __call__(
        self, source: Any, keep_frames: bool = False
    ) -> PoseResult | list[PoseResult] | Iterator[PoseResult]:
        """Run on any source.

        Args:
            source: one image gives one result: an (H, W, 3) RGB uint8 array (turn OpenCV's BGR with image[..., ::-1]), a PIL
                image, the bytes of an encoded image, the path of an image, or the http(s) URL of one. A list of these gives a
                list. An iterator of these, or a directory of images, gives an iterator over results; images of a directory that
                cannot be read are logged and skipped. A video file, the number of a camera (0, "0", "/dev/video0") or the URL of
                a video or stream gives an iterator over its frames. Files and encoded images are turned as their EXIF
                orientation says, PIL images and arrays are not.
            keep_frames: of a video: keep each frame in its result, as `image`.

        Raises:
            MediaError: a file that cannot be read or is neither image nor video, or a directory of which no image can be read.
            DataError: anything else, such as an array that is no RGB image.
        """
        kind = kind_of(source)
        if kind == "list":
            return [self._item(item, f"item {place} of the list") for place, item in enumerate(source)]
        if kind == "iterator":
            return self._items(source)
        if kind == "number":
            return self.video(int(source) if isinstance(source, (int, np.integer)) else str(source), keep_frames)
        if kind == "url":
            result = self._image_of_url(str(source))
            return self.video(str(source), keep_frames) if result is None else result
        if kind != "path":
            return self._one_image(source, kind)
        path = Path(source)
        if path.is_dir():
            return self._folder(path, list_images(path))
        if is_photo_file(path):
            return self._one_image(path, kind)
        if not path.suffix and not path.exists():
            raise MediaError(f"there is no file {without_secrets(path)}: give an image, a folder of images or a video")
        return self.video(path, keep_frames)

    def _one_image(self, source: object, kind: str, keep: bool = True) -> PoseResult:
        """The result of an array, a PIL image, an encoded image or a file; `keep` keeps the pixels of a file in it."""
        if kind == "array":
            return self.estimate(source)
        with self.timer.stage("read"):
            image = image_of(source, kind, self.image_range)
        result = self.estimate(image, path=str(source) if kind == "path" else None)
        return result if keep else replace(result, image=None)

    def _image_of_url(self, url: str) -> PoseResult | None:
        """The result of an image on the web; None if the URL leads to something else."""
        with self.timer.stage("read"):
            data = fetch_image(url)
            if data is None:
                return None
            image = image_of(data, "bytes", self.image_range, without_secrets(url))
        return self.estimate(image, path=without_secrets(url))

    def _item(self, item: object, what: str) -> PoseResult:
        kind = kind_of(item, what)
        if kind == "url":
            result = self._image_of_url(str(item))
            if result is not None:
                return result
        if kind not in IMAGE_KINDS or kind == "url":
            raise no_image(item, what)
        return self._one_image(item, kind, keep=kind != "path")

    def _items(self, items: Iterable[object]) -> Iterator[PoseResult]:
        return (self._item(item, f"item {place} of the iterator") for place, item in enumerate(items))

    def _folder(self, folder: Path, paths: Sequence[Path]) -> Iterator[PoseResult]:
        failed = 0
        for path in paths:
            try:
                result = self._one_image(path, "path", keep=False)
            except MediaError as error:
                get_logger(__name__).error("%s", error)
                failed += 1
                continue
            yield result
        if failed == len(paths):
            raise MediaError(f"none of the {failed} images in {folder} could be read; the log has the reason for each")
        if failed:
            get_logger(__name__).error("%d of %d images in %s failed and were left out", failed, len(paths), folder)

    def estimate(
        self,
        image: Any,
        path: str | None = None,
        frame_id: int | None = None,
        timestamp_ms: float | None = None,
        expected: np.ndarray | None = None,
        low_score: float = 1.0,
        follow: Follow | None = None,
    ) -> PoseResult:
        """People and poses of one image.

        Args:
            image: (H, W, 3) RGB uint8.
            path, frame_id, timestamp_ms: where it comes from, for the result.
            expected: (M, 4) xyxy, where a tracker expects people. Boxes there below `det_threshold` count, too.
            low_score: smallest score of these.
            follow: of a tracker that gives boxes identities; poses are estimated for whom it has in sight.

        Raises:
            DataError: the array is no RGB image.
        """
        image = checked_image(image, self.image_range)
        look = self.finder.look([image], [path])[0]
        found = self.finder.people(look, Candidates(expected, low_score, follow, timestamp_ms))
        result = self.result(found, (image.shape[1], image.shape[0]), path, frame_id, timestamp_ms, expected is not None)
        return result if frame_id is not None else replace(result, image=image)

    def result(
        self,
        found: Found,
        image_wh: tuple[int, int],
        path: str | None = None,
        frame_id: int | None = None,
        timestamp_ms: float | None = None,
        is_tracked: bool = False,
    ) -> PoseResult:
        """The result of an image in which `finder` found people; those outside the zones count for a tracker."""
        result = PoseResult(*found.people, self.estimator.skeleton, image_wh, path, frame_id, timestamp_ms, found.identities)
        return with_strangers(result, found.rest) if is_tracked else only_in_zones(result, self.zones)

    def estimate_batch(self, images: Sequence[np.ndarray], paths: Sequence[str | None]) -> list[PoseResult]:
        """People and poses of several images; people of different images go through the network together.

        Args:
            images: (H, W, 3) RGB uint8 each, of any sizes.
            paths: where each comes from, or None.
        """
        images = [checked_image(image, self.image_range) for image in images]
        looks = self.finder.look(images, paths)
        self.finder.pose([(look, self.finder.sure_rows(look)) for look in looks])
        sizes = [(image.shape[1], image.shape[0]) for image in images]
        return [self.result(self.finder.people(look), size, path) for look, size, path in zip(looks, sizes, paths)]

    def nobody(self, image_wh: tuple[int, int], frame_id: int | None = None) -> PoseResult:
        """The result of a frame that could not be decoded: empty, so that frame numbers stay in step."""
        count = self.estimator.skeleton.num_keypoints
        return PoseResult(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, count, 2), np.float32),
                          np.zeros((0, count), np.float32), self.estimator.skeleton, image_wh, None, frame_id)

    def video(
        self,
        source: str | Path | int,
        keep_frames: bool = False,
        filter_type: str | None = None,
        settings: TrackerSettings | None = None,
    ) -> Iterator[PoseResult]:
        """Results of a video, stream or camera, frame by frame, with identities; reading runs ahead in a thread.

        Args:
            source: path, URL, or number of a camera.
            keep_frames: keep each frame in its result, as `image`.
            filter_type: "OneEuro" or "EMA" to smooth each person's keypoints over time, None not to.
            settings: of the tracker; None takes the defaults.

        Raises:
            MediaError: it does not open.
        """
        return open_results(self, source, filter_type, keep_frames, settings)

    def for_recordings(self) -> PosePipeline:
        """This pipeline as it is now, for a recorded video.

        Unless `workers` was given, its engines have one thread each, since several frames are worked on at the same time. A heavy
        network keeps its threads if frames must wait for each other.
        """
        is_heavy = self.det_interval != 1 and not is_light(Path(self.estimator.card.place))
        if not self._may_divide_threads or is_heavy:
            return self
        other = copy(self)
        other.estimator = with_one_thread(self.estimator)
        if self.det_interval == 1:  # else it runs while all workers wait for it
            other.detector = with_one_thread(self.detector)
        return other

    def stream_tracker(
        self, filter_type: str | None = None, fps: float = REFERENCE_FPS, settings: TrackerSettings | None = None
    ) -> StreamTracker:
        """A tracker for one stream of this pipeline's results; see `StreamTracker`. A detector that brings its own (FairMOT)
        gives the identities, unless there are `settings`.

        Raises:
            ConfigError: such a detector is to leave out frames, whose people it could not tell apart.
        """
        high_score = None if self.detector is None else self.det_threshold
        own = None if settings is not None else getattr(self.detector, "follower", None)
        if own is not None and self.det_interval != 1:
            raise ConfigError(f"det_interval is {self.det_interval}, but this detector's own tracker needs every frame: "
                              "leave it out, or give settings of the pose tracker (docs/tracking.md)")
        return StreamTracker(self.skeleton, filter_type, fps, settings, high_score, self.zones, own(fps) if own else None)

    def interval_finder(self, fps: float, is_recorded: bool = False) -> StreamFinder | None:
        """Finds the people of one stream by `det_interval`; None if the detector looks at every frame."""
        return open_finder(self.finder, self.det_interval, fps, self.workers, is_recorded and self.interpolates)

    def track(
        self,
        frame: Any,
        stream: Hashable = None,
        filter_type: str | None = None,
        seconds: float | None = None,
        settings: TrackerSettings | None = None,
    ) -> PoseResult:
        """People of the next frame of one's own loop, with identities that last from call to call.

        Args:
            frame: one image, as for a call of the pipeline.
            stream: names the loop if there are several (several cameras); frames of one stream must come in order.
            filter_type: "OneEuro" or "EMA" to smooth the keypoints; counts at a stream's first frame.
            seconds: time of the frame on any clock, such as `time.monotonic()`; None assumes 30 frames per second.
            settings: of the tracker; count at a stream's first frame.

        Raises:
            DataError, MediaError: see `__call__`.
        """
        with self.timer.stage("read"):
            image, path = pixels_of(frame, "the frame", self.image_range)
        stamp = stamp_of(seconds)
        with self._streams_lock:
            if stream not in self._streams:
                self.estimator.tune()
                self._streams[stream] = self.stream_tracker(filter_type, settings=settings), self.interval_finder(REFERENCE_FPS)
            tracker, interval = self._streams[stream]
        expected = tracker.begin(image, stamp)
        if interval is None:
            follow = tracker.follow if tracker.follows_boxes else None
            return tracker.update(self.estimate(image, path, None, stamp, expected, tracker.settings.low_score, follow))
        found = interval.people(image, tracker.is_cut, expected, tracker.settings.low_score)
        result = self.result(found, (image.shape[1], image.shape[0]), path, None, stamp, True)
        result = tracker.update(replace(result, image=image))
        interval.follow(tracker.kept[: len(found.people.boxes)])
        return result

    def forget(self, stream: Hashable = None) -> None:
        """Start a stream of `track` afresh: its next frame gets new identities, from 1 on."""
        with self._streams_lock:
            self._streams.pop(stream, None)


"""From images to poses: a detector and a top-down estimator, or a bottom-up estimator alone.

Legend: N people, H W pixels.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ppdet.core.errors import DataError, MediaError
from ppdet.core.logger import get_logger
from ppdet.image.depth import checked_range, pixels_of_pil
from ppdet.image.io import IMAGE_SUFFIXES, list_images, read_image
from ppdet.inference.estimators.base import PERSON_THRESHOLD, EstimatorOptions, People, PoseEstimator
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.estimators.registry import estimator_class, pose_estimator_class
from ppdet.inference.files.sources import checked_image, kind_of
from ppdet.inference.model_card import ModelCard
from ppdet.inference.results import PoseResult
from ppdet.inference.runtimes import load_runtime
from ppdet.inference.stage_timer import StageTimer


class PosePipeline:
    """Finds the people in an image and the pose of each.

    Example:
        pipeline = PosePipeline("output_inference/picodet_s_320_lcnet_pedestrian", "output_inference/tinypose_256x192")
        result = pipeline("street.jpg")
        print(result.to_json())
        drawn = result.draw()

        crowd = PosePipeline(None, "output_inference/higherhrnet_hrnet_w32_512")  # finds everybody by itself

    Args:
        detector: directory of an exported detector, or a `BoxDetector`; None for a bottom-up model. With a top-down model None
            takes the whole image as one person's box.
        keypoint: directory of an exported pose model, or its `PoseEstimator`.
        engine: "auto" or one of `runtime_names()`, for directories.
        device: "cpu" or "gpu", for directories.
        cpu_threads: threads of the engines, for directories.
        precision: "fp32" or "bf16", for directories.
        det_threshold: boxes below this score are no people.
        keypoint_batch_size: largest number of people that go through the network together, for directories.
        flip_test: average with the mirrored crop, for directories of top-down models.
        person_threshold: people of a bottom-up model below this mean keypoint score are left out. Where the network doubts, a
            keypoint or two make a person, whose other keypoints are then searched for and found on somebody else.
        image_range: [black, white] values of images with more than 8 bits, for files, arrays and PIL images alike; None finds it
            from each image.

    Raises:
        ModelDirError: a directory is not an exported model of its kind, or a bottom-up model is given a detector.
        ConfigError: flip test of an exported bottom-up model.
    """

    def __init__(
        self,
        detector: str | Path | BoxDetector | None,
        keypoint: str | Path | PoseEstimator,
        engine: str = "auto",
        device: str = "cpu",
        cpu_threads: int = 2,
        precision: str = "fp32",
        det_threshold: float = 0.5,
        keypoint_batch_size: int = 8,
        flip_test: bool = False,
        person_threshold: float = PERSON_THRESHOLD,
        image_range: Sequence[float] | None = None,
    ) -> None:
        options = {"engine": engine, "device": device, "cpu_threads": cpu_threads, "precision": precision}
        how = EstimatorOptions(flip_test=flip_test, batch_size=keypoint_batch_size)
        if isinstance(keypoint, (str, Path)):
            card = ModelCard.load(keypoint)
            kind = pose_estimator_class(card, how)
        else:
            card, kind = keypoint.card, type(keypoint)
        if detector is not None:
            kind.refuse_detector(card, "leave the detector out, PosePipeline(None, keypoint)")
        if isinstance(detector, (str, Path)):
            box_card = ModelCard.load(detector)
            estimator_class(box_card).refuse_detector(box_card, "it is no detector for others; PosePipeline(None, it) runs it")
            detector = BoxDetector(card=box_card, runtime=load_runtime(detector, **options))
        if isinstance(keypoint, (str, Path)):
            runtime = load_runtime(keypoint, **options, batch_size=keypoint_batch_size, dynamic_shape=card.use_dynamic_shape)
            keypoint = kind.from_options(runtime, card, how)
        self.detector = detector
        self.estimator: PoseEstimator = keypoint
        self.det_threshold = det_threshold
        self.person_threshold = person_threshold
        self.image_range = checked_range(image_range)
        self.timer = StageTimer()

    @property
    def skeleton(self) -> object:
        """The skeleton of the results."""
        return self.estimator.skeleton

    def __call__(
        self, source: np.ndarray | str | Path | int | Sequence[np.ndarray | str | Path]
    ) -> PoseResult | list[PoseResult] | Iterator[PoseResult]:
        """Run on whatever there is.

        Args:
            source: (H, W, 3) RGB uint8 array, PIL image or image file: one result. A list of these: a list. A directory: an
                iterator over its images; one that does not read is logged and left out. A video file or the number of a
                camera: an iterator over its frames. Files are turned as their EXIF orientation says, PIL images are not.

        Raises:
            MediaError: a file that does not read or is neither image nor video, or a directory of which no image reads.
            DataError: anything else: an array that is no RGB image, a generator, bytes.
        """
        kind = kind_of(source)
        if kind in ("array", "pil"):
            return self._one_image(source, kind)
        if kind == "list":
            return [self._of_list(item, place) for place, item in enumerate(source)]
        if kind == "number":
            return self.video(int(source))
        path = Path(source)
        if path.is_dir():
            return self._folder(path, list_images(path))
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return self._one_image(path, kind)
        if not path.suffix and not path.exists() and "://" not in str(source):
            raise MediaError(f"there is no file {path}: check the path; it may name an image, a folder of images or a video")
        return self.video(source)

    def _one_image(self, source: object, kind: str, keep: bool = True) -> PoseResult:
        """The result of an array, a PIL image or a file; `keep` keeps the pixels of a file in it."""
        if kind == "array":
            return self.estimate(source)
        if kind == "pil":
            return self.estimate(pixels_of_pil(source, self.image_range))
        with self.timer.stage("read"):
            image = read_image(source, apply_orientation=True, image_range=self.image_range)
        result = self.estimate(image, path=str(source))
        return result if keep else replace(result, image=None)

    def _of_list(self, item: object, place: int) -> PoseResult:
        kind = kind_of(item, f"item {place} of the list")
        if kind in ("list", "number"):
            raise DataError(f"item {place} of the list is a {type(item).__name__}: a list may hold RGB arrays, PIL images and "
                            "paths of images")
        return self._one_image(item, kind, keep=False)

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
        self, image: np.ndarray, path: str | None = None, frame_id: int | None = None, timestamp_ms: float | None = None
    ) -> PoseResult:
        """People and poses of one image.

        Args:
            image: (H, W, 3) RGB uint8.
            path, frame_id, timestamp_ms: where it comes from, for the result.

        Raises:
            DataError: the array is no RGB image.
        """
        image = checked_image(image, self.image_range)
        size = (image.shape[1], image.shape[0])
        return PoseResult(*self._poses([image])[0], self.estimator.skeleton, size, path, frame_id, timestamp_ms,
                          image=image if frame_id is None else None)

    def estimate_batch(self, images: Sequence[np.ndarray], paths: Sequence[str]) -> list[PoseResult]:
        """People and poses of several images; people of different images go through the network together.

        Args:
            images: (H, W, 3) RGB uint8 each, of any sizes.
            paths: where each comes from.
        """
        images = [checked_image(image, self.image_range) for image in images]
        return [PoseResult(*found, self.estimator.skeleton, (image.shape[1], image.shape[0]), path)
                for image, path, found in zip(images, paths, self._poses(images))]

    def _poses(self, images: Sequence[np.ndarray]) -> list[People]:
        """People of each image."""
        boxes = None if self.estimator.finds_people_itself else self._boxes(images)
        return self.estimator.poses(images, boxes, self.person_threshold, self.timer)

    def _boxes(self, images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """(N, 4) boxes of people and their (N,) scores, for each image."""
        if self.detector is None:
            return [(np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32), np.ones(1, np.float32)) for image in images]
        with self.timer.stage("detect"):
            found = self.detector.detect(images)
        keep = [(one.labels == self.detector.person_label) & (one.scores >= self.det_threshold) for one in found]
        return [(one.boxes_xyxy[people], one.scores[people]) for one, people in zip(found, keep)]

    def nobody(self, image_wh: tuple[int, int], frame_id: int | None = None) -> PoseResult:
        """The result of a frame that could not be decoded: empty, so that frame numbers stay in step."""
        count = self.estimator.skeleton.num_keypoints
        return PoseResult(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, count, 2), np.float32),
                          np.zeros((0, count), np.float32), self.estimator.skeleton, image_wh, None, frame_id)

    def video(self, source: str | Path | int) -> Iterator[PoseResult]:
        """Results of a video or camera, frame by frame; reading runs ahead in a thread.

        Raises:
            MediaError: it does not open.
        """
        from ppdet.inference.video.process import video_results
        from ppdet.inference.video.reader import VideoReader

        reader = VideoReader(source)  # opened here, so that a bad file is an error of this call and not of a later one
        return (result for _, result in video_results(self, reader))

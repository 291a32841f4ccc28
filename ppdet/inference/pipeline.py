"""From pictures to poses: detector, then top-down estimator.

Legend: N people, H W pixels.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ppdet.core.errors import DataError, MediaError
from ppdet.image.io import IMAGE_SUFFIXES, list_images, read_image
from ppdet.inference.detector import BoxDetector
from ppdet.inference.model_card import ModelCard
from ppdet.inference.results import PoseResult
from ppdet.inference.runtimes import load_runtime
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.topdown import TopDownEstimator


class PosePipeline:
    """Finds the people in a picture and the pose of each.

    Example:
        pipeline = PosePipeline("output_inference/picodet_s_320_lcnet_pedestrian", "output_inference/tinypose_256x192")
        result = pipeline("street.jpg")
        print(result.to_json())

    Args:
        detector: directory of an exported detector, or a `BoxDetector`; None takes the whole picture as one person's box.
        keypoint: directory of an exported top-down model, or a `TopDownEstimator`.
        engine: "auto", "openvino", "onnxruntime" or "paddle", for directories.
        device: "cpu" or "gpu", for directories.
        cpu_threads: threads of the engines, for directories.
        precision: "fp32" or "bf16", for directories.
        det_threshold: boxes below this score are no people.
        keypoint_batch_size: largest number of people that go through the network together, for directories.
        flip_test: average with the mirrored crop, for directories.

    Raises:
        ModelDirError: a directory is not an exported model of its kind.
    """

    def __init__(
        self,
        detector: str | Path | BoxDetector | None,
        keypoint: str | Path | TopDownEstimator,
        engine: str = "auto",
        device: str = "cpu",
        cpu_threads: int = 2,
        precision: str = "fp32",
        det_threshold: float = 0.5,
        keypoint_batch_size: int = 8,
        flip_test: bool = False,
    ) -> None:
        options = {"engine": engine, "device": device, "cpu_threads": cpu_threads, "precision": precision}
        if isinstance(detector, (str, Path)):
            detector = BoxDetector(card=ModelCard.load(detector), runtime=load_runtime(detector, **options))
        if isinstance(keypoint, (str, Path)):
            card = ModelCard.load(keypoint)
            runtime = load_runtime(keypoint, **options, batch_size=keypoint_batch_size)
            keypoint = TopDownEstimator(runtime, card, flip_test=flip_test, batch_size=keypoint_batch_size)
        self.detector = detector
        self.estimator = keypoint
        self.det_threshold = det_threshold
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
            source: (H, W, 3) RGB uint8 array or image file: one result. A list of these: a list. A directory: an iterator
                over its images. A video file or the number of a camera: an iterator over its frames.

        Raises:
            MediaError: a file that does not read.
            DataError: an array that is no RGB image.
        """
        if isinstance(source, np.ndarray):
            return self.estimate(source)
        if isinstance(source, (list, tuple)):
            return [self._one_image(item) for item in source]
        if isinstance(source, int):
            return self.video(source)
        path = Path(source)
        if path.is_dir():
            return (self._one_image(image) for image in list_images(path))
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return self._one_image(path)
        return self.video(source)

    def _one_image(self, source: np.ndarray | str | Path) -> PoseResult:
        if isinstance(source, np.ndarray):
            return self.estimate(source)
        with self.timer.stage("read"):
            image = read_image(source)
        return self.estimate(image, path=str(source))

    def estimate(
        self, image: np.ndarray, path: str | None = None, frame_id: int | None = None, timestamp_ms: float | None = None
    ) -> PoseResult:
        """People and poses of one picture.

        Args:
            image: (H, W, 3) RGB uint8.
            path, frame_id, timestamp_ms: where it comes from, for the result.

        Raises:
            DataError: the array is no RGB image.
        """
        image = checked_image(image)
        boxes, box_scores = self._people([image])[0]
        with self.timer.stage("pose"):
            keypoints, scores = self.estimator.estimate(image, boxes)
        size = (image.shape[1], image.shape[0])
        return PoseResult(boxes, box_scores, keypoints, scores, self.estimator.skeleton, size, path, frame_id, timestamp_ms)

    def estimate_batch(self, images: Sequence[np.ndarray], paths: Sequence[str]) -> list[PoseResult]:
        """People and poses of several pictures; people of different pictures go through the network together.

        Args:
            images: (H, W, 3) RGB uint8 each, of any sizes.
            paths: where each comes from.
        """
        images = [checked_image(image) for image in images]
        people = self._people(images)
        with self.timer.stage("pose"):
            poses = self.estimator.estimate_many(images, [boxes for boxes, _ in people])
        return [PoseResult(boxes, box_scores, keypoints, scores, self.estimator.skeleton, (image.shape[1], image.shape[0]), path)
                for image, path, (boxes, box_scores), (keypoints, scores) in zip(images, paths, people, poses)]

    def _people(self, images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """(N, 4) boxes of people and their (N,) scores, for each picture."""
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
        from ppdet.inference.video import video_results
        from ppdet.inference.video_reader import VideoReader

        reader = VideoReader(source)  # opened here, so that a bad file is an error of this call and not of a later one
        return (result for _, result in video_results(self, reader))


def checked_image(image: np.ndarray) -> np.ndarray:
    """The image, contiguous.

    Raises:
        DataError: not (H, W, 3) uint8, or without pixels.
        MediaError: no image at all, as from a `cv2.imread` that failed.
    """
    if image is None:
        raise MediaError("there is no image (None): did reading it fail?")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise DataError(f"an image must be (height, width, 3) RGB uint8; given shape {image.shape}, {image.dtype}. For a grey "
                        "image use np.repeat(grey[..., None], 3, axis=2); for OpenCV's BGR use image[..., ::-1]")
    return np.ascontiguousarray(image)

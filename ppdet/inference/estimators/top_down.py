"""Estimates the pose of each box with an exported top-down model.

Legend: N people, B batch, K keypoints, H W pixels, h w heatmap cells.
"""
from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ppdet.codecs import Codec, HeatmapCodec
from ppdet.core.errors import DataError, ModelDirError
from ppdet.inference.batching.measuring import measured_plan
from ppdet.inference.batching.plan import BatchPlan
from ppdet.inference.estimators.base import EstimatorOptions, People, PoseEstimator
from ppdet.inference.estimators.model_skeleton import skeleton_of_network
from ppdet.inference.estimators.preprocess import Normalizer
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.score_calibration import CARD_KEY, ScoreCalibration
from ppdet.skeletons import get_skeleton

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ppdet.inference.results import PoseResult
    from ppdet.inference.stage_timer import StageTimer
    from ppdet.skeletons import Skeleton


class TopDownEstimator(PoseEstimator):
    """Crops each box from the full image, runs the network in batches and decodes with the card's codec.

    The crop is the same as in training: the box times 1.25 at the input's aspect, with real context, black outside the image,
    nothing clipped. PaddleDetection's own exports carry neither codec nor skeleton; both are derived, and the log says how.

    Args:
        runtime: the loaded network.
        card: its card.
        flip_test: also run the mirrored crop and average; slower, and about one AP better.
        batch_size: largest number of crops that go through the network together.
        use_dark: decode with DARK (True) or the quarter offset (False); None follows the card.
        skeleton: overrides the card's skeleton; a name, a mapping or a Skeleton.

    Attributes:
        plan: how crops are divided into runs of the network; see `tune`.

    Raises:
        ModelDirError: the card is not a top-down model's, or card and network do not fit together.
    """

    kind = "top_down"
    accepts = ("flip_test", "use_dark", "paddledet_crop")

    def __init__(
        self,
        runtime: Runtime,
        card: ModelCard,
        flip_test: bool = False,
        batch_size: int = 8,
        use_dark: bool | None = None,
        skeleton: str | Mapping[str, Any] | Skeleton | None = None,
    ) -> None:
        if card.kind != self.kind:
            raise ModelDirError(f"{card.place} has arch {card.arch}, which is no top-down pose model: give the "
                                "directory of an exported HRNet, Lite-HRNet or TinyPose as the keypoint model")
        self.runtime = runtime
        self.card = card
        self.flip_test = flip_test
        self.batch_size = runtime.fixed_batch or max(1, batch_size)
        self.plan = BatchPlan.up_to(self.batch_size)
        self._is_tuned, self._tuning = False, threading.Lock()
        self._normalize = Normalizer(card.operation("NormalizeImage"))
        self.codec: Any = card.codec or derive_codec(card, use_dark)
        if card.codec is not None and use_dark is not None:
            self.codec = with_changes(self.codec, decoder="dark" if use_dark else "quarter")
        wanted = get_skeleton(skeleton) if skeleton is not None else card.skeleton
        self.skeleton = self._fit_to_network(wanted)
        self._calibrated = ScoreCalibration.from_card(card.extra.get(CARD_KEY)) or ScoreCalibration.identity

    @classmethod
    def from_options(cls, runtime: Runtime, card: ModelCard, options: EstimatorOptions) -> TopDownEstimator:
        """See `PoseEstimator.from_options`."""
        return cls(runtime, card, options.flip_test, options.batch_size, options.use_dark, options.skeleton)

    def poses(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[tuple[np.ndarray, np.ndarray]] | None,
        person_threshold: float,
        timer: StageTimer,
    ) -> list[People]:
        """Poses of the people in given boxes, all of whom are kept; see `PoseEstimator.poses`."""
        assert boxes is not None, "a top-down model needs boxes"
        with timer.stage("pose"):
            poses = self.estimate_many(images, [box for box, _ in boxes])
        return [People(*found, *pose) for found, pose in zip(boxes, poses)]

    def ranking_scores(self, result: PoseResult) -> np.ndarray:
        """Score of the box times mean score of the keypoints."""
        return result.box_scores * result.person_scores

    def estimate(self, image: np.ndarray, boxes_xyxy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Poses of the people in one image.

        Args:
            image: (H, W, 3) RGB uint8.
            boxes_xyxy: (N, 4) image pixels; they may reach beyond the image.

        Returns:
            keypoints (N, K, 2) float32 in image pixels, and scores (N, K) float32, the heights of the peaks, or what the card's
            calibration makes of them.

        Raises:
            DataError: boxes that are not (N, 4) finite numbers.
        """
        return self.estimate_many([image], [boxes_xyxy])[0]

    def estimate_many(
        self, images: Sequence[np.ndarray], boxes_of_images: Sequence[np.ndarray]
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Poses of the people in several images; people of different images share batches.

        Args:
            images: (H, W, 3) RGB uint8 each, of any sizes.
            boxes_of_images: (N, 4) for each image, see `estimate`.

        Returns:
            For each image what `estimate` returns.
        """
        per_image = [checked_boxes(boxes) for boxes in boxes_of_images]
        boxes = np.concatenate(per_image) if per_image else np.zeros((0, 4))
        owners = np.repeat(np.arange(len(per_image)), [len(part) for part in per_image])
        count = self.skeleton.num_keypoints
        keypoints = np.empty((len(boxes), count, 2), np.float32)
        scores = np.empty((len(boxes), count), np.float32)
        crops = self.codec.crop_for_boxes(boxes, self.card.box_padding)
        sizes = [self.batch_size] * -(-len(boxes) // self.batch_size) if self.flip_test else self.plan.split(len(boxes))
        for end, size in zip(np.cumsum(sizes).tolist(), sizes):
            rows = np.arange(end - size, min(end, len(boxes)))
            pixels = [self.codec.extract(images[owner], crops[rows[owners[rows] == owner]]) for owner in np.unique(owners[rows])]
            keypoints[rows], heights = self.codec.decode(self.run_crops(np.concatenate(pixels)), crops[rows])
            scores[rows] = self._calibrated(heights)
        return [(keypoints[owners == owner], scores[owners == owner]) for owner in range(len(per_image))]

    @property
    def people_together(self) -> int:
        """See `PoseEstimator.people_together`; a flip test takes two inputs of the network per person."""
        return -(-self.plan.best // 2) if self.flip_test else self.plan.best

    def tune(self) -> None:
        """Find the batches that cost least per person on this engine and machine, once: about .15 s if they are not known yet.

        Keypoints do not change by it.
        """
        with self._tuning:
            if not self._is_tuned:
                width, height = self.codec.input_wh
                self.plan = measured_plan(self.runtime, (3, height, width), self.batch_size)
                self._is_tuned = True

    def run_crops(self, pixels: np.ndarray) -> Any:
        """What the codec decodes, of (B, H, W, 3) uint8 crops: averaged with the mirrored crops' if `flip_test`."""
        tensor = self._normalize(pixels)
        if self.flip_test:
            return self.codec.flip_tested(self._in_batches, tensor, self.skeleton)
        return self.outputs(tensor)

    def _in_batches(self, tensor: np.ndarray) -> Any:
        """`outputs` of any number of crops, at most `batch_size` of them in one run of the network."""
        sizes = self.plan.split(len(tensor))
        parts = [self.outputs(tensor[end - size : end]) for end, size in zip(np.cumsum(sizes).tolist(), sizes)]
        if isinstance(parts[0], np.ndarray):
            return np.concatenate(parts)
        return tuple(np.concatenate(arrays) for arrays in zip(*parts))

    def outputs(self, tensor: np.ndarray) -> Any:
        """Run the network on (B, 3, H, W) normalised crops; what the codec decodes, float32."""
        batch = len(tensor)
        if self.runtime.fixed_batch and batch < self.runtime.fixed_batch:
            fill = np.zeros((self.runtime.fixed_batch - batch, *tensor.shape[1:]), tensor.dtype)
            tensor = np.concatenate([tensor, fill])
        given = self.runtime.run({self.runtime.input_names[0]: tensor})
        try:
            found = self.codec.outputs_of(self.card.ordered(given, self.codec.output_names))
        except DataError as error:
            raise ModelDirError(f"{self.card.place}: {error}; export the model with `ppdet export`") from error
        arrays = _as_tuple(found)
        if any(len(array) != len(tensor) for array in arrays):
            raise ModelDirError(f"{self.card.place}: the network gives outputs of {len(arrays[0])} people for {len(tensor)} "
                                f"crops of {tensor.shape[3]} x {tensor.shape[2]} pixels, so it was made for another size: put "
                                "input_wh and trainsize in infer_cfg.yml right, or export again")
        arrays = tuple(np.asarray(array[:batch], np.float32) for array in arrays)
        return arrays if isinstance(found, tuple) else arrays[0]

    def _fit_to_network(self, skeleton: Skeleton | None) -> Skeleton:
        """Run the network once on a black crop, which also warms it up, and compare its output with codec and skeleton."""
        width, height = self.codec.input_wh
        arrays = _as_tuple(self.outputs(self._normalize(np.zeros((1, height, width, 3), np.uint8))))
        sizes = tuple(array.shape[2:] for array in arrays)
        if sizes != self.codec.output_sizes:
            if self.card.codec is not None:
                promised = ", ".join(f"{name} of {size}" for name, size in zip(self.codec.output_names, self.codec.output_sizes))
                raise ModelDirError(f"{self.card.place}: the card promises {promised}, the network gives "
                                    f"{', '.join(map(str, sizes))}: they are not of one export; export again")
            self.codec = with_changes(self.codec, heatmap_wh=sizes[0][::-1])
        return skeleton_of_network(skeleton, arrays[0].shape[1], self.card)


def _as_tuple(outputs: Any) -> tuple[np.ndarray, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


def checked_boxes(boxes_xyxy: np.ndarray) -> np.ndarray:
    """Boxes as (N, 4) float64.

    Raises:
        DataError: not (N, 4) finite numbers.
    """
    boxes = np.asarray(boxes_xyxy, np.float64)
    if boxes.size == 0:
        return np.zeros((0, 4))
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise DataError(f"boxes must be finite numbers of shape (N, 4), x1 y1 x2 y2; given shape {boxes.shape}")
    return boxes


def with_changes(codec: Codec, **changes: object) -> Codec:
    """The same codec with some of its settings replaced."""
    return type(codec).from_dict({**codec.to_dict(), **changes})


def derive_codec(card: ModelCard, use_dark: bool | None) -> HeatmapCodec:
    """The codec of a PaddleDetection export, as far as its card tells.

    `TopDownEvalAffine` gives input size and alignment (`use_udp`); heatmaps have a quarter of the input's size until the
    network's first output says otherwise; sigma is a 24th of their width, as in all of PaddleDetection's recipes (1, 2 and 3
    cells at 24, 48 and 72); DARK unless `use_dark` is False, as in PaddleDetection's scripts.

    Raises:
        ModelDirError: the card does not state the input size.
    """
    affine = card.operation("TopDownEvalAffine")
    if affine is None or not _is_size(affine.get("trainsize")):
        raise ModelDirError(f"{card.place}: Preprocess has no TopDownEvalAffine with trainsize [width, height], "
                            "so the input size is unknown; export the model again with `ppdet export`")
    width, height = (int(side) for side in affine["trainsize"])
    return HeatmapCodec(input_wh=(width, height), heatmap_wh=(width // 4, height // 4), sigma=width / 96, grid="stride",
                        alignment="udp" if affine.get("use_udp") else "affine",
                        decoder="quarter" if use_dark is False else "dark")


def _is_size(value: object) -> bool:
    return isinstance(value, Sequence) and len(value) == 2 and all(isinstance(side, int) and side > 0 for side in value)

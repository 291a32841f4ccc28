"""Baseline of a top-down config that looks at no image: the mean pose of the training set, placed in each box. A trained
network must beat it. Poses are averaged in box coordinates, (0, 0) the top-left and (1, 1) the bottom-right corner, over
labelled keypoints only.

Legend: N persons, K keypoints.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

import numpy as np

from ppdet.core.config.load import Config
from ppdet.core.errors import ConfigError
from ppdet.core.files import require_folder
from ppdet.core.logger import get_logger
from ppdet.core.paddle_process import remove_paddle_log_handler
from ppdet.data.samples.person import PersonSample
from ppdet.data.sources.concat_dataset import ConcatDataset
from ppdet.data.sources.top_down_dataset import TopDownDataset
from ppdet.engine.assembly import Assembly
from ppdet.engine.tasks.setting import box_source

logger = get_logger(__name__)

SMALLEST_SIDE = 1.0
"""Pixels; a box without extent counts as one pixel, as in the crop."""


def evaluate_mean_pose(config: Config, output_eval: Optional[Union[str, Path]] = None) -> Dict[str, float]:
    """Score the mean pose of the TrainDataset in the boxes of the EvalDataset with the config's metric.

    No model is built and no image is read. Every keypoint has score 1, so a person's score is that of the box.

    Args:
        config: a top-down config.
        output_eval: folder for the predictions; None for the config's `output_eval`, without which none are written.

    Returns:
        Named figures of the metric; empty with `save_prediction_only`.

    Raises:
        ConfigError: the config's dataset does not consist of single persons in boxes.
        DataError: the datasets or the metric cannot use the data.
    """
    remove_paddle_log_handler()
    folder = output_eval or config.get("output_eval")
    if isinstance(folder, (str, Path)):
        require_folder(folder, "output_eval")
    assembly = Assembly(config)
    truth, train = _persons_of(assembly, "Eval"), _persons_of(assembly, "Train")
    relative, labelled = mean_pose([train.describe(i) for i in range(len(train))])
    never = [name for name, count in zip(assembly.skeleton.names, labelled) if not count]
    if never:
        logger.warning("never labelled in training, placed at the middle of the box: %s", ", ".join(never))
    samples = [truth.describe(i) for i in range(len(truth))]
    metric = assembly.metric(output_eval)
    metric.update(_rows(samples, place_pose(relative, _boxes(samples))))
    figures: Dict[str, float] = metric.compute()
    if figures:
        boxes = box_source(config, truth)
        logger.info("mean pose of %d training persons in %s; no model, no image\n%s", len(train), boxes, metric.report())
    return figures


def mean_pose(samples: List[PersonSample]) -> Tuple[np.ndarray, np.ndarray]:
    """(K, 2) mean of the labelled keypoints in box coordinates, 0.5 if never labelled; (K,) number of labels of each."""
    boxes = _boxes(samples)
    xy = np.stack([sample.xy_image for sample in samples])
    visible = np.stack([sample.visible for sample in samples]) > 0
    relative = (xy - boxes[:, None, :2]) / _sides(boxes)[:, None]
    count = visible.sum(axis=0)
    total = np.where(visible[..., None], relative, 0.0).sum(axis=0)
    return np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], 0.5), count


def place_pose(relative: np.ndarray, boxes_xyxy: np.ndarray) -> np.ndarray:
    """(N, K, 2) image pixels of one (K, 2) pose in (N, 4) boxes."""
    placed: np.ndarray = boxes_xyxy[:, None, :2] + relative * _sides(boxes_xyxy)[:, None]
    return placed


def _persons_of(assembly: Assembly, role: str) -> Any:
    dataset = assembly.dataset(role)
    parts = dataset.datasets if role == "Train" and isinstance(dataset, ConcatDataset) else [dataset]
    if not all(isinstance(part, TopDownDataset) for part in parts):
        raise ConfigError(
            f"{assembly.config.path}: the mean pose is placed into persons' boxes, but {role}Dataset is a "
            f"{type(dataset).__name__}, which has none; give a top-down keypoint config"
        )
    return dataset


def _boxes(samples: List[PersonSample]) -> np.ndarray:
    boxes = [sample.box_xyxy for sample in samples]
    assert all(box is not None for box in boxes), "persons of a file always have their box"
    return np.stack(boxes)  # type: ignore[arg-type]


def _sides(boxes: np.ndarray) -> np.ndarray:
    return np.maximum(boxes[:, 2:] - boxes[:, :2], SMALLEST_SIDE)


def _rows(samples: List[PersonSample], xy: np.ndarray) -> Mapping[str, Any]:
    size = np.stack([sample.size_wh for sample in samples])
    return {
        "image_id": np.array([sample.image_id for sample in samples]),
        "index": np.array([sample.index for sample in samples]),
        "keypoints": np.concatenate([xy, np.ones((*xy.shape[:2], 1))], axis=2),
        "box_score": np.array([sample.box_score for sample in samples]),
        "area": size.prod(axis=1),
        "center_xy": np.stack([sample.center_xy for sample in samples]),
        "size_wh": size,
        "truth_xy": np.stack([sample.xy_image for sample in samples]),
        "visible": np.stack([sample.visible for sample in samples]),
    }

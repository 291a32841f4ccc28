"""One page with what training makes of its data: originals with labels, augmented crops, targets, and what decoding loses.

Legend: K keypoints, H W crop pixels, h w heatmap cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Sequence, Tuple

import cv2
import numpy as np

from ppdet.core.config.load import Config
from ppdet.core.errors import ConfigError, DataError, MediaError
from ppdet.core.logger import get_logger
from ppdet.core.seeding import sample_rng
from ppdet.data.samples.person import PersonSample
from ppdet.data.sources.top_down_dataset import TopDownDataset
from ppdet.engine.assembly import Assembly
from ppdet.inference.progress import Progress
from ppdet.skeletons import Skeleton
from ppdet.visualize.html_page import HtmlPage
from ppdet.visualize.pose_drawer import PoseDrawer

logger = get_logger(__name__)

AFTER_THE_CROP = ("NormalizeImage", "NormalizePermute", "Permute")
"""Transforms that turn pixels into the network's numbers, which are no pictures any more."""
TILE_HEIGHT = 240
MARGIN = 0.2
ROLES = {"train": "Train", "val": "Eval"}


@dataclass(frozen=True)
class SeenSample:
    """One sample in several epochs.

    Attributes:
        tiles: RGB pictures of one height: the original with labels, the crops, the target over the last crop.
        error_input: (P,) pixels of the network input by which decoded targets miss their labels.
        lost: (K,) labelled keypoints that have no target, since they lie outside the crop.
        caption: file, annotation, numbers.
    """

    tiles: List[np.ndarray]
    error_input: np.ndarray
    lost: np.ndarray
    caption: str


def browse(config: Config, output: Path, count: int = 24, epochs: int = 3, part: str = "train", seed: int = 0) -> Path:
    """Write the page.

    Args:
        config: a top-down config.
        output: HTML file.
        count: number of samples, spread over the dataset.
        epochs: augmented crops of each.
        part: "train" for TrainDataset and TrainReader, "val" for the Eval ones.
        seed: of the choice of samples; the augmentation follows the config's own seed.

    Raises:
        ConfigError: the config's samples are not single objects in boxes, or a number is out of range.
        DataError: no sample can be read.
    """
    if count < 1 or epochs < 1:
        raise ConfigError(f"--count {count} and --epochs {epochs}: give 1 or more")
    assembly = Assembly(config)
    role = ROLES[part]
    dataset = assembly.dataset(role)
    if not isinstance(dataset, TopDownDataset) or assembly.codec is None:
        raise ConfigError(f"{config.path}: browse shows single objects in their crops; give a top-down keypoint config")
    reader = assembly.builder.build(f"{role}Reader")
    transforms = [each for each in reader.sample_transforms if type(each).__name__ not in AFTER_THE_CROP]
    rows = np.sort(np.random.default_rng(seed).permutation(len(dataset))[:count])
    seen, bad = [], []
    progress = Progress("browse", len(rows), "sample")
    for row in rows.tolist():
        progress.step()
        try:
            seen.append(_look_at(dataset, transforms, assembly, row, epochs, int(config.get("seed") or 0)))
        except (MediaError, DataError) as error:
            bad.append(str(error))
    progress.close()
    if not seen:
        raise DataError(f"none of {len(rows)} samples can be read: {bad[0]}")
    page = _page(f"{part} data of {config.name}", seen, bad, assembly.skeleton, [type(each).__name__ for each in transforms])
    path = page.write(output)
    logger.info("%d samples written to %s", len(seen), path)
    return path


def _look_at(dataset: Any, transforms: Sequence[Any], assembly: Assembly, row: int, epochs: int, seed: int) -> SeenSample:
    drawer = PoseDrawer(assembly.skeleton, orphans=True)
    original = dataset.load(row, np.random.default_rng(0))
    tiles = [_original(original, drawer)]
    errors, lost = [], np.zeros(assembly.skeleton.num_keypoints, np.int64)
    for epoch in range(epochs):
        rng = sample_rng(seed, epoch, row)
        sample = dataset.load(row, rng)
        for transform in transforms:
            sample = transform(sample, rng)
        if sample.xy_input is None or sample.image is None:
            raise ConfigError("the reader's sample_transforms have no TopDownAffine, so there are no crops to look at")
        target, weight = _target(sample, assembly.codec)
        error = _decode_error(sample, target, weight, assembly.codec)
        errors.append(error)
        lost += (sample.visible > 0) & (weight <= 0)
        crop = np.ascontiguousarray(sample.image)
        tiles.append(_scaled(drawer.draw(crop, sample.xy_input[None], (sample.visible > 0).astype(float)[None], 0.5)))
    tiles.append(_scaled(_overlay(crop, target)))
    error = np.concatenate(errors)
    worst = f"decode error {error.mean():.2f} px mean, {error.max():.2f} px most" if len(error) else "no target"
    outside = f", {int(lost.sum())} keypoints outside the crop" if lost.any() else ""
    return SeenSample(tiles, error, lost, f"{Path(original.image_path).name}, sample {row}: {worst}{outside}")


def _target(sample: PersonSample, codec: Any) -> Tuple[np.ndarray, np.ndarray]:
    """Target and weights (K,) as the reader made them; of readers that make none, as the codec does."""
    if sample.target is not None and sample.target_weight is not None:
        return np.asarray(sample.target), np.asarray(sample.target_weight).reshape(-1)
    assert sample.xy_input is not None, "checked by the caller"
    encoded = codec.encode(sample.xy_input[None], sample.visible[None])
    return encoded[0][0], np.asarray(encoded[-1][0]).reshape(-1)


def _decode_error(sample: PersonSample, target: np.ndarray, weight: np.ndarray, codec: Any) -> np.ndarray:
    """(P,) distance of decoded targets from the labels in pixels of the network input."""
    assert sample.xy_input is not None, "checked by the caller"
    crop = codec.crop_at(sample.center_xy[None], sample.size_wh[None], np.array([sample.rotation]), np.array([sample.mirrored]))
    sizes = codec.output_sizes
    outputs = target[None] if len(sizes) == 1 else tuple(np.split(target[None], np.cumsum([s[0] for s in sizes])[:-1], axis=-1))
    decoded, _ = codec.decode(outputs, crop)
    wanted = crop.to_image(sample.xy_input[None])
    kept = (sample.visible > 0) & (weight > 0)
    pixels_per_input = sample.size_wh[0] / codec.input_wh[0]
    distance: np.ndarray = np.linalg.norm(decoded - wanted, axis=-1)[0][kept] / max(pixels_per_input, 1e-9)
    return distance


def _original(sample: PersonSample, drawer: PoseDrawer) -> np.ndarray:
    """The object with its labels and box, cut out with a margin."""
    assert sample.image is not None
    image = np.ascontiguousarray(sample.image)
    boxes = None if sample.box_xyxy is None else sample.box_xyxy[None]
    half = sample.size_wh * (0.5 + MARGIN)
    low = np.maximum(np.floor(sample.center_xy - half), 0).astype(int)
    high = np.minimum(np.ceil(sample.center_xy + half), image.shape[1::-1]).astype(int)
    if (high - low < 2).any():
        low, high = np.zeros(2, int), np.array(image.shape[1::-1])
    part = image[low[1] : high[1], low[0] : high[0]]
    scale = TILE_HEIGHT / part.shape[0]
    shown = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    moved = None if boxes is None else (boxes.reshape(-1, 2, 2) - low).reshape(-1, 4) * scale
    return drawer.draw(shown, ((sample.xy_image - low) * scale)[None], (sample.visible > 0).astype(float)[None], 0.5, moved)


def _overlay(crop: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The heatmaps' maximum over the crop; of SimCC the distributions along the edges."""
    height, width = crop.shape[:2]
    if target.ndim == 3:
        heat = target.max(axis=0)
    else:
        share = width / (width + height)
        across, down = np.split(target.max(axis=0), [round(share * target.shape[1])])
        heat = np.maximum(across[None] / max(across.max(), 1e-9), down[:, None] / max(down.max(), 1e-9))
    heat = cv2.resize(np.clip(heat / max(float(heat.max()), 1e-9), 0, 1).astype(np.float32), (width, height))[..., None]
    colour = np.array([255, 40, 40], np.float32)
    mixed: np.ndarray = (crop * (1 - 0.75 * heat) + colour * 0.75 * heat).clip(0, 255).astype(np.uint8)
    return mixed


def _scaled(image: np.ndarray) -> np.ndarray:
    scale = TILE_HEIGHT / image.shape[0]
    return cv2.resize(image, (max(1, round(image.shape[1] * scale)), TILE_HEIGHT), interpolation=cv2.INTER_LINEAR)


def _page(title: str, seen: Sequence[SeenSample], bad: Sequence[str], skeleton: Skeleton, transforms: Sequence[str]) -> HtmlPage:
    page = HtmlPage(title)
    page.text(f"Transforms: {', '.join(transforms)}.")
    if bad:
        page.text(f"{len(bad)} samples cannot be read: {bad[0]}", note=True)
    page.section("What the targets lose")
    error = np.concatenate([each.error_input for each in seen])
    page.text("Targets decoded again, against the labels that they were made of, in pixels of the network input: no network of "
              "this config can be more exact. Keypoints just outside the crop come out at its border.")  # fmt: skip
    if len(error):
        figures = {"mean": error.mean(), "95th percentile": np.percentile(error, 95), "largest": error.max()}
        rows = [(name, float(value)) for name, value in figures.items()]
        page.table(("decode error", "pixels"), rows)
    lost = np.sum([each.lost for each in seen], axis=0)
    if lost.any():
        page.text("Labelled keypoints that lie outside their crop, and are not trained:")
        page.table(("keypoint", "crops"), [(name, int(n)) for name, n in zip(skeleton.names, lost) if n])
    page.section("Samples")
    page.text("From left: the labelled original with its box; the crop in several epochs; the last crop with its target.")
    page.gallery([(_row(each.tiles), each.caption) for each in seen], wide=True)
    return page


def _row(tiles: Sequence[np.ndarray]) -> np.ndarray:
    gap = np.full((TILE_HEIGHT, 4, 3), 255, np.uint8)
    parts = [part for tile in tiles for part in (cv2.resize(tile, (tile.shape[1], TILE_HEIGHT)), gap)]
    return np.concatenate(parts[:-1], axis=1)

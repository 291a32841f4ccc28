"""Draws the poses of a JSON file on their images.

Legend: N people of an image, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Optional, Union

import numpy as np

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError, DataError, MediaError
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.image.io import IMAGE_SUFFIXES, read_image, read_stored_image, write_image
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.files.pose_files import PosedImage, PoseFile, read_pose_file
from ppdet.inference.progress import Progress
from ppdet.skeletons import Skeleton, get_skeleton
from ppdet.skeletons.lookup import skeleton_for_count, skeleton_from_config
from ppdet.skeletons.tables import TABLES
from ppdet.visualize.frame_tiles import contact_sheet
from ppdet.visualize.pose_drawer import PoseDrawer

logger = get_logger(__name__)

NAMED_PROBLEMS = 10
SHEET_NAME = "contact_sheet.jpg"
TRUTH_COLOR = (255, 255, 255)
MOST_TILES = 100
"""Most tiles of a sheet: larger ones are illegible, and thousands of decoded images would fill the memory."""


@dataclass(frozen=True)
class PlotOptions:
    """Options for drawing.

    Attributes:
        output_dir: folder of the drawn images.
        image_dir: folder that names in the JSON refer to; None is the JSON's own folder.
        annotations: COCO file with the file names of image ids, and the skeleton.
        truth: also draw the people of `annotations`, in white below the predictions.
        skeleton: a name, or a config that states one; None takes the annotations' categories, else the only known skeleton with
            that number of keypoints.
        threshold: smallest keypoint score that is drawn.
        person_threshold: smallest person score that is drawn.
        boxes: also draw boxes, if the file has them.
        names: also write the keypoints' names.
        line_scale: factor on the width of limbs.
        sheet_columns: also write a contact sheet with this many columns; 0 for none.
        limit: draw only the first images; 0 for all.
    """

    output_dir: Union[str, Path] = "output/visualize"
    image_dir: Optional[Union[str, Path]] = None
    annotations: Optional[Union[str, Path]] = None
    truth: bool = False
    skeleton: Optional[str] = None
    threshold: float = 0.2
    person_threshold: float = 0.3
    boxes: bool = False
    names: bool = False
    line_scale: float = 1.0
    sheet_columns: int = 0
    limit: int = 0


def plot_poses(path: Union[str, Path], options: PlotOptions) -> int:
    """Draw every image of a JSON file.

    Returns:
        Exit status: 0, or 1 if images were missing or could not be read; these are named and counted.

    Raises:
        DataError, ConfigError: the file holds no poses, or the skeleton is unknown or has another number of keypoints.
        MediaError: no image at all could be drawn, or the folder cannot be written.
    """
    if options.limit < 0 or options.sheet_columns < 0:
        raise ConfigError(f"--limit {options.limit} and --contact_sheet {options.sheet_columns}: expected 0 or more")
    if options.truth and options.annotations is None:
        raise ConfigError("--truth draws the people of the annotation file: give it as --annotations")
    poses = read_pose_file(path)
    annotated = None if options.annotations is None else read_pose_file(options.annotations)
    skeleton = _skeleton(path, poses, annotated, options.skeleton)
    folder = Path(path).parent if options.image_dir is None else Path(options.image_dir)
    finder = _ImageFinder(folder, {**(annotated.names if annotated else {}), **poses.names})
    drawer = PoseDrawer(skeleton, options.line_scale, options.boxes, options.names, orphans=poses.kind == "annotations")
    truth = _Truth(skeleton, options, annotated.images if annotated else [])
    output = OutputFolder(options.output_dir)
    chosen = poses.images[: options.limit or None]
    problems: list[str] = []
    tiles: list[tuple[str, np.ndarray]] = []
    people = drawn_people = 0
    progress = Progress("draw", len(chosen), "image")
    for image in chosen:
        progress.step()
        people += len(image.keypoints)
        try:
            file = finder.find(image)
            pixels = truth.below(read_image(file, poses.turned), file, image, poses.turned)
            drawn, count = _draw(drawer, pixels, image, options)
        except MediaError as error:
            problems.append(str(error))
            continue
        drawn_people += count
        write_image(output.file(f"{file.stem}_pose.jpg", file), drawn)
        if options.sheet_columns and len(tiles) < MOST_TILES:
            tiles.append((file.name, contact_sheet([drawn], 1)))  # scaled down immediately, so that a hundred fit into memory
    progress.close()
    return _finish(output, options, tiles, problems, (len(chosen), people, drawn_people), skeleton.name)


class _Truth:
    """The people of an annotation file, drawn in white below the predictions."""

    def __init__(self, skeleton: Skeleton, options: PlotOptions, images: list[PosedImage]) -> None:
        self._drawer = PoseDrawer(skeleton, options.line_scale, options.boxes, orphans=True, color=TRUTH_COLOR)
        self._options = options
        self._by_key: dict[Any, PosedImage] = {}
        for image in images if options.truth else ():
            self._by_key[image.image_id] = image
            if image.name is not None:
                self._by_key[Path(image.name).name] = image

    def below(self, pixels: np.ndarray, file: Path, image: PosedImage, turned: bool) -> np.ndarray:
        """The image with the annotated people on it, if there are any."""
        found = self._by_key.get(file.name, self._by_key.get(image.image_id))
        if found is None:
            return pixels
        if turned and read_stored_image(file).orientation != 1:
            logger.warning("%s: its annotations may refer to the stored pixels, the predictions are turned by EXIF; the "
                           "annotations are not drawn", file.name)  # fmt: skip
            return pixels
        return _draw(self._drawer, pixels, found, self._options)[0]


def _draw(drawer: PoseDrawer, pixels: np.ndarray, image: PosedImage, options: PlotOptions) -> tuple[np.ndarray, int]:
    rows = [row for row, score in enumerate(image.person_scores) if score >= options.person_threshold]
    if not rows:
        return pixels, 0
    keypoints = np.stack([image.keypoints[row] for row in rows])
    nowhere = np.full(4, np.nan)  # an empty box, which is not drawn
    boxes = np.stack([nowhere if (box := image.boxes[row]) is None else box for row in rows])
    return drawer.draw(pixels, keypoints[..., :2], keypoints[..., 2], options.threshold, boxes), len(rows)


def _finish(
    output: OutputFolder,
    options: PlotOptions,
    tiles: list[tuple[str, np.ndarray]],
    problems: list[str],
    counts: tuple[int, int, int],
    skeleton: str,
) -> int:
    images, people, drawn = counts
    if problems:
        named = "".join(f"\n  {text}" for text in problems[:NAMED_PROBLEMS])
        more = f"\n  and {len(problems) - NAMED_PROBLEMS} more" if len(problems) > NAMED_PROBLEMS else ""
        logger.warning("%d of %d images were not drawn:%s%s", len(problems), images, named, more)
    if len(problems) == images:
        raise MediaError(f"none of the {images} images could be read; give the folder that holds them as --image_dir")
    if tiles:
        sheet = contact_sheet([drawn for _, drawn in tiles], options.sheet_columns, labels=[name for name, _ in tiles])
        logger.info("contact sheet of %d images: %s", len(tiles), write_image(output.path / SHEET_NAME, sheet))
    hidden = f", {people - drawn} of them below the person threshold {options.person_threshold:g}" if drawn < people else ""
    logger.info("%s with %s%s (%s) drawn into %s", quantity(images - len(problems), "image"),
                quantity(people, "person", "people"), hidden, skeleton, output.path)
    return 1 if problems else 0


def _skeleton(path: Union[str, Path], poses: PoseFile, annotated: Optional[PoseFile], name: Optional[str]) -> Skeleton:
    counts = {len(person) for image in poses.images for person in image.keypoints}
    if not counts:
        raise DataError(f"{path}: there is no person with keypoints in it")
    if len(counts) > 1:
        raise DataError(f"{path}: its people have different numbers of keypoints ({', '.join(map(str, sorted(counts)))})")
    (count,) = counts
    declared = poses.skeleton or (annotated.skeleton if annotated else None)
    skeleton = _stated_skeleton(name) if name else declared
    if skeleton is None:
        fitting = [known.name for known in TABLES.values() if known.num_keypoints == count]
        if len(fitting) > 1:
            raise ConfigError(f"{path}: {count} keypoints may be {' or '.join(fitting)}; choose one with --skeleton")
        skeleton = skeleton_for_count(count)
        if not fitting:
            logger.warning("no skeleton with %d keypoints is known: keypoints are drawn without limbs; give --annotations", count)
    if skeleton.num_keypoints != count:
        raise ConfigError(
            f"{path}: its people have {count} keypoints, skeleton {skeleton.name} has {skeleton.num_keypoints}; "
            "give another --skeleton, or --annotations with `categories`"
        )
    return skeleton


def _stated_skeleton(name: str) -> Skeleton:
    """The skeleton with that name, or of that config."""
    if name.lower().endswith((".yml", ".yaml")):
        return skeleton_from_config(load_config(name))
    return get_skeleton(name)


class _ImageFinder:
    """Finds image files by name, by the annotations' file name for an id, or by the id as file name (000000000139.jpg)."""

    def __init__(self, folder: Path, names: Mapping[Any, str]) -> None:
        if not folder.is_dir():
            raise MediaError(f"{folder} is not a folder; give the images' folder as --image_dir")
        self.folder, self.names = folder, names
        self._by_id: Optional[dict[Any, Path]] = None

    def find(self, image: PosedImage) -> Path:
        """The image's file. Raises MediaError if there is none."""
        name = image.name if image.name is not None else self.names.get(image.image_id)
        if name is not None:
            for candidate in (self.folder / name, Path(name), self.folder / Path(name).name):
                if candidate.is_file():
                    return candidate
            raise MediaError(f"{name} is not in {self.folder}")
        found = self._ids().get(image.image_id)
        if found is None:
            raise MediaError(f"image {image.image_id}: no file of that name in {self.folder}; --annotations maps ids to names")
        return found

    def _ids(self) -> dict[Any, Path]:
        if self._by_id is None:
            self._by_id = {}
            for file in sorted(self.folder.iterdir()):
                if file.suffix.lower() in IMAGE_SUFFIXES:
                    self._by_id[file.stem] = file
                    if file.stem.isdigit():
                        self._by_id[int(file.stem)] = file
        return self._by_id

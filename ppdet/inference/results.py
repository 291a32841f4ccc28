"""Results for one image or frame.

Legend: N people, K keypoints, H W pixels.
"""
from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Union, overload

import numpy as np

from ppdet.core.errors import ConfigError, DataError, MediaError
from ppdet.core.files import atomic_write
from ppdet.image.io import IMAGE_SUFFIXES, read_image, write_image
from ppdet.inference.formats.columns import row_of
from ppdet.inference.formats.supervision import supervision_key_points
from ppdet.inference.formats.table import FormatOptions, open_writer
from ppdet.inference.person import Keypoint, Person, unknown_keypoint
from ppdet.inference.zones.view import ZoneView
from ppdet.skeletons import Skeleton
from ppdet.visualize.pose_drawer import PoseDrawer
from ppdet.visualize.zone_drawer import draw_zones


@dataclass(frozen=True, eq=False, repr=False)
class PoseResult:
    """People of one image or frame.

    Iterating yields each `Person`; `result[0]` is the first person, and `result["left_wrist"]` that keypoint of all people.

    Attributes:
        boxes: (N, 4) float32 xyxy, image pixels.
        box_scores: (N,) float32.
        keypoints: (N, K, 2) float32, image pixels.
        scores: (N, K) float32, one per keypoint.
        skeleton: names and links of the keypoints.
        image_wh: size of the image.
        path: file that the image came from, or None.
        frame_id: number of the frame in its video from 1 on, or None.
        timestamp_ms: time of the frame in its video, or None.
        track_ids: (N,) identities that last through a video, or None.
        image: (H, W, 3) RGB uint8, the image itself, for `draw` and `crop`. None for frames of a video, which would fill the
            memory, unless `keep_frames` asks for them, and for files of a list or folder, which `draw` reads again.
        filled: (N,) bool: people who were not found in this frame of a recorded video but filled in between two others, or None.
        zones: who is in which zone, and the counts so far; None without zones.
    """

    boxes: np.ndarray
    box_scores: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    skeleton: Skeleton
    image_wh: tuple[int, int]
    path: str | None = None
    frame_id: int | None = None
    timestamp_ms: float | None = None
    track_ids: np.ndarray | None = None
    image: np.ndarray | None = None
    filled: np.ndarray | None = None
    zones: ZoneView | None = None

    def __repr__(self) -> str:
        people = "1 person" if len(self) == 1 else f"{len(self)} people"
        place = "" if self.path is None else f" in {self.path}"
        frame = "" if self.frame_id is None else f", frame {self.frame_id}"
        return f"<PoseResult: {people}{place}{frame}>"

    def __len__(self) -> int:
        return len(self.boxes)

    def __iter__(self) -> Iterator[Person]:
        """The people, one by one."""
        return (self._person(index) for index in range(len(self)))

    @overload
    def __getitem__(self, key: str) -> np.ndarray: ...
    @overload
    def __getitem__(self, key: int) -> Person: ...
    @overload
    def __getitem__(self, key: slice) -> list[Person]: ...

    def __getitem__(self, key: Union[str, int, slice]) -> Union[np.ndarray, Person, list[Person]]:
        """A person by index, or a keypoint of all people by name.

        Args:
            key: an index or slice of people; or the name of a keypoint, which returns (N, 3) float32 x, y, score.

        Raises:
            DataError: the skeleton has no keypoint of that name.
            IndexError: there is no person of that number.
        """
        if isinstance(key, str):
            if key not in self.skeleton.names:
                raise unknown_keypoint(key, self.skeleton.names)
            place = list(self.skeleton.names).index(key)
            return np.concatenate([self.keypoints[:, place], self.scores[:, place, None]], axis=1)
        if isinstance(key, slice):
            return [self._person(index) for index in range(*key.indices(len(self)))]
        number = int(key)
        if not -len(self) <= number < len(self):
            raise IndexError(f"there is no person {number}: the result has {len(self)}, counted from 0")
        return self._person(number % len(self))

    def _person(self, index: int) -> Person:
        rows = np.concatenate([self.keypoints[index], self.scores[index][:, None]], axis=1).tolist()
        points = {name: Keypoint(*row) for name, row in zip(self.skeleton.names, rows)}
        identity = None if self.track_ids is None else int(self.track_ids[index])
        is_filled = self.filled is not None and bool(self.filled[index])
        scores = float(self.box_scores[index]), float(self.person_scores[index])
        zones = None if self.zones is None else self.zones.names_of(index)
        return Person(self.boxes[index], *scores, points, identity, is_filled, zones)

    def of(self, rows: np.ndarray) -> PoseResult:
        """The result with some of its people only.

        Args:
            rows: (N,) bool, or indices of people.
        """
        parts = ("boxes", "box_scores", "keypoints", "scores", "track_ids", "filled")
        chosen = {name: getattr(self, name)[rows] for name in parts if getattr(self, name) is not None}
        return replace(self, **chosen, zones=None if self.zones is None else self.zones.of(rows))

    @property
    def person_scores(self) -> np.ndarray:
        """(N,) mean of each person's keypoint scores (PaddleDetection's person score)."""
        return self.scores.mean(axis=1) if len(self) else np.zeros(0, np.float32)

    def draw(
        self, image: np.ndarray | None = None, threshold: float = 0.5, draw_boxes: bool = True, **options: Any
    ) -> np.ndarray:
        """A copy of the image with the poses drawn on it.

        Args:
            image: (H, W, 3) RGB uint8, the image that the result is of. None takes the result's own; of a frame of a video,
                pass the frame.
            threshold: smallest keypoint score that is drawn.
            draw_boxes: draw the boxes as well.
            **options: further settings of `PoseDrawer`, such as `line_scale`.

        Raises:
            DataError: no image is given and none is known, or it has another size than the result's.
            MediaError: the file that the result is of can no longer be read.
        """
        drawer = PoseDrawer(self.skeleton, draw_boxes=draw_boxes, **options)
        return self.draw_by(drawer, self._image(image), threshold)

    def draw_by(
        self, drawer: PoseDrawer, image: np.ndarray, threshold: float = 0.5, in_place: bool = False
    ) -> np.ndarray:
        """A copy of the image with the poses, and the zones below them.

        Args:
            drawer: with its style.
            image: (H, W, 3) RGB uint8.
            threshold: smallest keypoint score that is drawn.
            in_place: draw on the image itself, which must be C-contiguous, and return it.
        """
        if self.zones is not None:
            image = image if in_place else image.copy()
            draw_zones(image, [zone.pixels(self.image_wh) for zone in self.zones.zones], self.zones.labels())
        return drawer.draw(image, self.keypoints, self.scores, threshold, self.boxes, self.track_ids, in_place)

    def crop(self, index: int, margin: float = 0.0, image: np.ndarray | None = None) -> np.ndarray:
        """A copy of the part of the image around one person.

        Args:
            index: number of the person, from 0.
            margin: added on each side, as a fraction of the box's longer side; clipped at the image border.
            image: see `draw`.

        Returns:
            (h, w, 3) RGB uint8, at least one pixel.

        Raises:
            IndexError, DataError, MediaError: no such person, or no image; see `draw`.
        """
        box = self[index].box
        extra = margin * float(np.max(box[2:] - box[:2]))
        width, height = self.image_wh
        x1, y1 = (int(np.clip(np.floor(low - extra), 0, side - 1)) for low, side in zip(box[:2], (width, height)))
        x2, y2 = (int(np.clip(np.ceil(high + extra), low + 1, side)) for high, low, side in
                  zip(box[2:], (x1, y1), (width, height)))  # fmt: skip
        return self._image(image)[y1:y2, x1:x2].copy()

    def _image(self, image: np.ndarray | None) -> np.ndarray:
        """The given image, or the result's own."""
        if image is None:
            image = self._own_image()
        if tuple(image.shape[1::-1]) != tuple(self.image_wh):
            raise DataError(f"the result is of an image of {self.image_wh[0]} x {self.image_wh[1]} pixels and cannot be drawn on "
                            f"one of shape {image.shape}: pass the image that it is of, unscaled; files are turned as their EXIF "
                            "orientation says (ppdet.image.read_image(path, apply_orientation=True))")
        return image

    def _own_image(self) -> np.ndarray:
        if self.image is not None:
            return self.image
        if self.frame_id is not None:
            raise DataError(f"frame {self.frame_id} is not kept, since the frames of a video would fill the memory: pass the "
                            "frame, result.draw(frame), or ask for frames with pipeline(source, keep_frames=True)")
        if self.path is None:
            raise DataError("the result has no image: pass the one that it is of, result.draw(image)")
        return read_image(self.path, apply_orientation=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain content with names: one entry per person, keypoints by name as [x, y, score]."""
        content: dict[str, Any] = {"image": self.path, "frame": self.frame_id, "timestamp_ms": self.timestamp_ms}
        content = {key: value for key, value in content.items() if value is not None}
        people = [person.to_dict() for person in self]
        zones = {} if self.zones is None else self.zones.to_dict()
        return {**content, "width": int(self.image_wh[0]), "height": int(self.image_wh[1]), "people": people, **zones}

    def to_json(self, indent: int | None = None) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)

    def to_pandas(self) -> Any:
        """A pandas DataFrame with one row per person: image, frame, timestamp_ms, person (from 0), id, x1, y1, x2, y2,
        box_score, score, and NAME_x, NAME_y, NAME_score of each keypoint.

        Raises:
            ConfigError: pandas is not installed.
        """
        return frame_of([self])

    def to_supervision(self) -> Any:
        """The people as `supervision.KeyPoints`; see `ppdet.inference.formats.supervision`.

        Raises:
            ConfigError: supervision is not installed.
        """
        return supervision_key_points(self)

    def save(self, path: Union[str, os.PathLike[str]], format: str | None = None, **options: Any) -> Path:  # noqa: A002
        """Write the result in the format of the suffix: .json, .jsonl, .csv, .parquet and others, see docs/formats.md; or an
        image with the poses drawn on it.

        Args:
            path: the file; missing folders are made.
            format: name of a format of poses, whatever the suffix.
            **options: of an image those of `draw`, otherwise those of `FormatOptions`.

        Raises:
            ConfigError: another suffix or an unknown format, or a package that the format needs is missing.
            MediaError: the file cannot be written.
        """
        file = Path(path)
        if format is None and file.suffix.lower() in IMAGE_SUFFIXES:
            return write_image(file, self.draw(**options))
        if format is None and file.suffix.lower() == ".json" and not options:
            return self._save_json(file)
        return save_results([self], file, format, **options)

    def _save_json(self, file: Path) -> Path:
        """One result is a mapping, not a list of one."""
        try:
            with atomic_write(file, "w") as stream:
                stream.write(self.to_json(indent=2) + "\n")
        except OSError as error:
            raise MediaError(f"cannot write {file}: {error.strerror or error}; choose another place") from error
        return file


def save_results(
    results: Iterable[PoseResult],
    path: Union[str, os.PathLike[str]],
    format: str | None = None,  # noqa: A002
    **options: Any,
) -> Path:
    """Write the results of images, or of a video frame by frame, into one file, which appears whole at the end.

    Example:
        save_results(pipeline("street.mp4"), "street.parquet")

    Args:
        results: a list, or an iterator, of which only the current result is in memory.
        path: the file, or the folder for a format that writes several files; missing folders are made.
        format: name of the format; None decides by the suffix.
        **options: see `FormatOptions`.

    Raises:
        ConfigError: an unknown suffix, format or option, or a package that the format needs is missing.
        MediaError: the file cannot be written.
    """
    known = [each.name for each in fields(FormatOptions)]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ConfigError(f"a file of poses has no option {unknown[0]!r}: it may be one of {', '.join(known)}")
    with open_writer(Path(path), format, FormatOptions(**options)) as writer:
        for result in results:
            writer.add(result)
    return writer.path


def frame_of(results: Sequence[PoseResult]) -> Any:
    """A pandas DataFrame of the people of several results; see `PoseResult.to_pandas`.

    Raises:
        ConfigError: pandas is not installed.
    """
    if find_spec("pandas") is None:
        raise ConfigError("to_pandas() needs pandas, which is not installed: pip install pandas; or use to_dict()")
    import pandas

    return pandas.DataFrame([row_of(result, index) for result in results for index in range(len(result))])


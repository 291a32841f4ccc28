"""Label files of trackers: JDE's `labels_with_ids` for training, MOTChallenge's `gt.txt` and `seqinfo.ini` for evaluation.

Legend: N people of an image, R rows of a sequence.
"""

from __future__ import annotations

import configparser
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Union

import numpy as np

from ppdet.core.errors import DataError

IMAGES, LABELS = "images", "labels_with_ids"
JDE_COLUMNS = ("class", "identity", "center x", "center y", "width", "height")
UNKNOWN = -1
LEAST_COLUMNS = 7
LARGEST_NUMBER = 2.0**53
"""Larger numbers are no frames, identities or pixels, and do not fit the integers that they become."""
DEFAULT_FPS = 30.0
#: MOT16, 17 and 20: the class that is evaluated, and those that neither count nor are missed (on a vehicle, static person,
#: distractor, reflection).
PEDESTRIAN, IGNORED = 1, (2, 7, 8, 12)
LARGEST = 1_000_000


class JdeLabels(NamedTuple):
    """People of an image: labels (N,) int64 class numbers, identities (N,) int64, -1 unknown, and boxes (N, 4) cx, cy, w, h as
    parts of the image's sides."""

    labels: np.ndarray
    identities: np.ndarray
    boxes: np.ndarray


class MotRows(NamedTuple):
    """People of a sequence: frames (R,) from 1 on, identities (R,), boxes (R, 4) xyxy, and ignored (R,) bool."""

    frames: np.ndarray
    identities: np.ndarray
    boxes: np.ndarray
    ignored: np.ndarray


def label_path(image: str) -> str:
    """The label file of an image: beside the last folder `images` of its path, a folder `labels_with_ids` with the same names.

    Raises:
        DataError: the path has no folder of that name.
    """
    parts = list(PurePosixPath(image.replace("\\", "/")).parts)
    places = [place for place, part in enumerate(parts[:-1]) if part == IMAGES]
    if not places:
        raise DataError(f"{image} is not below a folder {IMAGES}: its labels are looked for in {LABELS} instead of that folder")
    parts[places[-1]] = LABELS
    return str(PurePosixPath(*parts).with_suffix(".txt"))


def read_jde_labels(path: Union[str, Path]) -> JdeLabels:
    """Read a label file, which may be empty.

    Raises:
        DataError: it cannot be read, or a row is not `class identity cx cy w h`; the message names the line.
    """
    rows = _rows(path, " ", len(JDE_COLUMNS), f"{' '.join(JDE_COLUMNS)}, the last four as parts of the image's sides")
    for line, row in rows:
        if row[0] != int(row[0]) or row[1] != int(row[1]) or row[0] < 0 or not UNKNOWN <= row[1] <= LARGEST:
            raise DataError(f"{path}, line {line}: class and identity are whole numbers, the class from 0 and the identity from "
                            f"-1 (unknown) on; given {row[0]:g} and {row[1]:g}")  # fmt: skip
    table = np.array([row[: len(JDE_COLUMNS)] for _, row in rows], np.float64).reshape(-1, len(JDE_COLUMNS))
    table = table[(table[:, 4:] > 0).all(axis=1)]  # boxes without extent are no people
    return JdeLabels(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:])


def read_mot_truth(path: Union[str, Path]) -> MotRows:
    """Read a gt.txt: frame, identity, x, y, width, height, mark, and optionally class and visibility.

    Rows with mark 0 are left out, as everything of a class that is neither a pedestrian nor ignored. Without a class, or with -1
    (MOT15), rows are pedestrians.

    Raises:
        DataError: it cannot be read, or has a malformed row.
    """
    frames, identities, boxes, ignored = [], [], [], []
    for _, row in _rows(path, ",", LEAST_COLUMNS, "frame,id,x,y,width,height,mark[,class,visibility]"):
        kind = int(row[7]) if len(row) > 7 and row[7] != UNKNOWN else PEDESTRIAN
        is_ignored = kind in IGNORED or (len(row) > 8 and row[8] < 0 and row[8] != UNKNOWN)
        if not is_ignored and (row[6] == 0 or kind != PEDESTRIAN):
            continue
        frames.append(int(row[0]))
        identities.append(int(row[1]))
        boxes.append([row[2], row[3], row[2] + row[4], row[3] + row[5]])
        ignored.append(is_ignored)
    return MotRows(np.array(frames, np.int64), np.array(identities, np.int64), np.array(boxes, np.float64).reshape(-1, 4),
                   np.array(ignored, bool))  # fmt: skip


def sequence_fps(folder: Union[str, Path]) -> float:
    """`frameRate` of a sequence's seqinfo.ini; 30 without one.

    Raises:
        DataError: the file does not read, or its rate is no positive number.
    """
    path = Path(folder) / "seqinfo.ini"
    if not path.is_file():
        return DEFAULT_FPS
    parser = configparser.ConfigParser()
    try:
        parser.read(path, encoding="utf-8")
        fps = float(parser.get("Sequence", "frameRate", fallback=str(DEFAULT_FPS)))
    except (configparser.Error, ValueError, UnicodeError) as error:
        raise DataError(f"{path} does not read: {error}; it should have frameRate below [Sequence]") from error
    if not 0 < fps < LARGEST:
        raise DataError(f"{path}: frameRate is {fps}, expected a positive number")
    return fps


def _rows(path: Union[str, Path], separator: str, least: int, layout: str) -> list[tuple[int, list[float]]]:
    """(line number, numbers) of each line that is not blank."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise DataError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    rows = []
    for line, content in enumerate(text.splitlines(), start=1):
        words = content.replace(separator, " ").replace("\t", " ").split()
        if not words:
            continue
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            numbers = []
        if len(numbers) < least or not all(abs(number) <= LARGEST_NUMBER for number in numbers):  # nan is not, either
            raise DataError(f"{path}, line {line} is {content[:80]!r}, expected {layout}")
        rows.append((line, numbers))
    return rows

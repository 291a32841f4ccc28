"""JSON lines: one result per line, so that the file is valid at any time and a later run can continue it."""
from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ppdet.core.errors import DataError, MediaError
from ppdet.inference.files.json_results import named_record
from ppdet.inference.results import PoseResult
from ppdet.skeletons import Skeleton

SUFFIX = ".jsonl"
# Frames from which the tracker learns again who is where: more than the two seconds in which people may come back.
MOST_FRAMES = 150


def is_json_lines(path: str | Path) -> bool:
    """Whether results of that name are written line by line."""
    return Path(path).suffix.lower() == SUFFIX


class JsonLinesWriter:
    """Writes pose results with names, each as a line that is in the file at once.

    Args:
        path: the file; missing folders are made.
        resume: keep the lines that are there, and append. A last line that was cut off is removed.

    Attributes:
        count: lines written by this run.

    Raises:
        MediaError: the file cannot be written; possible at any point, since the disk may fill up.
        DataError: a file to resume that does not hold results.
    """

    def __init__(self, path: str | Path, resume: bool = False) -> None:
        self.path, self.count = Path(path), 0
        self._resume = resume

    def __enter__(self) -> JsonLinesWriter:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._resume and self.path.is_file():
                whole = sum(len(line) for line, _ in whole_lines(self.path))
                os.truncate(self.path, whole)
            self._stream = open(self.path, "ab" if self._resume else "wb")  # noqa: SIM115 - closed by __exit__
        except OSError as error:
            raise self._failed(error) from error
        return self

    def add(self, result: PoseResult) -> None:
        """Append one image or frame."""
        self.append(named_record(result))

    def append(self, entry: Mapping[str, Any]) -> None:
        """Append one line."""
        try:
            self._stream.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            self._stream.flush()
        except OSError as error:
            raise self._failed(error) from error
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stream.close()
        except OSError as failure:
            if kind is None:
                raise self._failed(failure) from failure

    def _failed(self, error: OSError) -> MediaError:
        return MediaError(f"cannot write {self.path}: {error.strerror or error}; its lines so far are whole, and --resume "
                          "continues them once there is space or permission")


def whole_lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """The lines of a file of results and their content, up to one that was cut off at the end.

    Raises:
        DataError: the file holds something else.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                content = json.loads(line)
                if not isinstance(content["people"], list):
                    raise KeyError("people")
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}, line {number}, is no result that could be continued: give the {SUFFIX} file of an "
                                "earlier run, or leave --resume out to write it anew") from error
            yield line, content


def result_of_record(record: Mapping[str, Any], skeleton: Skeleton) -> PoseResult:
    """The result that `named_record` wrote.

    Raises:
        DataError: it has other keypoints than the skeleton, or is damaged.
    """
    people = record["people"]
    count = skeleton.num_keypoints
    try:
        points = np.array([[person["keypoints"][name] for name in skeleton.names] for person in people], np.float32)
        boxes = np.array([person["box"] for person in people], np.float32).reshape(-1, 4)
        scores = np.array([person["box_score"] for person in people], np.float32)
        identities = np.array([person["id"] for person in people], np.int64)
        points = points.reshape(len(people), count, 3)
        size = int(record["width"]), int(record["height"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"an earlier result holds no people with ids and the keypoints of {skeleton.name}: it is of another "
                        "model, so it cannot be continued; leave --resume out") from error
    return PoseResult(boxes, scores, points[..., :2], points[..., 2], skeleton, size, None, record.get("frame"),
                      record.get("timestamp_ms"), identities)


@dataclass
class EarlierVideo:
    """Frames of a video that are done.

    Attributes:
        frames: number of the last one.
        largest_id: highest identity so far.
        last: records of the last frames, in order.
    """

    frames: int = 0
    largest_id: int = 0
    last: deque[Mapping[str, Any]] = field(default_factory=lambda: deque(maxlen=MOST_FRAMES))


@dataclass
class EarlierResults:
    """The images and frames of a file of JSON lines.

    Attributes:
        images: paths of images that are done.
        videos: by the name that records give; None where they give none, with a single video.
    """

    images: set[str] = field(default_factory=set)
    videos: dict[str | None, EarlierVideo] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path) -> EarlierResults:
        """Of a file of JSON lines; nothing if there is none.

        Raises:
            DataError: the file holds something else.
        """
        found, file = cls(), Path(path)
        for _, record in whole_lines(file) if file.is_file() else ():
            if "frame" not in record:
                found.images.add(str(record.get("image")))
                continue
            video = found.videos.setdefault(record.get("video"), EarlierVideo())
            video.frames = max(video.frames, int(record["frame"]))
            ids = [int(person["id"]) for person in record["people"] if person.get("id") is not None]
            video.largest_id = max([video.largest_id, *ids])
            video.last.append(record)
        return found

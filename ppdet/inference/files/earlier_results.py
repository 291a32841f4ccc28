"""JSON lines that an earlier run wrote, and a writer that continues them: whole at any time, even after a power cut."""
from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ppdet.core.errors import DataError
from ppdet.inference.formats.json_lines import SCHEMA_ID, JsonLinesWriter
from ppdet.inference.formats.poses import Poses
from ppdet.inference.results import PoseResult
from ppdet.skeletons import Skeleton

# Bytes of a video that are looked at to know it again: the first frames, or the index of all of them.
DIGESTED_BYTES = 1024 * 1024
# Frames from which the tracker learns again who is where: more than the two seconds in which people may come back.
MOST_FRAMES = 150


class ContinuedJsonLines(JsonLinesWriter):
    """Appends to a file of JSON lines, or begins one; each line is in the file at once, under its own name.

    A last line that was cut off is removed. After an error or an interruption the lines so far stay.
    """

    @contextmanager
    def _temporary(self) -> Iterator[Path]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_file():
            os.truncate(self.path, sum(len(line) for line, _ in whole_lines(self.path)))
        yield self.path

    def _open(self, temporary: Path) -> None:
        self._stream = self._stack.enter_context(temporary.open("a", encoding="utf-8", newline="\n"))

    def _write(self, result: Poses, video: str | None) -> None:
        super()._write(result, video)
        self._stream.flush()


def video_digest(source: str | Path | int) -> str | None:
    """A short name of the content of a video file, from its size and its beginning; None for a camera, a URL or no file."""
    path = Path(str(source))
    if isinstance(source, int) or not path.is_file():
        return None
    with path.open("rb") as file:
        content = hashlib.sha256(file.read(DIGESTED_BYTES))
    content.update(str(path.stat().st_size).encode())
    return content.hexdigest()[:16]


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
                if content["schema"] != SCHEMA_ID or not isinstance(content["people"], list):
                    raise KeyError("people")
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}, line {number}, is no result that could be continued: give the .jsonl file of an "
                                "earlier run, or leave --resume out to write it anew") from error
            yield line, content


@dataclass
class EarlierVideo:
    """Frames of a video that are done.

    Attributes:
        frames: number of the last one.
        largest_id: highest identity so far.
        last: records of the last frames, in order.
        size_wh: width and height of the first one, None if its record does not say.
        digest: of the file, see `video_digest`; None if its records do not say.
    """

    frames: int = 0
    largest_id: int = 0
    last: deque[Mapping[str, Any]] = field(default_factory=lambda: deque(maxlen=MOST_FRAMES))
    size_wh: tuple[Any, Any] = (None, None)
    digest: Any = None


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
            size = record.get("width"), record.get("height")
            video = found.videos.setdefault(record.get("video"), EarlierVideo(size_wh=size))
            video.digest = video.digest or record.get("video_digest")
            video.frames = max(video.frames, int(record["frame"]))
            ids = [int(person["id"]) for person in record["people"] if person.get("id") is not None]
            video.largest_id = max([video.largest_id, *ids])
            video.last.append(record)
        return found


def result_of_record(record: Mapping[str, Any], skeleton: Skeleton) -> PoseResult:
    """The result of which `record` is the line.

    Raises:
        DataError: it has other keypoints than the skeleton, or is damaged.
    """
    people = record["people"]
    try:
        points = np.array([[person["keypoints"][name] for name in skeleton.names] for person in people], np.float32)
        boxes = np.array([person["box"] for person in people], np.float32).reshape(-1, 4)
        scores = np.array([person["box_score"] for person in people], np.float32)
        identities = np.array([person["id"] for person in people], np.int64)
        points = points.reshape(len(people), skeleton.num_keypoints, 3)
        size = int(record["width"]), int(record["height"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"an earlier result holds no people with ids and the keypoints of {skeleton.name}: it is of another "
                        "model, so it cannot be continued; leave --resume out") from error
    return PoseResult(boxes, scores, points[..., :2], points[..., 2], skeleton, size, None, record.get("frame"),
                      record.get("timestamp_ms"), identities)

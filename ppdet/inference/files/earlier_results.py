"""What an earlier run wrote, so that a later one can continue behind it."""
from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ppdet.inference.files.json_lines import whole_lines

# Frames from which the tracker learns again who is where: more than the two seconds in which people may come back.
MOST_FRAMES = 150


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
        found = cls()
        if not Path(path).is_file():
            return found
        for _, record in whole_lines(Path(path)):
            if "frame" not in record:
                found.images.add(str(record.get("image")))
                continue
            video = found.videos.setdefault(record.get("video"), EarlierVideo())
            video.frames = max(video.frames, int(record["frame"]))
            ids = [int(person["id"]) for person in record["people"] if person.get("id") is not None]
            video.largest_id = max([video.largest_id, *ids])
            video.last.append(record)
        return found

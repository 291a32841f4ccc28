"""JSON Lines: one image or frame per line, each of which says the schema and its version.

A line is `PoseResult.to_dict` with three keys before it: `schema`, `skeleton`, and `video` if the file has several videos. The
first line of a video file also has `video_digest`, by which `--resume` knows the file again. Each line can be read alone, so
files may be cut, joined and filtered by lines.
"""
from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ppdet.core.errors import DataError
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.poses import Poses

SCHEMA = "ppdet.poses"
VERSION = 1
SCHEMA_ID = f"{SCHEMA}/{VERSION}"
"""Goes up when a key changes its meaning or is taken away; new keys may come at any time."""


def line_of(result: Poses, video: str | None = None) -> dict[str, Any]:
    """The content of one line."""
    head = {"schema": SCHEMA_ID, "skeleton": result.skeleton.name}
    return {**head, **({} if video is None else {"video": video}), **result.to_dict()}


class JsonLinesWriter(PoseWriter):
    """Writes one line per image or frame."""

    _digest: str | None = None

    def begin_video(self, digest: str | None) -> None:
        """Write the digest of a video file in the next line."""
        self._digest = digest

    def _open(self, temporary: Path) -> None:
        self._stream = self._stack.enter_context(temporary.open("w", encoding="utf-8", newline="\n"))

    def _write(self, result: Poses, video: str | None) -> None:
        line = line_of(result, video)
        if self._digest is not None:
            line["video_digest"], self._digest = self._digest, None
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    def _finish(self) -> None:
        self._stream.flush()


def read_json_lines(path: str | Path) -> Iterator[dict[str, Any]]:
    """The lines of a file, one by one.

    Args:
        path: file of `JsonLinesWriter`.

    Raises:
        DataError: the file is missing, a line is no JSON, or of another schema or version; the message has the line's number.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            for number, text in enumerate(stream, start=1):
                if text.strip():
                    yield _checked(text, f"{path}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read poses {path}: {getattr(error, 'strerror', None) or error}; check the path") from error


def _checked(text: str, place: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is not valid JSON: {error}; the file may be cut short, copy it again") from error
    name = line.get("schema") if isinstance(line, dict) else None
    if name != SCHEMA_ID:
        raise DataError(f"{place} has the schema {str(name)[:60]!r}, and this version reads {SCHEMA_ID!r}: write the file again, "
                        "or read it with the version of ppdet that wrote it")
    if not isinstance(line.get("people"), list):
        raise DataError(f"{place} has no list `people`: write the file again")
    return line


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a line."""
    number, whole, text = {"type": "number"}, {"type": "integer"}, {"type": "string"}
    point = {"type": "array", "items": number, "minItems": 3, "maxItems": 3, "description": "x, y (pixels), score"}
    person = {
        "type": "object",
        "required": ["box", "box_score", "score", "keypoints"],
        "properties": {
            "box": {"type": "array", "items": number, "minItems": 4, "maxItems": 4, "description": "x1, y1, x2, y2, pixels"},
            "box_score": number, "score": {**number, "description": "mean score of the keypoints"},
            "keypoints": {"type": "object", "additionalProperties": point, "description": "by name"},
            "id": {**whole, "description": "identity that lasts through the video"},
            "filled": {"type": "boolean", "description": "not found in this frame but filled in between two others"},
            "zones": {"type": "array", "items": text},
        },
    }  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA_ID,
        "description": "People of one image or frame. The centre of the top-left pixel is at (0, 0).",
        "type": "object",
        "required": ["schema", "skeleton", "width", "height", "people"],
        "properties": {
            "schema": {"const": SCHEMA_ID}, "skeleton": text, "video": text, "image": text,
            "video_digest": {**text, "description": "of the size and the beginning of the file; in the first line only"},
            "frame": {**whole, "minimum": 1}, "timestamp_ms": number,
            "width": {**whole, "minimum": 1}, "height": {**whole, "minimum": 1},
            "people": {"type": "array", "items": person}, "zones": {"type": "object"}, "zone_events": {"type": "array"},
        },
    }  # fmt: skip

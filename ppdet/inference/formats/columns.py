"""One person as a row of a table: the columns of CSV, Parquet and pandas."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ppdet.inference.formats.poses import Poses
from ppdet.inference.person import rounded
from ppdet.skeletons import Skeleton

BOX = ("x1", "y1", "x2", "y2")
PERSON_COLUMNS: dict[str, type] = {
    "image": str, "frame": int, "timestamp_ms": float, "person": int, "id": int, **dict.fromkeys(BOX, float),
    "box_score": float, "score": float, "filled": bool, "zones": str, "video": str,
}  # fmt: skip
"""Columns of files, in order, before those of the keypoints."""


def row_of(result: Poses, index: int) -> dict[str, Any]:
    """One person as columns: image, frame, timestamp_ms, person (from 0), id, x1, y1, x2, y2, box_score, score, and NAME_x,
    NAME_y, NAME_score of each keypoint; filled and zones (names with | between them) if there are any.

    Args:
        result: of one image or frame.
        index: number of the person.
    """
    person = result[index]
    row: dict[str, Any] = {
        "image": result.path, "frame": result.frame_id, "timestamp_ms": result.timestamp_ms, "person": index, "id": person.id,
        **dict(zip(BOX, rounded(person.box))), "box_score": person.box_score, "score": person.score,
    }  # fmt: skip
    if result.filled is not None:
        row["filled"] = person.filled
    if person.zones is not None:
        row["zones"] = "|".join(person.zones)
    for name, point in person.keypoints.items():
        row.update({f"{name}_x": point.x, f"{name}_y": point.y, f"{name}_score": point.score})
    return row


def file_rows(result: Poses, video: str | None) -> Iterator[dict[str, Any]]:
    """The people of one image or frame as rows of a file, which all have the same columns; what does not apply is None."""
    for index in range(len(result)):
        yield {**dict.fromkeys(PERSON_COLUMNS), **row_of(result, index), "video": video}


def file_columns(skeleton: Skeleton | None) -> dict[str, type]:
    """Name and type of each column of a file; without a skeleton those of the person only."""
    names = [] if skeleton is None else skeleton.names
    return {**PERSON_COLUMNS, **{f"{name}_{part}": float for name in names for part in ("x", "y", "score")}}

"""Which image of a dataset a record of another file means: by its file name if it has one, else by its id.

Programs that run over a folder number its images themselves, so their `image_id` says nothing about ours.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional, Set

from ppdet.annotations.values import IdIndex
from ppdet.data.coco.person_table import ImageTable

ENOUGH = 0.5
"""Share of the dataset's images that a file of detections must know, or a note says that it knows few."""


class ImageMatcher:
    """Looks up the rows of an image table, and remembers what that says about the file.

    Args:
        images: the dataset's images.

    Attributes:
        contradictions: records whose `file_name` and `image_id` mean different images.
        known: rows of images that any record meant.
        strangers: images that records meant and the table does not have, by name or id.
        by_id: records that had no file name.
    """

    def __init__(self, images: ImageTable) -> None:
        ids = images.ids.tolist()
        self._ids = IdIndex(ids)
        self._row_of_id: Dict[Any, int] = {image_id: row for row, image_id in enumerate(ids)}
        self._rows_of_name: Dict[str, List[int]] = {}
        self._paths = [path.replace(os.sep, "/") for path in images.paths]
        for row, path in enumerate(self._paths):
            self._rows_of_name.setdefault(path.rsplit("/", 1)[-1], []).append(row)
        self.contradictions = 0
        self.by_id = 0
        self.known: Set[int] = set()
        self.strangers: Set[Any] = set()

    def row(self, record: Mapping[str, Any]) -> Optional[int]:
        """Row of the image that a record with `image_id`, and perhaps `file_name`, means; None if it is not here."""
        by_id = self._row_of_id.get(self._ids.find(record["image_id"]))
        name = record.get("file_name")
        if isinstance(name, str) and name:
            row = self._by_name(name, by_id)
            self.contradictions += row is not None and by_id is not None and row != by_id
        else:
            row, name = by_id, None
            self.by_id += 1
        if row is None:
            self.strangers.add(name or str(record["image_id"]))
        else:
            self.known.add(row)
        return row

    def share(self) -> float:
        """Part of the dataset's images that the records know."""
        return len(self.known) / max(len(self._paths), 1)

    def _by_name(self, name: str, by_id: Optional[int]) -> Optional[int]:
        """Images of one name in several folders are told apart by the folders the record gives, then by its id."""
        name = os.path.normpath(name).replace(os.sep, "/")
        rows = self._rows_of_name.get(name.rsplit("/", 1)[-1], [])
        if not rows:  # a path written on Windows
            name = name.replace("\\", "/")
            rows = self._rows_of_name.get(name.rsplit("/", 1)[-1], [])
        if len(rows) < 2:
            return rows[0] if rows else None
        exact = [row for row in rows if f"/{self._paths[row]}".endswith(f"/{name}")]
        if len(exact) == 1:
            return exact[0]
        return by_id if by_id in rows else None

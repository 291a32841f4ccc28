"""COCO keypoint results: one entry per person, read by pycocotools' `loadRes` and by `ppdet draw`."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ppdet.inference.formats.json_list import JsonList
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.poses import Poses


def coco_records(
    result: Poses, image_id: int, file_name: str | None = None, person_scores: np.ndarray | None = None
) -> list[dict[str, Any]]:
    """The people of one image as entries.

    Args:
        result: the people.
        image_id: number of the image.
        file_name: name of the image or video.
        person_scores: (N,) scores by which people are ranked; None takes the mean keypoint scores.
    """
    ranked = result.person_scores if person_scores is None else person_scores
    names = {} if file_name is None else {"file_name": file_name}
    records = []
    for box, score, xy, scores in zip(result.boxes, ranked, result.keypoints, result.scores):
        rows = np.concatenate([xy, scores[:, None]], axis=1).astype(np.float64)
        corners = (box[0], box[1], box[2] - box[0], box[3] - box[1])
        records.append({
            "image_id": image_id, **names, "category_id": 1, "keypoints": np.round(rows, 4).reshape(-1).tolist(),
            "score": round(float(score), 5), "bbox": [round(float(value), 3) for value in corners],
        })  # fmt: skip
    return records


class CocoWriter(PoseWriter):
    """Writes entries one by one.

    The `image_id` is that of `expect`; images and frames that were not expected are numbered on, for a video alone from 1 on.
    Entries of a video have its `frame` and, if there are identities, the person's `id`, too.
    """

    def _open(self, temporary: Path) -> None:
        self._ids: dict[str, int] = {}
        self._highest = 0
        self._list = JsonList(self._stack.enter_context(temporary.open("w", encoding="utf-8", newline="\n")))

    def expect(self, ids: Mapping[str, int]) -> None:
        """See `PoseWriter.expect`."""
        self._ids.update(ids)
        self._highest = max(self._highest, *ids.values(), 0)

    def _write(self, result: Poses, video: str | None) -> None:
        name = video if result.path is None else Path(result.path).name
        ranked = None if self.options.ranking is None else self.options.ranking(result)
        for entry, person in zip(coco_records(result, self._number(result), name, ranked), result):
            if result.frame_id is not None:
                entry["frame"] = result.frame_id
            if person.id is not None:
                entry["id"] = person.id
            self._list.append(entry)

    def _number(self, result: Poses) -> int:
        if result.path is not None and result.path in self._ids:
            return self._ids[result.path]
        self._highest += 1
        return self._highest

    def _finish(self) -> None:
        self._list.end()

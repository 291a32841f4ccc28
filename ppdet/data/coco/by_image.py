"""Groups COCO-style annotations by image: its people, and the regions of those who are not labelled.

Legend: N persons, M images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Set

import numpy as np

from ppdet.annotations.values import as_id
from ppdet.data.coco.ignored_regions import Region, region_of
from ppdet.data.coco.person_table import ImageTable, PersonTable
from ppdet.data.coco.persons import is_wanted, name_of, person_table
from ppdet.data.coco.report import AnnotationReport


@dataclass
class BottomUpTable:
    """The images of a dataset with their people.

    Attributes:
        images: M images.
        persons: N labelled persons, image by image and in each the largest first.
        first: (M + 1,) rows of `persons` at which each image begins; the last is N.
        has_person: (M,) bool, whether a single person (not a crowd) is annotated, with or without keypoints.
        ignored: row of an image to the regions of its crowds and of people that are not among `persons`.
    """

    images: ImageTable
    persons: PersonTable
    first: np.ndarray
    has_person: np.ndarray
    ignored: Dict[int, List[Region]]

    def people(self, row: int) -> PersonTable:
        """The persons of one image."""
        return self.persons.take(np.arange(self.first[row], self.first[row + 1]))


def bottom_up_table(
    content: Mapping[str, Any],
    images: ImageTable,
    num_joints: int,
    categories: Optional[Set[Any]],
    report: AnnotationReport,
) -> BottomUpTable:
    """Group a COCO file's annotations by image.

    Which persons are usable is `person_table`'s rule. All other annotations (crowds, people without labelled keypoints,
    persons that cannot be used) becomes an ignored region, by segmentation or box.

    Raises:
        DataError: every annotation has another number of keypoints than `num_joints`.
    """
    persons = person_table(content, images, num_joints, categories, report)
    persons = persons.take(np.lexsort((-persons.area, persons.image_row)))
    first = np.searchsorted(persons.image_row, np.arange(len(images) + 1))
    has_person = np.zeros(len(images), bool)
    ignored: Dict[int, List[Region]] = {}
    undrawable = 0
    used = set(persons.annotation_id)
    row_of = {str(image_id): row for row, image_id in enumerate(images.ids.tolist())}
    for position, entry in enumerate(content["annotations"]):
        if not isinstance(entry, dict) or not is_wanted(entry, categories) or entry.get("iscrowd") not in (0, 1):
            continue
        row = None if as_id(entry.get("image_id")) is None else row_of.get(str(entry["image_id"]))
        if row is None:
            continue
        name = name_of(entry, position)
        crowd = entry["iscrowd"] == 1
        has_person[row] |= not crowd
        if not crowd and name in used:
            continue
        region, fell_back = region_of(entry, images.wh[row])
        undrawable += fell_back
        if region is not None:
            ignored.setdefault(row, []).append(region)
        elif crowd:
            report.add_bad("crowd without segmentation or box", name)
    if undrawable:
        report.add_note(f"{undrawable} segmentations of ignored people cannot be drawn: their box is ignored instead")
    return BottomUpTable(images, persons, first, has_person, ignored)


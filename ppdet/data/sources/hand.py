"""Hands of COCO-WholeBody (Jin et al., ECCV 2020), one sample a hand."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Tuple

from ppdet.core.config.registry import register
from ppdet.data.coco.file import image_table, listed_ids, read_coco
from ppdet.data.coco.person_table import ImageTable, PersonTable
from ppdet.data.coco.persons import person_table
from ppdet.data.coco.report import AnnotationReport
from ppdet.data.sources.top_down_dataset import TopDownDataset


@register
class KeypointTopDownCocoWholeBodyHandDataset(TopDownDataset):
    """Left and right hands with `lefthand_valid` / `righthand_valid`, their `_box` and `_kpts`.

    Arguments are described at `TopDownDataset`.
    """

    default_joints = 21

    def _read(self, report: AnnotationReport) -> Tuple[ImageTable, PersonTable]:
        content = read_coco(self.annotation_file)
        images = image_table(content["images"], self.image_folder, report)
        listed = listed_ids(content["images"])
        hands = [hand for entry in content["annotations"] for hand in _hands(entry)]
        return images, person_table(hands, images, self.num_joints, None, report, listed)


def _hands(entry: Any) -> Iterator[Any]:
    """The valid hands of a person, each as an annotation of its own; what is no mapping passes on to be reported."""
    if not isinstance(entry, dict):
        yield entry
        return
    for side in ("left", "right"):
        if entry.get(f"{side}hand_valid"):
            hand: Dict[str, Any] = {"id": f"{entry.get('id')} ({side} hand)", "iscrowd": entry.get("iscrowd", 0)}
            for key, source in (("image_id", "image_id"), ("bbox", f"{side}hand_box"), ("keypoints", f"{side}hand_kpts")):
                if source in entry:
                    hand[key] = entry[source]
            yield hand

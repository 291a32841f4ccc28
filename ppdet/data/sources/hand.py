"""Hands of COCO-WholeBody (Jin et al., ECCV 2020), one sample per hand."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Tuple

from ppdet.annotations.coco_file import coco_content, read_coco
from ppdet.annotations.values import as_flag
from ppdet.core.config.registry import register
from ppdet.data.coco.file import image_table
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
        hands = [hand for entry in content["annotations"] for hand in _hands(entry)]
        hands_alone = coco_content({"images": content["images"], "annotations": hands}, self.annotation_file)
        return images, person_table(hands_alone, images, self.num_joints, None, report, self.box)


def _hands(entry: Any) -> Iterator[Any]:
    """The valid hands of a person, each as an annotation of its own; what is no mapping is passed on, to be reported."""
    if not isinstance(entry, dict):
        yield entry
        return
    for side in ("left", "right"):
        if as_flag(entry.get(f"{side}hand_valid")):
            hand: Dict[str, Any] = {"id": f"{entry.get('id')} ({side} hand)", "iscrowd": entry.get("iscrowd", 0)}
            for key, source in (("image_id", "image_id"), ("bbox", f"{side}hand_box"), ("keypoints", f"{side}hand_kpts")):
                if source in entry:
                    hand[key] = entry[source]
            yield hand

"""Numbers about the annotated objects of a file.

Legend: N objects, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from ppdet.annotations.sidedness import Order, one_sided
from ppdet.annotations.sigma_estimate import FEWEST_REPEATS, estimate_sigmas
from ppdet.core.errors import DataError
from ppdet.data.checking.annotation_file import AnnotationFile, PoseTable
from ppdet.skeletons import Skeleton
from ppdet.skeletons.base import DEFAULT_SIGMA

PERCENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Statistics:
    """The numbers of one file.

    Attributes:
        images: listed images, and those with objects.
        objects: objects, without crowds.
        table: arrays of the readable objects.
        per_image: (images with objects,) number of objects.
        labelled, hidden: (K,) share of the objects in which a keypoint is labelled, and is labelled as hidden.
        sides: box widths, heights, aspects and shares of the image, each (number of boxes,).
        relative_xy: (K, 2) mean place in the box, 0..1; NaN if never labelled.
        order: how all objects face one way, None if they do not.
        sigmas: (K,) OKS sigmas estimated from objects that were annotated twice; None without enough.
        sigma_source: where the sigmas come from, in one sentence.
    """

    images: tuple[int, int]
    objects: int
    table: PoseTable
    per_image: np.ndarray
    labelled: np.ndarray
    hidden: np.ndarray
    sides: Dict[str, np.ndarray]
    relative_xy: np.ndarray
    order: Optional[Order]
    sigmas: Optional[np.ndarray]
    sigma_source: str

    def to_dict(self, skeleton: Skeleton) -> Dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "images": self.images[0],
            "images_with_objects": self.images[1],
            "objects": self.objects,
            "keypoints": {
                name: {
                    "labelled": round(float(self.labelled[k]), 4),
                    "hidden": round(float(self.hidden[k]), 4),
                    "sigma": None if self.sigmas is None else round(float(self.sigmas[k]), 4),
                }
                for k, name in enumerate(skeleton.names)
            },
            "sizes": {name: dict(zip(map(str, PERCENTILES), percentiles(values))) for name, values in self.sides.items()},
            "one_sided": None if self.order is None else str(self.order),
            "sigma_source": self.sigma_source,
        }


def statistics_of(file: AnnotationFile, repeats: Sequence[Mapping[str, Any]] = ()) -> Statistics:
    """The statistics of a file.

    Args:
        file: a COCO-style file.
        repeats: further annotations of the same objects by other people; entries of the file with a `repeat` above 0 (such as
            Label Studio's second annotators) count as such, too.

    Raises:
        DataError: nothing is labelled in it.
    """
    table = file.table
    rows = np.array([not _repeat_of(file, position) for position in table.position.tolist()], bool).reshape(-1)
    table = _rows(table, rows & table.labelled.any(axis=1))
    if not len(table) or file.skeleton is None:
        raise DataError(f"{file.path}: no object in it has labelled keypoints whose names its category declares")
    hidden = table.keypoints[..., 2] == 1
    box, image = table.box_xywh, table.image_wh
    good = np.asarray((box[:, 2:] > 0).all(axis=1))
    width, height = box[good, 2], box[good, 3]
    known = good & (image > 0).all(axis=1)
    sides = {
        "box width (px)": width, "box height (px)": height, "aspect (width / height)": width / height,
        "share of the image's longer side": box[known, 2:].max(axis=1) / image[known].max(axis=1),
    }  # fmt: skip
    sigmas, source = _sigmas(file, repeats)
    return Statistics(
        (len(file.image_by_id), len(np.unique(table.image))), len(table), table, np.unique(table.image, return_counts=True)[1],
        table.labelled.mean(axis=0), hidden.mean(axis=0), sides, _relative(table, good),
        one_sided(table.keypoints, file.skeleton.names, file.skeleton.flip_pairs), sigmas, source,
    )  # fmt: skip


def percentiles(values: np.ndarray) -> List[float]:
    """Values at `PERCENTILES`; NaN without values."""
    if not len(values):
        return [float("nan")] * len(PERCENTILES)
    return [round(float(value), 4) for value in np.percentile(values, PERCENTILES)]


def _sigmas(file: AnnotationFile, repeats: Sequence[Mapping[str, Any]]) -> tuple[Optional[np.ndarray], str]:
    entries = [entry for _, entry in file.objects]
    again = [*repeats, *(entry for position, entry in file.objects if _repeat_of(file, position))]
    first = [entry for entry in entries if not any(entry is other for other in again)] if again else entries
    assert file.skeleton is not None
    found = estimate_sigmas(first, again, file.skeleton.num_keypoints) if again else None
    if found is not None:
        return found[0], f"estimated from {found[1]} objects that were annotated twice"
    many = f"{len(again)} annotations of objects that were annotated before" if again else "no object was annotated twice"
    return None, (f"cannot be estimated: {many}; {FEWEST_REPEATS} are needed (--repeats FILE, a second person's "
    f"annotations of the "
                  f"same images). Without, every keypoint has {DEFAULT_SIGMA} unless the skeleton states its own")  # fmt: skip


def _repeat_of(file: AnnotationFile, position: int) -> bool:
    entry = file.content["annotations"][position]
    return bool(entry.get("repeat"))


def _rows(table: PoseTable, keep: np.ndarray) -> PoseTable:
    return PoseTable(
        table.position[keep], table.keypoints[keep], table.labelled[keep], table.box_xywh[keep], table.area[keep],
        table.image_wh[keep], table.image[keep],
    )  # fmt: skip


def _relative(table: PoseTable, good: np.ndarray) -> np.ndarray:
    seen = table.labelled[good][..., None]
    place = (table.keypoints[good, :, :2] - table.box_xywh[good, None, :2]) / table.box_xywh[good, None, 2:]
    count = seen.sum(axis=0)
    nan = np.full((seen.shape[1], 2), np.nan)
    mean: np.ndarray = np.divide(np.where(seen, place, 0).sum(axis=0), count, out=nan, where=count > 0)
    return mean

"""Images that are missing, damaged or of another size, and images that occur in training and in validation.

Legend: M images.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import cv2
import numpy as np

from ppdet.annotations.annotated_object import SIZE_TOLERANCE
from ppdet.annotations.image_split import GROUP_KEYS
from ppdet.core.errors import MediaError
from ppdet.data.checking.annotation_file import AnnotationFile
from ppdet.data.checking.finding import ERROR, NOTE, WARNING, Finding, shown
from ppdet.data.formats.image_index import ImageIndex
from ppdet.image.io import read_stored_image
from ppdet.inference.progress import Progress

HASH_SIDE = 16
SAME_BITS = 12
"""Of 256: copies of one image, rescaled or recompressed, differ in fewer; unrelated images of COCO and LSP in 55 or more."""
SAME_CORRELATION = 0.98
LEAST_CONTRAST = 4.0
"""Standard deviation of grey values below which an image has no content to compare."""
THUMBNAIL = 32


@dataclass(frozen=True)
class SeenImage:
    """What is kept of an image: hash bits (256,), thumbnail (32, 32), and where it is."""

    name: str
    bits: np.ndarray
    thumbnail: np.ndarray
    group: Tuple[str, ...]


def check_images(file: AnnotationFile) -> Tuple[List[Finding], List[SeenImage]]:
    """Read all images of a file.

    Returns:
        The findings, and what is needed for `check_leakage`.
    """
    if file.images is None:
        return [Finding(
            "images-not-found", NOTE, "were not checked: none was found near the file", len(file.image_by_id),
            len(file.image_by_id), "images", [], "damaged images and wrong sizes stay unnoticed", "give their folder as --images",
        )], []  # fmt: skip
    paths = {identity: _path(file.images, entry.get("file_name")) for identity, entry in file.image_by_id.items()}
    elsewhere = _elsewhere(file, paths)
    missing: List[Any] = []
    broken: List[Tuple[Any, str]] = []
    sizes: List[Tuple[Any, str]] = []
    unclear: List[Any] = []
    seen: List[SeenImage] = []
    progress = Progress("check", len(file.image_by_id), "image")
    for identity, entry in file.image_by_id.items():
        progress.step()
        path = file.images / elsewhere[identity] if identity in elsewhere else paths[identity]
        if path is None:
            missing.append(identity)
            continue
        try:
            stored = read_stored_image(path)
        except MediaError as error:
            broken.append((identity, str(error)))
            continue
        height, width = stored.rgb.shape[:2]
        stated = (entry.get("width") or 0, entry.get("height") or 0)
        turned = stored.orientation >= 5
        if all(stated) and not _same_size(stated, (width, height)):
            if not (turned and _same_size(stated, (height, width))):
                sizes.append((identity, f"{stated[0]}x{stated[1]} stated, {width}x{height} found"))
        elif stored.orientation != 1 and not all(stated):
            unclear.append(identity)
        seen.append(_seen(stored.rgb, entry))
    progress.close()
    return list(_image_findings(file, missing, elsewhere, broken, sizes, unclear)), seen


def _image_findings(
    file: AnnotationFile, missing: List[Any], elsewhere: Dict[Any, str], broken: List[Tuple[Any, str]],
    sizes: List[Tuple[Any, str]], unclear: List[Any],
) -> Iterator[Finding]:  # fmt: skip
    total = len(file.image_by_id)
    names = {identity: str(entry.get("file_name")) for identity, entry in file.image_by_id.items()}
    if missing:
        yield Finding(
            "image-missing", ERROR, f"are not in {file.images}", len(missing), total, "images",
            shown([names[each] for each in missing]), "their objects are left out, and count as missed in an evaluation",
            "put them there, or give another --images", "removes them with their objects", keys=missing,
        )  # fmt: skip
    if elsewhere:
        yield Finding(
            "image-elsewhere", ERROR, f"are in {file.images} under another path", len(elsewhere), total, "images",
            shown([f"{names[each]} is {path}" for each, path in elsewhere.items()]), "`ppdet dataset init` and `convert` find "
            "them, but a config that names this file does not: it leaves out their objects",
            "write `file_name` as a path from the folder of the images", "sets `file_name` to the path", keys=elsewhere,
        )  # fmt: skip
    if broken:
        yield Finding(
            "image-unreadable", ERROR, "cannot be read", len(broken), total, "images",
            shown([names[each] for each, _ in broken]), f"they are skipped in training; the first: {broken[0][1][:200]}",
            "fetch or export them again", "removes them with their objects", keys=[each for each, _ in broken],
        )  # fmt: skip
    if sizes:
        yield Finding(
            "image-size", ERROR, "have another size than the file states", len(sizes), total, "images",
            shown([f"{names[each]}: {text}" for each, text in sizes]),
            "the image was scaled, turned or cut after labelling, so that labels lie elsewhere; the dataset refuses it",
            "restore the labelled image, or scale its labels", "scales labels where both sides differ by one factor",
            keys=[each for each, _ in sizes],
        )  # fmt: skip
    if unclear:
        yield Finding(
            "orientation-unclear", WARNING, "are rotated by EXIF, and no size is stated", len(unclear), total, "images",
            shown([names[each] for each in unclear]), "labels may refer to the stored or to the rotated image",
            "state width and height, or set exif_orientation in the dataset",
        )  # fmt: skip


def check_leakage(first: Sequence[SeenImage], second: Sequence[SeenImage], names: Tuple[str, str]) -> List[Finding]:
    """Images of one file that occur in the other, by content, and groups (videos, patients) that are in both.

    Args:
        first, second: of `check_images`.
        names: of the two files.
    """
    findings = []
    pairs = same_pictures(first, second)
    if pairs:
        places = [f"{first[a].name} = {second[b].name}" for a, b in pairs]
        findings.append(Finding(
            "leakage", ERROR, f"of {names[1]} are also in {names[0]}", len({b for _, b in pairs}), len(second), "images",
            shown(places), "the score measures memorisation", "remove them from one of the files, or split anew: "
            "ppdet dataset split",
            keys=pairs,
        ))  # fmt: skip
    groups = {each.group for each in first if each.group} & {each.group for each in second if each.group}
    if groups:
        count = sum(each.group in groups for each in second)
        findings.append(Finding(
            "group-leakage", WARNING, f"of {names[1]} belong to a group that is also in {names[0]}", count, len(second), "images",
            shown(sorted("=".join(group) for group in groups)), "frames of one video or images of one patient look alike: "
            "the score is too good",
            "split by group: ppdet dataset split --by KEY",
        ))  # fmt: skip
    return findings


def same_pictures(first: Sequence[SeenImage], second: Sequence[SeenImage]) -> List[Tuple[int, int]]:
    """Pairs (row of the first, row of the second) that show the same image, perhaps rescaled or recompressed."""
    if not first or not second:
        return []
    a, b = (np.stack([each.bits for each in part]).astype(np.float32) for part in (first, second))
    distance = a @ (1 - b).T + (1 - a) @ b.T
    close = np.argwhere(distance <= SAME_BITS)
    return [(int(i), int(j)) for i, j in close if _correlated(first[i].thumbnail, second[j].thumbnail)]


def _correlated(a: np.ndarray, b: np.ndarray) -> bool:
    if min(a.std(), b.std()) < LEAST_CONTRAST:
        return bool(np.array_equal(a, b) and a.std() > 0)
    return bool(np.corrcoef(a.ravel(), b.ravel())[0, 1] >= SAME_CORRELATION)


def _seen(rgb: np.ndarray, entry: Any) -> SeenImage:
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA).astype(int)
    thumbnail = cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float32)
    group = next(((key, str(entry[key])) for key in GROUP_KEYS if entry.get(key) is not None), ())
    return SeenImage(str(entry.get("file_name")), (small[:, 1:] > small[:, :-1]).ravel(), thumbnail, group)


def _same_size(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(abs(x - y) <= SIZE_TOLERANCE for x, y in zip(a, b))


def _elsewhere(file: AnnotationFile, paths: Dict[Any, Optional[Path]]) -> Dict[Any, str]:
    """Where images are that are not at their path: {id: path below the folder}; only files that no other image has."""
    assert file.images is not None
    absent = {identity: str(file.image_by_id[identity].get("file_name")) for identity, path in paths.items() if path is None}
    if not absent:
        return {}
    index = ImageIndex(file.images)
    named = {identity: index.find(name) for identity, name in absent.items()}
    found = {identity: name for identity, name in named.items() if name is not None}
    places = {**paths, **{identity: file.images / name for identity, name in found.items()}}
    taken = Counter(path.resolve() for path in places.values() if path is not None)
    return {identity: name for identity, name in found.items() if taken[(file.images / name).resolve()] == 1}


def _path(folder: Path, name: Any) -> Optional[Path]:
    if not isinstance(name, str) or not name or "\0" in name:
        return None
    for spelling in (name, name.replace("\\", "/")):
        path = folder / spelling
        if path.is_file():
            return path
    return None

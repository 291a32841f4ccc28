"""Reads any annotation file that is known here: finds out which tool wrote it, and gives COCO's form."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple

from ppdet.annotations.coco_file import coco_content
from ppdet.core.config.yaml_loader import load_plain_yaml
from ppdet.core.errors import DataError
from ppdet.core.json_file import read_json
from ppdet.core.logger import get_logger
from ppdet.data.convert.embedded_images import embeds_image, extraction_advice
from ppdet.data.formats import coco, cvat, deeplabcut, label_studio, labelme, mpii, sleap, yolo_pose
from ppdet.data.formats.annotation_set import AnnotationSet
from ppdet.data.formats.image_index import ImageIndex

_log = get_logger(__name__)
_OF_BROKEN_CONTENT = (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError, csv.Error)
KNOWN = (
    "COCO (.json), labelme (a folder of .json), CVAT (.xml), Label Studio (.json), DeepLabCut (.csv, .h5, labeled-data folder), "
    "SLEAP (.csv, .h5, .slp), YOLO-pose (data.yaml or its folder), MPII (.json, .mat)"
)


class Annotations(NamedTuple):
    """An annotation file in COCO's form.

    Attributes:
        content: as `coco_file.coco_content` gives it; `file_name` of each image is relative to `images`.
        tool: which tool's file it was, for messages.
        images: folder of the images.
        notes: what was left out or assumed, one sentence each.
        turned: whether labels refer to images as their EXIF orientation turns them.
    """

    content: Dict[str, Any]
    tool: str
    images: Path
    notes: List[str]
    turned: bool = False


def read_annotations(path: Path, images: Path) -> Annotations:
    """Read an annotation file, or a folder of them, of any tool that is known here.

    Args:
        path: the file or folder.
        images: folder of the annotated images; sub-folders are searched.

    Raises:
        DataError: no such file, a format that is not known, broken content, or none of its images is there.
        PpdetError: a format that needs a package that is not installed.
    """
    if not path.exists():
        raise DataError(f"there is no annotation file {path}; known formats: {KNOWN}")
    index = ImageIndex(images)
    if not index.names:
        raise DataError(f"--images {images} holds no image; give the folder of the annotated images{_embedded_advice(path)}")
    if path.suffix.lower() == ".json" and path.is_file():
        return _read_json(path, index)
    into = AnnotationSet(str(path), index)
    tool = _read_folder(path, into) if path.is_dir() else _read_file(path, into)
    return _finished(into, tool)


def _embedded_advice(path: Path) -> str:
    """What to do if labelme's files came without their images; empty if the first of them does not embed one."""
    file = path if path.is_file() else next(iter(sorted(path.rglob("*.json"))), None)
    if file is None or file.suffix.lower() != ".json" or not embeds_image(read_json(file)):
        return ""
    return f". Labelme's files embed theirs; {extraction_advice(path if path.is_dir() else path.parent)}"


def _finished(into: AnnotationSet, tool: str) -> Annotations:
    content = coco_content(into.content(), into.source)
    return Annotations(content, tool, into.index.root, into.notes, into.turned)


@contextmanager
def _content_of(tool: str, path: Path) -> Iterator[str]:
    """Yields the tool's name; content that the tool does not write is a `DataError`, since readers trust its layout.

    HDF5, MAT and CSV files that are damaged raise nearly anything, deep inside of the libraries that read them.
    """
    try:
        yield tool
    except _OF_BROKEN_CONTENT as error:
        _log.debug("%s", path, exc_info=True)
        raise DataError(
            f"{path} begins as a file of {tool} does, but holds what {tool} does not write ({type(error).__name__}: {error}); "
            f"export it from {tool} again"
        ) from error


def _read_json(path: Path, index: ImageIndex) -> Annotations:
    content = read_json(path, "annotation file", "check the path")
    into = AnnotationSet(str(path), index)
    if label_studio.is_label_studio(content):
        with _content_of("Label Studio", path) as tool:
            label_studio.read(content, into)
        return _finished(into, tool)
    if mpii.is_mpii(content):
        with _content_of("MPII", path) as tool:
            mpii.read(content, into)
        return _finished(into, tool)
    if labelme.is_labelme(content):
        into.turned = True
        with _content_of("labelme", path) as tool:
            labelme.read([path], into)
        return _finished(into, tool)
    if isinstance(content, dict) and ("annotations" in content or "images" in content):
        with _content_of("COCO", path) as tool:
            read, notes = coco.read(path, index)
        return Annotations(read, tool, index.root, notes)
    if label_studio.is_json_min(content):
        raise DataError(f"{path} is Label Studio's JSON-MIN, which does not say whose points are whose; export it as JSON")
    found = f"a mapping with {', '.join(map(str, content))[:100]}" if isinstance(content, dict) else f"a {type(content).__name__}"
    raise DataError(f"{path} is JSON of no known layout ({found}); known formats: {KNOWN}")


def _read_file(path: Path, into: AnnotationSet) -> str:
    suffix = path.suffix.lower()
    if suffix == ".xml":
        with _content_of("CVAT", path) as tool:
            cvat.read(path, into)
        return tool
    if suffix in (".yaml", ".yml"):
        into.turned = True
        with _content_of("YOLO-pose", path) as tool:
            yolo_pose.read(path, into)
        return tool
    if suffix == ".mat":
        with _content_of("MPII", path) as tool:
            mpii.read_mat(path, into)
        return tool
    if suffix == ".csv":
        return _read_csv(path, into)
    if suffix in (".h5", ".hdf5", ".slp"):
        if _is_deeplabcut_h5(path):
            with _content_of("DeepLabCut", path) as tool:
                deeplabcut.read([path], into)
            return tool
        with _content_of("SLEAP", path) as tool:
            sleap.read_h5(path, into)
        return tool
    raise DataError(f"{path}: no format is known by the suffix {suffix or '(none)'}; known formats: {KNOWN}")


def _read_csv(path: Path, into: AnnotationSet) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            first = file.readline()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8: {error}; save it as UTF-8") from error
    if deeplabcut.is_deeplabcut(first):
        with _content_of("DeepLabCut", path) as tool:
            deeplabcut.read([path], into)
        return tool
    if sleap.is_sleap_csv(first):
        with _content_of("SLEAP", path) as tool:
            sleap.read_csv(path, into)
        return tool
    raise DataError(f"{path}: a CSV of DeepLabCut starts with `scorer`, one of SLEAP has `frame_idx`; here: {first[:100]!r}")


def _is_deeplabcut_h5(path: Path) -> bool:
    if not sleap.is_hdf5(path):
        raise DataError(f"{path} is no HDF5 file")
    data = path.read_bytes()[: 1 << 20]
    return b"df_with_missing" in data or b"pandas_type" in data


def _read_folder(folder: Path, into: AnnotationSet) -> str:
    yamls = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    if any(yolo_pose.is_yolo_yaml(load_plain_yaml(file)) for file in yamls):
        into.turned = True
        with _content_of("YOLO-pose", folder) as tool:
            yolo_pose.read(folder, into)
        return tool
    tables = sorted(folder.rglob("CollectedData*.csv")) or sorted(folder.rglob("CollectedData*.h5"))
    if tables:
        with _content_of("DeepLabCut", folder) as tool:
            deeplabcut.read(tables, into)
        return tool
    jsons = sorted(folder.rglob("*.json"))
    if jsons:
        into.turned = True
        with _content_of("labelme", folder) as tool:
            labelme.read(jsons, into)
        return tool
    raise DataError(f"{folder}: no annotation files of a known format in it; known formats: {KNOWN}")

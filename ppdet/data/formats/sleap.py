"""SLEAP's analysis files (CSV and HDF5) and its projects (.slp).

Rows name frames of a video; a frame is the image whose name ends with its number. Pixel centres are whole numbers, as here, since
format 1.1; older projects count from the corner of the first pixel.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from ppdet.core.errors import DataError, PpdetError
from ppdet.core.extras import install_extra
from ppdet.data.formats.annotation_set import AnnotationSet, Point
from ppdet.data.formats.isolated import arrays_of

CLASS = "animal"
CENTRE_SINCE = 1.1
_SCRIPT = """
import sys
import h5py
import numpy as np

def text(value):
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)

def plain(value):
    value = np.asarray(value)
    return np.array([text(each) for each in value.ravel()], "U").reshape(value.shape) if value.dtype.kind in "OS" else value

with h5py.File(sys.argv[1], "r") as file:
    wanted = ("tracks", "node_names", "edge_names", "frames", "instances", "points")
    kept = {name: plain(file[name][()]) for name in wanted if name in file}
    if "dims" in (file["tracks"].attrs if "tracks" in file else ()):
        kept["dims"] = np.array(text(file["tracks"].attrs["dims"]))
    if "metadata" in file:
        attributes = file["metadata"].attrs
        kept.update({name: np.array(text(attributes[name])) for name in ("json", "format_id") if name in attributes})
    kept["names"] = np.array([text(name) for name in file], "U")
np.savez(sys.argv[2], **kept)
"""
NO_H5 = f"needs h5py, which is not installed here: pip install h5py, or {install_extra('formats')}"


def is_sleap_csv(first_line: str) -> bool:
    """Whether a CSV file that starts so is one of SLEAP."""
    cells = [cell.strip() for cell in first_line.lstrip("\ufeff").split(",")]
    return "frame_idx" in cells and any(cell.endswith(".x") for cell in cells)


def read_csv(file: Path, into: AnnotationSet) -> None:
    """Add the instances of an analysis CSV.

    Raises:
        DataError: no frame of it is among the images.
    """
    with open(file, newline="", encoding="utf-8-sig") as opened:
        rows = list(csv.DictReader(opened))
    nodes = [key[:-2] for key in (rows[0] if rows else {}) if key.endswith(".x")]
    into.declare(CLASS, nodes)
    frames = Frames(into, file)
    for row in rows:
        points = {node: _point(_float(row.get(f"{node}.x")), _float(row.get(f"{node}.y"))) for node in nodes}
        frames.add(int(float(row["frame_idx"])), points)
    frames.end()


def read_h5(file: Path, into: AnnotationSet) -> None:
    """Add the instances of an analysis HDF5 or of a project.

    Raises:
        PpdetError: h5py is not installed.
        DataError: neither of SLEAP's files, or no frame of it is among the images.
    """
    if importlib.util.find_spec("h5py") is None:
        raise PpdetError(f"{file}: SLEAP's HDF5 {NO_H5}, or export the analysis as CSV")
    content = arrays_of(file, _SCRIPT, "HDF5 file")
    if "tracks" in content and "node_names" in content:
        _read_analysis(content, file, into)
    elif all(name in content for name in ("frames", "instances", "points", "json")):
        _read_project(content, file, into)
    else:
        names = ", ".join(content["names"].tolist())[:200]
        raise DataError(f"{file}: no SLEAP analysis (tracks, node_names), no project; it has {names}")


def _read_analysis(content: Mapping[str, Any], file: Path, into: AnnotationSet) -> None:
    nodes = content["node_names"].tolist()
    tracks = _ordered(np.asarray(content["tracks"], np.float64), len(nodes), content.get("dims"), file)
    into.declare(CLASS, nodes, [pair for pair in content.get("edge_names", np.empty(0)).tolist() if len(pair) == 2])
    frames = Frames(into, file)
    for track in range(tracks.shape[0]):
        for number in np.flatnonzero(np.isfinite(tracks[track]).all(axis=0).any(axis=0)).tolist():
            xy = tracks[track, :, :, number]
            frames.add(number, {node: _point(*xy[:, i].tolist()) for i, node in enumerate(nodes)})
    frames.end()


def _ordered(tracks: np.ndarray, num_nodes: int, dims: Any, file: Path) -> np.ndarray:
    """(track, 2, node, frame) of any of SLEAP's axis orders."""
    if dims is not None:
        order = [str(name) for name in json.loads(str(dims))]
        starts = ("track", "xy", "node", "frame")
        wanted = [next((i for i, name in enumerate(order) if name.startswith(start)), -1) for start in starts]
        if -1 not in wanted:
            return tracks.transpose(wanted)
    if tracks.ndim == 4 and tracks.shape[1] == 2 and tracks.shape[2] == num_nodes:
        return tracks
    if tracks.ndim == 4 and tracks.shape[3] == 2 and tracks.shape[2] == num_nodes:  # frame, track, node, xy
        return tracks.transpose(1, 3, 2, 0)
    raise DataError(f"{file}: `tracks` has shape {tracks.shape}, expected (tracks, 2, {num_nodes} nodes, frames)")


def _read_project(content: Mapping[str, Any], file: Path, into: AnnotationSet) -> None:
    nodes, links = _skeleton_of(json.loads(str(content["json"])))
    shift = 0.0 if float(content.get("format_id", 1.4)) >= CENTRE_SINCE else -0.5
    into.declare(CLASS, nodes, links)
    frames = Frames(into, file)
    points = content["points"]
    for frame in content["frames"]:
        for each in content["instances"][int(frame["instance_id_start"]) : int(frame["instance_id_end"])]:
            if int(each["instance_type"]) != 0:  # predicted: nobody has looked at it
                continue
            rows = points[int(each["point_id_start"]) : int(each["point_id_end"])]
            named = {
                node: _point(float(row["x"]) + shift, float(row["y"]) + shift, bool(row["visible"]))
                for node, row in zip(nodes, rows)
            }
            frames.add(int(frame["frame_idx"]), named)
    frames.end()


def _skeleton_of(content: Mapping[str, Any]) -> Tuple[List[str], List[List[str]]]:
    """Names and links of a project's first skeleton; its `nodes` index into the project's list of all nodes."""
    every = [str(node["name"] if isinstance(node, Mapping) else node) for node in content["nodes"]]
    first = content["skeletons"][0]
    order = [int(node["id"]) for node in first["nodes"]]
    links = [[every[int(link["source"])], every[int(link["target"])]] for link in first.get("links", ())
             if _is_body(link) and int(link["source"]) < len(every) and int(link["target"]) < len(every)]  # fmt: skip
    return [every[i] for i in order], links


def _is_body(link: Mapping[str, Any]) -> bool:
    """Whether a link joins body parts: symmetries are written as links of type 2."""
    kind = link.get("type") or {}
    values = kind.get("py/reduce") or [None, {"py/tuple": [1]}] if isinstance(kind, Mapping) else [None, {"py/tuple": [1]}]
    state = values[1] if len(values) > 1 and isinstance(values[1], Mapping) else {"py/tuple": [1]}
    return state.get("py/tuple", [1])[0] == 1 and not (isinstance(kind, Mapping) and kind.get("py/id") == 2)


class Frames:
    """Finds the image of each frame of a video by its number."""

    def __init__(self, into: AnnotationSet, file: Path) -> None:
        self.into, self.file = into, file
        self.missing = self.found = 0
        self._by_number: Dict[int, str] = {}
        for name in into.index.names:
            digits = re.findall(r"\d+", Path(name).stem)
            if digits:
                self._by_number.setdefault(int(digits[-1]), name)

    def add(self, number: int, points: Dict[str, Point]) -> None:
        """An instance of a frame; ignored if nothing in it is labelled."""
        if not any(v for _, _, v in points.values()):
            return
        name = self._by_number.get(number)
        image: Optional[Dict[str, Any]] = None if name is None else self.into.image(name, video=self.file.stem)
        if image is None:
            self.missing += 1
            return
        self.found += 1
        self.into.add(image, CLASS, points)

    def end(self) -> None:
        """Say what was left out.

        Raises:
            DataError: no frame has an image.
        """
        if not self.found:
            raise DataError(
                f"{self.file}: none of its {self.missing} instances lies in a frame of {self.into.index.root}; write each frame "
                "into an image whose name ends with the frame's number (frame_000010.png)"
            )
        if self.missing:
            self.into.notes.append(f"{self.missing} instances lie in frames without an image and are left out")


def _point(x: float, y: float, visible: bool = True) -> Point:
    return (x, y, 2 if visible else 1) if math.isfinite(x) and math.isfinite(y) else (0, 0, 0)


def _float(value: Optional[str]) -> float:
    try:
        return float(value or "nan")
    except ValueError:
        return math.nan


def is_hdf5(file: Path) -> bool:
    """Whether a file is HDF5, by its signature."""
    with open(file, "rb") as opened:
        return opened.read(8) == b"\x89HDF\r\n\x1a\n"

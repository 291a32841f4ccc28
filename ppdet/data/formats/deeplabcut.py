"""DeepLabCut's labels: `CollectedData_<scorer>.csv` (or .h5), of one animal or of several."""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from ppdet.core.errors import DataError, PpdetError
from ppdet.core.quantity import quantity
from ppdet.data.formats.annotation_set import AnnotationSet, Point

SINGLE = "single"
"""DeepLabCut's name of the individual that owns body parts of no animal, such as corners of the arena."""
CLASS = "animal"
LIKELY = 0.6
"""Likelihood from which a predicted point counts as a label; DeepLabCut's own `pcutoff`."""
COORDS = ("x", "y", "likelihood")

Column = Tuple[str, str, str]
"""individual, body part, x or y or likelihood."""


def is_deeplabcut(first_line: str) -> bool:
    """Whether a CSV file that starts so is one of DeepLabCut."""
    return first_line.lstrip("\ufeff").split(_delimiter(first_line))[0].strip().lower() == "scorer"


def _delimiter(first_line: str) -> str:
    """A spreadsheet of some languages saves semicolons, and decimal commas."""
    return next((sign for sign in ",;\t" if f"scorer{sign}" in first_line.lower().replace('"', "")), ",")


def read(files: Sequence[Path], into: AnnotationSet) -> None:
    """Add the animals of label files.

    Points of a likelihood below `LIKELY` are left out, and a note counts them. Labels set by hand have no likelihood.

    Raises:
        DataError: a header that is not DeepLabCut's, or predictions of a video, whose rows are frame numbers without images.
    """
    unlikely: Counter[str] = Counter()
    for file in files:
        columns, rows = _h5_table(file) if file.suffix.lower() in (".h5", ".hdf5") else _csv_table(file)
        for name, values in rows:
            _add_row(name, values, columns, into, unlikely)
    if unlikely:
        into.notes.append(
            f"left out: {quantity(sum(unlikely.values()), 'point')} of {quantity(len(unlikely), 'image')} of likelihood below "
            f"{LIKELY:g}, which are predictions; correct them in DeepLabCut and save its labels to keep them"
        )


def _add_row(
    name: str, values: Sequence[Any], columns: Sequence[Column], into: AnnotationSet, unlikely: Counter[str]
) -> None:
    cells: Dict[Tuple[str, str], Dict[str, float]] = {}
    for column, value in zip(columns, values):
        cells.setdefault(column[:2], {})[column[2]] = _number(value)
    animals: Dict[str, Dict[str, Point]] = {}
    for (individual, part), cell in cells.items():
        if individual == SINGLE:
            continue
        is_likely = cell.get("likelihood", 1.0) >= LIKELY
        points = animals.setdefault(individual, {})
        x, y = cell.get("x", math.nan), cell.get("y", math.nan)
        is_placed = math.isfinite(x) and math.isfinite(y)
        if is_placed and not is_likely:
            unlikely[name] += 1
        points[part] = (x, y, 2) if is_placed and is_likely else (0, 0, 0)
    for points in animals.values():
        into.declare(CLASS, list(points))
    labelled = [points for points in animals.values() if any(v for _, _, v in points.values())]
    image = into.image(name, video=name.rpartition("/")[0]) if labelled else None
    if image is not None:
        for points in labelled:
            into.add(image, CLASS, points)


def _number(value: Any) -> float:
    try:
        return float(value.replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError):
        return math.nan


def _csv_table(file: Path) -> Tuple[List[Column], List[Tuple[str, List[str]]]]:
    with open(file, newline="", encoding="utf-8-sig") as opened:
        delimiter = _delimiter(opened.readline())
        opened.seek(0)
        table = [row for row in csv.reader(opened, delimiter=delimiter) if row]
    head = {row[0].strip().lower(): row for row in table[:5]}
    if "bodyparts" not in head or "coords" not in head:
        raise DataError(f"{file}: its first lines do not say `bodyparts` and `coords`, as DeepLabCut's do")
    start = list(head).index("coords") + 1
    coords = [cell.strip().lower() for cell in head["coords"]]
    first = next((number for number, cell in enumerate(coords) if cell in COORDS), 0)
    who = head.get("individuals", [""] * len(coords))
    columns = [(who[n].strip(), head["bodyparts"][n].strip(), coords[n]) for n in range(first, len(coords))]
    if first == 1 and table[start:] and all(row[0].strip().replace(".", "").isdigit() for row in table[start:]):
        raise DataError(f"{file} holds predictions by frame number; give the label file CollectedData_*.csv")
    return columns, [("/".join(cell.strip() for cell in row[:first]).replace("\\", "/"), row[first:]) for row in table[start:]]


def _h5_table(file: Path) -> Tuple[List[Column], List[Tuple[str, List[Any]]]]:
    beside = file.with_suffix(".csv")
    try:
        import pandas

        table = pandas.read_hdf(file)
    except ImportError as error:
        if beside.is_file():
            return _csv_table(beside)
        raise PpdetError(
            f"{file}: DeepLabCut's HDF5 needs pandas and tables, which are not installed: pip install pandas tables, or give "
            "the CSV file that lies beside it"
        ) from error
    columns = [(str(key[1]) if len(key) == 4 else "", str(key[-2]), str(key[-1])) for key in table.columns]
    rows = []
    for key, values in zip(table.index, table.to_numpy().tolist()):
        name = "/".join(map(str, key)) if isinstance(key, tuple) else str(key)
        rows.append((name.replace("\\", "/"), values))
    return columns, rows

"""Text and JSON of `KeypointScores`."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Mapping, Sequence

import numpy as np

from ppdet.metrics.landmarks.figures import CONFIDENCE, FigureTable

_UNITS = {"box": "the longer side of the annotated box", "diagonal": "the diagonal of the annotated box",
          "area": "the square root of the object's area"}  # fmt: skip


def describe_unit(unit: Any) -> str:
    """The reference length in words."""
    return _UNITS[unit] if isinstance(unit, str) else f"the distance of {unit[0]} and {unit[1]}"


def score_report(stats: Mapping[str, float], tables: Sequence[FigureTable], names: Sequence[str], notes: Sequence[str]) -> str:
    """A row of all figures, the intervals, notes, and one row per keypoint."""
    by_name = {table.figure.name: table for table in tables}
    head = [f"{name} ({by_name[name].figure.unit})" if name in by_name and by_name[name].figure.unit else name for name in stats]
    lines = [_row(head), _rule(len(head)), _row([_text(value) for value in stats.values()])]
    if any(np.isfinite(table.interval).all() for table in tables):
        spans = [_span(by_name[name].interval) if name in by_name else "-" for name in stats]
        lines.append(_row(spans))
        notes = [f"the second row is the {CONFIDENCE:.0%} bootstrap interval over images", *notes]
    lines += [f"note: {note}" for note in notes]
    if tables:
        lines += _per_keypoint(tables, names)
    return "\n".join(lines)


def tables_as_json(stats: Mapping[str, float], tables: Sequence[FigureTable], names: Sequence[str]) -> Dict[str, Any]:
    """The same as plain values; what does not exist is null."""
    per_keypoint = {
        name: {
            table.figure.name: {
                "value": _plain(table.per_keypoint[k]),
                "interval": [_plain(each) for each in table.intervals[k]],
                "count": int(table.count[k]),
            }
            for table in tables
        }
        for k, name in enumerate(names)
    }
    return {
        "figures": {name: _plain(value) for name, value in stats.items()},
        "intervals": {table.figure.name: [_plain(each) for each in table.interval] for table in tables},
        "confidence": CONFIDENCE,
        "keypoints": per_keypoint,
    }


def _per_keypoint(tables: Sequence[FigureTable], names: Sequence[str]) -> List[str]:
    header = ["keypoint", "labelled"]
    for table in tables:
        unit = f" ({table.figure.unit})" if table.figure.unit else ""
        header += [f"{table.figure.name}{unit}", f"{CONFIDENCE:.0%}"]
    lines = [_row(header), _rule(len(header))]
    counts = np.max([table.count for table in tables], axis=0)
    for k, name in enumerate(names):
        cells = [name, str(int(counts[k]))]
        for table in tables:
            cells += [_text(table.per_keypoint[k]), _span(table.intervals[k])]
        lines.append(_row(cells))
    return lines


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


def _text(value: float) -> str:
    return "-" if not math.isfinite(value) else f"{value:.3f}"


def _span(interval: np.ndarray) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}" if np.isfinite(interval).all() else "-"


def _plain(value: float) -> Any:
    return round(float(value), 6) if math.isfinite(value) else None

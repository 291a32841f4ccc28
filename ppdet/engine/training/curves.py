"""A picture of a training run: loss, learning rate and evaluation figures, drawn with OpenCV alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import cv2
import numpy as np

from ppdet.core.files import atomic_path

_WIDTH, _PANEL, _LEFT, _RIGHT, _TOP, _BOTTOM = 1100, 330, 92, 24, 46, 44
_INK, _GRID, _PAPER = (60, 60, 60), (228, 228, 228), (255, 255, 255)
_COLORS = ((178, 102, 31), (40, 110, 230), (70, 150, 40), (150, 60, 150), (60, 60, 200))  # BGR
_NOT_LOSSES = {"kind", "epoch", "step", "learning_rate", "images_per_s", "time"}
_EVAL_SHOWN = ("AP", "AP50", "AR", "PCKh", "PCKh@0.5", "Mean", "AUC", "NME", "PCK")
Series = Dict[str, Tuple[np.ndarray, np.ndarray]]


def draw_curves(lines: Sequence[Mapping[str, Any]], path: Path, title: str = "") -> Path:
    """Draw the lines of a `train_log.jsonl`: one panel for the losses, one for figures if there are any, one for the rate.

    Args:
        lines: mappings of kind "train" and "eval", as `TrainingLog` writes them.
        path: picture to write.
        title: text on top.
    """
    train = [line for line in lines if line["kind"] == "train"]
    evals = [line for line in lines if line["kind"] == "eval"]
    panels = [_panel(_series(train, sorted(set(train[-1]) - _NOT_LOSSES)), f"{title}  loss (log scale)", log=True)]
    if evals:
        shown = [name for name in evals[-1] if name in _EVAL_SHOWN] or [
            name for name, value in evals[-1].items() if name not in _NOT_LOSSES and isinstance(value, (int, float))
        ]
        panels.append(_panel(_series(evals, shown[:4]), "evaluation", marks=True))
    panels.append(_panel(_series(train, ["learning_rate"]), "learning rate"))
    with atomic_path(path) as temporary:
        cv2.imwrite(str(temporary), np.concatenate(panels))
    return Path(path)


def _series(lines: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Series:
    result: Series = {}
    for name in names:
        points = [(line["step"], line[name]) for line in lines if isinstance(line.get(name), (int, float))]
        if points:
            x, y = np.array(points, np.float64).T
            result[name] = (x, y)
    return result


def _panel(series: Series, title: str, log: bool = False, marks: bool = False) -> np.ndarray:
    image = np.full((_PANEL, _WIDTH, 3), _PAPER, np.uint8)
    log = log and all((y > 0).all() for _, y in series.values())
    last = max(float(x[-1]) for x, _ in series.values())
    values = np.concatenate([y[np.isfinite(y)] for _, y in series.values()])
    low, high, ticks = _range(values, log)
    x_ticks = [tick for tick in _ticks(0.0, last) if tick <= last]

    def place(x: float, y: float) -> Tuple[int, int]:
        height = (math.log10(y) - math.log10(low)) / (math.log10(high) - math.log10(low)) if log else (y - low) / (high - low)
        across = x / last if last else 0.0
        return (
            int(round(_LEFT + across * (_WIDTH - _LEFT - _RIGHT))),
            int(round(_PANEL - _BOTTOM - min(max(height, 0.0), 1.0) * (_PANEL - _TOP - _BOTTOM))),
        )

    for tick in ticks:
        _, row = place(0.0, tick)
        cv2.line(image, (_LEFT, row), (_WIDTH - _RIGHT, row), _GRID, 1)
        _text(image, _number(tick), (_LEFT - 10, row + 5), align="right")
    for tick in x_ticks:
        column, _ = place(tick, low)
        cv2.line(image, (column, _PANEL - _BOTTOM), (column, _PANEL - _BOTTOM + 5), _INK, 1)
        _text(image, _number(tick), (column, _PANEL - _BOTTOM + 22), align="middle")
    cv2.rectangle(image, (_LEFT, _TOP), (_WIDTH - _RIGHT, _PANEL - _BOTTOM), _INK, 1)
    _text(image, "iteration", (_WIDTH - _RIGHT, _PANEL - 6), align="right")
    _text(image, title, (_LEFT, 28), size=0.6)
    _draw_series(image, series, place, marks)
    return image


def _draw_series(image: np.ndarray, series: Series, place: Any, marks: bool) -> None:
    column = _WIDTH - _RIGHT
    for (name, (x, y)), color in reversed(list(zip(series.items(), _COLORS))):
        points = np.array([place(a, b) for a, b in zip(x, y) if math.isfinite(b)], np.int32)
        cv2.polylines(image, [points], False, color, 2, cv2.LINE_AA)
        if marks or len(points) == 1:
            for point in points:
                cv2.circle(image, tuple(int(v) for v in point), 4, color, -1, cv2.LINE_AA)
        label = f"{name} {_number(float(y[-1]))}"
        width = _text(image, label, (column, 28), align="right", color=color)
        column -= width + 24


def _range(values: np.ndarray, log: bool) -> Tuple[float, float, List[float]]:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if not log:
        low = min(low, 0.0)
        high = high if high > low else low + 1.0
        ticks = _ticks(low, high)
        return low, max(high, ticks[-1]), ticks
    low, high = low * 0.9, high * 1.1
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [digit * 10.0**exponent for exponent in decades for digit in (1, 2, 5)]
    ticks = ticks if sum(low <= tick <= high for tick in ticks) > 2 else _ticks(low, high)
    return low, high, [tick for tick in ticks if low <= tick <= high]


def _ticks(low: float, high: float) -> List[float]:
    """About five round numbers from `low` past `high`."""
    raw = max(high - low, 1e-12) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    width = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= raw * 0.999)
    return [width * number for number in range(math.floor(low / width), math.ceil(high / width - 1e-9) + 1)]


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _text(
    image: np.ndarray, text: str, xy: Tuple[int, int], size: float = 0.5, align: str = "left", color: Tuple[int, ...] = _INK
) -> int:
    """Write text with its base line at `xy`; returns its width in pixels."""
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    left = {"left": xy[0], "middle": xy[0] - width // 2, "right": xy[0] - width}[align]
    cv2.putText(image, text, (left, xy[1]), cv2.FONT_HERSHEY_SIMPLEX, size, color, 1, cv2.LINE_AA)
    return width

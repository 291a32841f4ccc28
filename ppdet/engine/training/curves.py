"""Plots a training run: losses, evaluation figures and learning rate, with matplotlib."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.core.files import atomic_path
from ppdet.core.logger import get_logger
from ppdet.metrics.coco_evaluation import KEYPOINT_STATS
from ppdet.metrics.landmarks.figure_names import is_figure_name, unit_of

_log = get_logger(__name__)
MISSING = "matplotlib is not installed, so curves.png is not drawn (the numbers are in train_log.jsonl): pip install matplotlib"
_NOT_LOSSES = {"kind", "epoch", "step", "learning_rate", "images_per_s", "time"}
_EVAL_SHOWN = ("AP", "AP50", "AR", "PCKh", "PCKh@0.5", "Mean", "AUC", "NME", "PCK")
_MOST_SHOWN = 12
_INCHES, _DPI = (11.0, 3.3), 100
Series = Dict[str, Tuple[np.ndarray, np.ndarray]]


@lru_cache(None)
def curves_drawable() -> bool:
    """Whether matplotlib is installed; logs once if it is not."""
    if find_spec("matplotlib") is None:
        _log.info(MISSING)
        return False
    return True


def draw_curves(lines: Sequence[Mapping[str, Any]], path: Path, title: str = "") -> Path:
    """Plot the lines of a `train_log.jsonl`: losses, evaluation figures if there are any, learning rate.

    Args:
        lines: mappings of kind "train" and "eval", as `TrainingLog` writes them.
        path: image file to write.
        title: title of the plot.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError(MISSING) from error
    train = [line for line in lines if line["kind"] == "train"]
    evals = [line for line in lines if line["kind"] == "eval"]
    panels: List[Tuple[str, Series]] = [(f"{title}  loss", _series(train, sorted(set(train[-1]) - _NOT_LOSSES)))]
    if evals:
        panels += [(title, _series(evals, names)) for title, names in _evaluation_panels(evals[-1])]
    panels.append(("learning rate", _series(train, ["learning_rate"])))
    # Figure and canvas directly, because pyplot would change the global backend of the caller.
    figure = Figure(figsize=(_INCHES[0], _INCHES[1] * len(panels)), dpi=_DPI, layout="constrained")
    for axes, (name, series) in zip(np.atleast_1d(figure.subplots(len(panels))), panels):
        _plot(axes, name, series)
    with atomic_path(path) as temporary:
        FigureCanvasAgg(figure).print_png(str(temporary))
    return Path(path)


def _evaluation_panels(line: Mapping[str, Any]) -> List[Tuple[str, List[str]]]:
    """(title, names) of the figures that are shown, one panel per unit, since pixels and shares need scales of their own."""
    panels: Dict[str, List[str]] = {}
    for name in _shown_figures(line):
        panels.setdefault(unit_of(name), []).append(name)
    return [(f"evaluation ({unit})" if unit else "evaluation", names) for unit, names in panels.items()]


def _shown_figures(line: Mapping[str, Any]) -> List[str]:
    numbers = [name for name, value in line.items() if name not in _NOT_LOSSES and isinstance(value, (int, float))]
    known = [name for name in numbers if name in _EVAL_SHOWN or (is_figure_name(name) and name not in KEYPOINT_STATS)]
    return known[:_MOST_SHOWN] or numbers[:4]


def _series(lines: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Series:
    result: Series = {}
    for name in names:
        points = [(line["step"], line[name]) for line in lines if isinstance(line.get(name), (int, float))]
        if points:
            x, y = np.array(points, np.float64).T
            result[name] = (x, y)
    return result


def _plot(axes: Any, title: str, series: Series) -> None:
    for name, (x, y) in series.items():
        axes.plot(x, y, marker="o" if len(x) < 50 else "", markersize=3, label=f"{name} {y[-1]:.4g}")
    if title.endswith("loss") and series and all((y > 0).all() for _, y in series.values()):
        axes.set_yscale("log")
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel("iteration", fontsize=9)
    axes.grid(True, alpha=0.3)
    if series:
        axes.legend(fontsize=9)

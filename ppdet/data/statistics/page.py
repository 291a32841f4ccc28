"""The page and the text of `ppdet dataset stats`."""

from __future__ import annotations

from typing import Any, List

import numpy as np

from ppdet.data.statistics.statistics import PERCENTILES, Statistics, percentiles
from ppdet.skeletons import Skeleton
from ppdet.visualize.html_page import HtmlPage, plot_bytes


def text(found: Statistics, skeleton: Skeleton) -> str:
    """The statistics as text."""
    lines = [
        f"{found.images[0]} images, {found.images[1]} of them with {found.objects} labelled objects (at most "
        f"{found.per_image.max()} "
        "per image)",
        "| keypoint | labelled | hidden | sigma |", "|---|---|---|---|",
    ]  # fmt: skip
    for k, name in enumerate(skeleton.names):
        sigma = "-" if found.sigmas is None else f"{found.sigmas[k]:.4f}"
        lines.append(f"| {name} | {found.labelled[k]:.1%} | {found.hidden[k]:.1%} | {sigma} |")
    lines += [f"| size | {' | '.join(f'{p} %' for p in PERCENTILES)} |", "|" + "---|" * (1 + len(PERCENTILES))]
    for name, values in found.sides.items():
        lines.append(f"| {name} | {' | '.join(f'{value:.4g}' for value in percentiles(values))} |")
    lines.append(f"sigmas: {found.sigma_source}")
    if found.order is not None:
        lines.append(f"all objects face one way: {found.order}; train without mirroring")
    return "\n".join(lines)


def page(found: Statistics, skeleton: Skeleton, title: str) -> HtmlPage:
    """The statistics with plots, not yet written."""
    result = HtmlPage(title)
    result.text(f"{found.images[0]} images, {found.images[1]} of them with {found.objects} labelled objects.")
    if found.order is not None:
        result.text(f"All objects face one way: {found.order}. Train without mirroring.", note=True)
    result.section("Keypoints")
    result.figure(plot_bytes(_visibility(found, skeleton)), "share of the objects")
    rows: List[Any] = []
    for k, name in enumerate(skeleton.names):
        sigma = "-" if found.sigmas is None else float(found.sigmas[k])
        x, y = found.relative_xy[k]
        rows.append((name, f"{found.labelled[k]:.1%}", f"{found.hidden[k]:.1%}", float(x), float(y), sigma))
    result.table(("keypoint", "labelled", "hidden", "mean x in box", "mean y in box", "sigma"), rows)
    result.text(f"Sigmas: {found.sigma_source}.")
    result.section("Sizes")
    header = ("", *(f"{p} %" for p in PERCENTILES))
    result.table(header, [(name, *percentiles(values)) for name, values in found.sides.items()])
    result.figure(plot_bytes(_sizes(found)), "distributions, and objects per image")
    return result


def _visibility(found: Statistics, skeleton: Skeleton) -> Any:
    from matplotlib.figure import Figure

    count = skeleton.num_keypoints
    figure = Figure(figsize=(10, 1.2 + 0.27 * count), dpi=90, layout="constrained")
    axes = figure.subplots()
    rows = np.arange(count)
    visible = found.labelled - found.hidden
    axes.barh(rows, visible, color="#3a923a", label="visible")
    axes.barh(rows, found.hidden, left=visible, color="#e8c33c", label="hidden")
    axes.barh(rows, 1 - found.labelled, left=found.labelled, color="#8883", label="not labelled")
    axes.set_yticks(rows, skeleton.names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    figure.legend(fontsize=8, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _sizes(found: Statistics) -> Any:
    from matplotlib.figure import Figure

    series = {**found.sides, "objects per image": found.per_image.astype(float)}
    figure = Figure(figsize=(11, 4.6), dpi=90, layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    for place, (name, values) in zip(axes, series.items()):
        place.hist(values, bins=30, color="#1f6fb4")
        place.set_title(name, fontsize=9)
    for place in axes[len(series) :]:
        place.axis("off")
    return figure

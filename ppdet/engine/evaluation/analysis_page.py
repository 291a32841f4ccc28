"""The page of `ppdet analyze`. Legend: N objects, K keypoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Optional, Tuple

import cv2
import numpy as np

from ppdet.core.errors import MediaError
from ppdet.core.logger import get_logger
from ppdet.image.io import read_image
from ppdet.metrics.analysis.analysis import Analysis
from ppdet.metrics.analysis.calibration import Reliability
from ppdet.metrics.analysis.error_kinds import DETECTOR_MISS, GOOD, KINDS
from ppdet.metrics.coco_ground_truth import CocoGroundTruth
from ppdet.skeletons import Skeleton
from ppdet.visualize.html_page import HtmlPage, plot_bytes
from ppdet.visualize.pose_drawer import PoseDrawer

logger = get_logger(__name__)

TILE_HEIGHT = 320
MARGIN = 0.25
"""Of the longer side, around an object in the gallery."""
MOST_CONFUSIONS = 20
_COLORS = ("#3a923a", "#e8c33c", "#d9822b", "#c23b80", "#c0392b", "#6b6b6b")
_EXPLAINED = {
    "good": "similarity (OKS term) with its own label at least .85",
    "jitter": "similarity .5 to .85: the right place, imprecisely",
    "inversion": "on the mirror keypoint of the same object: left and right confused",
    "swap": "on the same keypoint of another object",
    "miss": "near none of these",
    "detector miss": "the object has no prediction, or only one far away from it",
}


def analysis_page(
    found: Analysis,
    skeleton: Skeleton,
    truth: CocoGroundTruth,
    image_dir: Optional[Path],
    worst: int,
    setting: str,
) -> HtmlPage:
    """The page, not yet written.

    Args:
        found: the findings.
        skeleton: names and links.
        truth: the annotation file, for the images' names.
        image_dir: folder of the images; None for no gallery.
        worst: number of objects in the gallery.
        setting: where the predictions come from.
    """
    page = HtmlPage(f"Errors on {truth.path.name}")
    page.text(f"{len(found.objects)} labelled objects, AP {found.ap:.3f}. {setting}")
    for note in truth.notes:
        page.text(note, note=True)
    _errors(page, found, skeleton)
    _calibration(page, found)
    _boxes(page, found)
    _gallery(page, found, skeleton, truth, image_dir, worst)
    return page


def _errors(page: HtmlPage, found: Analysis, skeleton: Skeleton) -> None:
    page.section("Kinds of errors")
    counts = found.errors.counts()
    total = max(int(counts.sum()), 1)
    rows = []
    for number, kind in enumerate(KINDS):
        count = int(counts[:, number].sum())
        gain = found.ap_without.get(kind)
        rows.append((kind, count, f"{count / total:.1%}", "-" if gain is None else f"{gain:.3f}", _EXPLAINED[kind]))
    page.table(("kind", "keypoints", "share", "AP if corrected", "meaning"), rows)
    page.figure(plot_bytes(_error_bars(counts, skeleton)), "share of each kind by keypoint")
    header = ("keypoint", "labelled", *KINDS)
    page.table(header, [(name, int(row.sum()), *row.tolist()) for name, row in zip(skeleton.names, counts)])
    confusions = found.errors.confusions(skeleton.names)[:MOST_CONFUSIONS]
    if confusions:
        page.text("Most frequent confusions:")
        page.table(("kind", "keypoint", "taken for", "count"), confusions)


def _error_bars(counts: np.ndarray, skeleton: Skeleton) -> Any:
    from matplotlib.figure import Figure

    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(10, 1.2 + 0.27 * len(counts)), dpi=90, layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(counts))
    for number, kind in enumerate(KINDS):
        axes.barh(np.arange(len(counts)), share[:, number], left=left, color=_COLORS[number], label=kind)
        left += share[:, number]
    axes.set_yticks(np.arange(len(counts)), skeleton.names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.06 - 0.6 / len(counts)), ncols=len(KINDS), fontsize=8, frameon=False)
    return figure


def _calibration(page: HtmlPage, found: Analysis) -> None:
    page.section("Confidence")
    fit = found.calibration
    if fit is None:
        page.text(f"No calibration: {found.no_calibration}", note=True)
        return
    page.text("A keypoint is right if its similarity with its label is at least .5. The expected calibration error (ECE) "
    "is the mean "
              "difference of confidence and share of right keypoints.")  # fmt: skip
    rows = [
        ("as it is", fit.before.ece, fit.before.log_loss),
        (f"temperature {fit.temperature_only.temperature:.3f}", fit.with_temperature.ece, fit.with_temperature.log_loss),
    ]
    if fit.proposed.shift:
        name = f"temperature {fit.proposed.temperature:.3f}, shift {fit.proposed.shift:+.3f}"
        rows.append((name, fit.after.ece, fit.after.log_loss))
    page.table(("confidence", "ECE", "log loss"), rows)
    page.figure(plot_bytes(_reliability_plot(fit.before, fit.after)), "reliability before and after; bars: number of keypoints")
    page.text(f"Proposed for the model card: score_calibration: {fit.proposed.to_dict()} (ppdet analyze ... --store "
    f"MODEL_DIR). It "
              "keeps the order of the scores; thresholds have to be chosen anew.")  # fmt: skip


def _reliability_plot(before: Reliability, after: Reliability) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), dpi=90, layout="constrained")
    for axes, each, title in zip(figure.subplots(1, 2), (before, after), ("as it is", "calibrated")):
        bins = len(each.count)
        middle = (np.arange(bins) + 0.5) / bins
        axes.bar(middle, each.count / max(each.count.max(), 1), width=0.9 / bins, color="#8884")
        axes.plot([0, 1], [0, 1], color="#888", linewidth=1, linestyle="--")
        known = each.count > 0
        axes.plot(each.confidence[known], each.accuracy[known], marker="o", color="#1f6fb4")
        axes.set_title(f"{title}: ECE {each.ece:.3f}", fontsize=10)
        axes.set_xlabel("confidence", fontsize=9)
        axes.set_ylabel("share of right keypoints", fontsize=9)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.03)
    return figure


def _boxes(page: HtmlPage, found: Analysis) -> None:
    boxes = found.boxes
    if boxes is None:
        return
    page.section("Annotated against detected boxes")
    page.text(f"{boxes.boxes} boxes for {len(boxes.iou)} labelled objects; each box is assigned to at most one object.")
    rows = [(f"recall at IoU {iou:g}", boxes.recall(iou)) for iou in (0.3, 0.5, 0.75, 0.9)]
    covered = boxes.iou[boxes.iou > 0]
    rows.append(("median IoU of covered objects", float(np.median(covered)) if len(covered) else float("nan")))
    page.table(("", "value"), rows)
    kinds = found.errors.kind
    middle = (boxes.iou >= 0.5) & (boxes.iou < 0.75)
    split = [("IoU below .5", boxes.iou < 0.5), ("IoU .5 to .75", middle), ("IoU of .75 or more", boxes.iou >= 0.75)]
    header = ("objects whose box has", "objects", *KINDS, "mean OKS")
    table = []
    for name, rows_of in split:
        counts = [int((kinds[rows_of] == number).sum()) for number in range(len(KINDS))]
        oks = float(found.errors.oks[rows_of].mean()) if rows_of.any() else float("nan")
        table.append((name, int(rows_of.sum()), *counts, oks))
    page.table(header, table)


def _gallery(
    page: HtmlPage, found: Analysis, skeleton: Skeleton, truth: CocoGroundTruth, image_dir: Optional[Path], worst: int
) -> None:
    page.section("Worst cases")
    if image_dir is None:
        page.text("No images: give their folder as --image_dir.", note=True)
        return
    names = {image["id"]: image.get("file_name", "") for image in truth.coco.dataset["images"]}
    pictures: List[Tuple[np.ndarray, str]] = []
    unread: List[str] = []
    for row in found.worst(worst):
        name = str(names.get(int(found.objects.image[row]), ""))
        try:
            image = read_image(image_dir / name)
        except MediaError as error:
            unread.append(str(error))
            continue
        pictures.append((_pair(image, found, row, skeleton), f"{name}: {_caption(found, row, skeleton)}"))
    page.text("Left the labels, right the prediction of the labelled keypoints.")
    page.gallery(pictures)
    if unread:
        logger.warning("%d of %d images of the gallery cannot be read: %s", len(unread), worst, unread[0])
        page.text(f"{len(unread)} images cannot be read: {unread[0]}", note=True)


def _caption(found: Analysis, row: int, skeleton: Skeleton) -> str:
    kinds = found.errors.kind[row]
    parts = [f"OKS {found.errors.oks[row]:.2f}"]
    for number, kind in enumerate(KINDS):
        hit = [name for name, value in zip(skeleton.names, kinds) if value == number]
        if hit and kind not in (GOOD, DETECTOR_MISS):
            parts.append(f"{kind}: {', '.join(hit)}")
        elif hit and kind == DETECTOR_MISS:
            parts.append("not found")
    return "; ".join(parts)


def _pair(image: np.ndarray, found: Analysis, row: int, skeleton: Skeleton) -> np.ndarray:
    """Labels and prediction of one object, side by side, cut out with a margin."""
    objects = found.objects
    truth, seen = objects.truth[row, :, :2], objects.truth[row, :, 2] > 0
    x, y, w, h = objects.box_xywh[row]
    points = np.concatenate([truth[seen], [[x, y], [x + w, y + h]]])
    side = max(float(np.ptp(points, axis=0).max()), 8.0)
    low = np.floor(points.min(axis=0) - MARGIN * side).astype(int)
    high = np.ceil(points.max(axis=0) + MARGIN * side).astype(int)
    low, high = np.maximum(low, 0), np.minimum(high, image.shape[1::-1])
    if (high - low < 2).any():  # the object lies outside its image
        low, high = np.array([0, 0]), np.array(image.shape[1::-1])
    scale = TILE_HEIGHT / (high[1] - low[1])
    part = cv2.resize(image[low[1] : high[1], low[0] : high[0]], None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    drawer = PoseDrawer(skeleton, orphans=True)
    shown = np.zeros_like(seen) if objects.result[row] < 0 else seen
    predicted = np.nan_to_num(objects.xy[row])
    tiles = [drawer.draw(part, ((xy - low) * scale)[None], visible[None].astype(float), 0.5)
             for xy, visible in ((truth, seen), (predicted, shown))]  # fmt: skip
    return np.concatenate([tiles[0], np.full((tiles[0].shape[0], 4, 3), 255, np.uint8), tiles[1]], axis=1)

"""Suggests which frames to label next.

A frame is worth a label if the model disagrees with itself about it: on the image and on views of it that a trained model sees as
the same (smaller, shifted, turned, mirrored), or between several models, such as those of the folds of a cross-validation. Seung,
Opper and Sompolinsky, Query by committee, 1992.
"""
from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.image.io import write_image
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.progress import Progress
from ppdet.inference.results import PoseResult
from ppdet.inference.suggestions.candidates import Candidate, candidates, read_again
from ppdet.inference.suggestions.disagreement import Difference, Poses, difference
from ppdet.inference.suggestions.selection import Look, choose, look_of
from ppdet.inference.suggestions.views import MIRROR, views_of
from ppdet.visualize.frame_tiles import contact_sheet

_log = get_logger(__name__)
LIST, SHEET, FRAMES = "suggested.csv", "contact_sheet.jpg", "frames"
COLUMNS = ("rank", "file", "frame", "image", "disagreement", "people", "keypoint")
MIRROR_TOO_FAR = 3.0
"""If mirror images differ by this multiple of what the other views do (medians), the model was not trained on mirror images."""
SHEET_COLUMNS, SHEET_TILE = 5, 320
DRAWN_SCORE = 0.2


@dataclass(frozen=True)
class SuggestOptions:
    """What to suggest.

    Attributes:
        count: number of frames.
        most: frames of each source that are looked at; of more, every n-th.
        known: names of images that are labelled already.
    """

    count: int = 20
    most: int = 500
    known: Collection[str] = ()


@dataclass
class _Seen:
    """A candidate after the models have looked at it."""

    candidate: Candidate
    look: Look
    result: PoseResult
    differences: dict[str, Difference] = field(default_factory=dict)


@dataclass(frozen=True)
class Suggestion:
    """A frame to label.

    Attributes:
        candidate: the frame.
        disagreement: 0 (all views and models agree) to 1.
        keypoint: name of the keypoint that is least agreed on, "" if people are found in some views only.
        result: poses found in the image itself.
    """

    candidate: Candidate
    disagreement: float
    keypoint: str
    result: PoseResult


def suggest_frames(
    pipelines: Sequence[PosePipeline], sources: Sequence[str], output: Path, options: SuggestOptions | None = None
) -> list[Suggestion]:
    """Look at frames and write `suggested.csv`, `contact_sheet.jpg`, and the chosen frames of videos as images in `frames`.

    Args:
        pipelines: one or several models with the same keypoints.
        sources: folders of images, image files and video files.
        output: folder.
        options: see there.

    Returns:
        The suggestions, best first.

    Raises:
        ConfigError: no model, models with different keypoints, or a count below 1.
        MediaError: a source that cannot be read, or no frame to look at.
    """
    options = options or SuggestOptions()
    _check(pipelines, options)
    seen = []
    progress = Progress("suggest", None, "frame")
    for candidate, image in candidates(sources, options.most, options.known):
        seen.append(_look_at(pipelines, candidate, image))
        progress.step()
    progress.close()
    if not seen:
        raise MediaError(f"no frame to look at in {', '.join(sources)}: all are labelled already, or none can be read")
    scores, names = _scores(seen)
    rows = choose(scores, [each.look for each in seen], options.count)
    found = [Suggestion(seen[row].candidate, float(scores[row]), names[row], seen[row].result) for row in rows]
    _write(found, output)
    nobody = sum(not len(each.result) for each in seen)
    if nobody:
        _log.warning("%d of %d frames show nobody, by the first model: they are suggested only if another view finds somebody",
                     nobody, len(seen))  # fmt: skip
    if len(found) < options.count:
        _log.warning("%d frames instead of %d: the others look exactly like them, or there are no others", len(found),
                     options.count)  # fmt: skip
    _log.info("%d of %d frames: disagreement %.3f to %.3f, median of all %.3f. List: %s, pictures: %s", len(found), len(seen),
              max(each.disagreement for each in found), min(each.disagreement for each in found), float(np.median(scores)),
              output / LIST, output / SHEET)  # fmt: skip
    return found


def _check(pipelines: Sequence[PosePipeline], options: SuggestOptions) -> None:
    if not pipelines:
        raise ConfigError("give one model or several")
    if options.count < 1 or options.most < 1:
        raise ConfigError(f"--count {options.count}, --look_at {options.most}: give 1 or more")
    names = [pipeline.skeleton.names for pipeline in pipelines]
    other = next((place for place, each in enumerate(names) if each != names[0]), None)
    if other is not None:
        raise ConfigError(f"model {other + 1} has other keypoints than the first ({len(names[other])} and {len(names[0])}): "
                          "disagreement is measured between models of the same keypoints")  # fmt: skip


def _look_at(pipelines: Sequence[PosePipeline], candidate: Candidate, image: np.ndarray) -> _Seen:
    """What the models find in the image, and the first one in its views."""
    first, skeleton = pipelines[0], pipelines[0].skeleton
    views = views_of((image.shape[1], image.shape[0]))
    if not skeleton.flip_pairs:
        views = [view for view in views if view.name != MIRROR]
    name = str(candidate.source)
    whole, *others = first.estimate_batch([image, *(view.image(image) for view in views)], [name] * (1 + len(views)))
    diagonal = float(np.hypot(*image.shape[:2]))
    poses = Poses(whole.keypoints, whole.scores)
    differences = {
        view.name: difference(poses, Poses(view.back(other.keypoints, skeleton), other.scores), diagonal)
        for view, other in zip(views, others)
    }
    for place, pipeline in enumerate(pipelines[1:], start=2):
        other = pipeline.estimate_batch([image], [name])[0]
        differences[f"model {place}"] = difference(poses, Poses(other.keypoints, other.scores), diagonal)
    return _Seen(candidate, look_of(image, whole.keypoints), whole, differences)


def _scores(seen: Sequence[_Seen]) -> tuple[np.ndarray, list[str]]:
    """Mean difference over views and models, and the keypoint that differs most, of each frame."""
    kinds = list(seen[0].differences)
    table = np.array([[each.differences[kind].value for kind in kinds] for each in seen])
    middle = dict(zip(kinds, np.median(table, axis=0).tolist()))
    plain = [value for kind, value in middle.items() if kind != MIRROR]
    if MIRROR in middle and plain and middle[MIRROR] > max(MIRROR_TOO_FAR * float(np.median(plain)), 0.02):
        _log.info("mirror images are left out: poses in them differ by %.3f of a person's size, in other views by %.3f, so the "
                  "model was not trained on them", middle[MIRROR], float(np.median(plain)))  # fmt: skip
        kinds.remove(MIRROR)
        table = np.array([[each.differences[kind].value for kind in kinds] for each in seen])
    keypoints = []
    for each in seen:
        rows = np.array([each.differences[kind].per_keypoint for kind in kinds])
        rows = rows[np.isfinite(rows).all(axis=1)]
        keypoints.append(each.result.skeleton.names[int(rows.mean(axis=0).argmax())] if len(rows) else "")
    return table.mean(axis=1), keypoints


def _write(found: Sequence[Suggestion], output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    pixels = read_again([each.candidate for each in found])
    tiles, labels = [], []
    for rank, each in enumerate(found, start=1):
        image = pixels.get(each.candidate)
        if image is None:
            continue
        if each.candidate.frame is not None:
            write_image(output / FRAMES / each.candidate.name, image)
        tiles.append(each.result.draw(image, threshold=DRAWN_SCORE))
        labels.append(f"{rank}  {each.candidate.name}  {each.disagreement:.3f}")
    write_image(output / SHEET, contact_sheet(tiles, SHEET_COLUMNS, SHEET_TILE, labels))
    with atomic_write(output / LIST) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for rank, each in enumerate(found, start=1):
            frame = "" if each.candidate.frame is None else each.candidate.frame
            image_name = each.candidate.name if frame == "" else f"{FRAMES}/{each.candidate.name}"
            writer.writerow([rank, each.candidate.source, frame, image_name, f"{each.disagreement:.4f}", len(each.result),
                             each.keypoint])  # fmt: skip

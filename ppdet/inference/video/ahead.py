"""Works on several frames of a file at once: detection and pose estimation run ahead in worker threads, in the frames' order.

Crops of several frames share batches. Which crops go together depends on the frames alone and not on how long anything
took, so the results are the same with any number of workers.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.inference.people_finder import Look, PeopleFinder
from ppdet.inference.video.reader import Frame

# People wait for a full batch until this many further frames have arrived; then the batch runs as it is.
MOST_BEHIND = 8
# Memory limit of the frames in flight; a few are allowed however large they are.
FRAME_BYTES = 192 * 1024 * 1024
FEWEST_AHEAD = 2


@dataclass
class FrameWork:
    """A frame, its look as soon as its boxes are found, and the runs of the pose network that its people are in."""

    frame: Frame
    boxes: Future | None
    look: Look | None = None
    runs: list[Future] = field(default_factory=list)


class PoseBatches:
    """Collects the people of successive frames into batches of one size.

    Args:
        pool: runs the batches.
        finder: estimates their poses.
    """

    def __init__(self, pool: ThreadPoolExecutor, finder: PeopleFinder) -> None:
        self._pool, self._finder = pool, finder
        self._size = finder.estimator.people_together
        self._waiting: deque[tuple[FrameWork, int]] = deque()

    def add(self, work: FrameWork) -> None:
        """Take the people of the next frame, and start the batches that are full."""
        assert work.look is not None
        self._waiting.extend((work, int(row)) for row in self._finder.sure_rows(work.look))
        while len(self._waiting) >= self._size:
            self._start(self._size)

    def holds(self, work: FrameWork) -> bool:
        """Whether people of a frame are still waiting for a full batch."""
        return any(other is work for other, _ in self._waiting)

    def flush(self) -> None:
        """Start a batch of the waiting people, although it is not full."""
        if self._waiting:
            self._start(len(self._waiting))

    def _start(self, count: int) -> None:
        rows: dict[int, list[int]] = {}
        works: dict[int, FrameWork] = {}
        for _ in range(count):
            work, row = self._waiting.popleft()
            works[id(work)] = work
            rows.setdefault(id(work), []).append(row)
        batch = [(work.look, np.array(rows[key])) for key, work in works.items() if work.look is not None]
        run = self._pool.submit(self._finder.pose, batch)
        for work in works.values():
            work.runs.append(run)


def checked_workers(workers: int | None, usual: int = 1) -> int:
    """The number of workers, checked; None takes the default.

    Raises:
        ConfigError: below 0.
    """
    if workers is None:
        return max(1, usual)
    if workers < 0:
        raise ConfigError(f"workers is {workers}: give 0 for one frame after the other, or how many frames to process at once")
    return workers


def looks_ahead(
    finder: PeopleFinder, frames: Iterable[Frame], workers: int, only_boxes: bool = False
) -> Generator[tuple[Frame, Look | None], None, None]:
    """Frames in order, each with the boxes in it and the poses of those with high scores; None for a frame that did not decode.

    Args:
        finder: may be used from several threads, see `PeopleFinder.is_parallel`.
        frames: in order; read as they are needed.
        workers: threads, 1 or more.
        only_boxes: estimate no poses, because a tracker first has to assign identities, in order.
    """
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="ppdet-worker")
    try:
        yield from _in_order(finder, iter(frames), pool, workers, only_boxes)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(
    finder: PeopleFinder, frames: Iterator[Frame], pool: ThreadPoolExecutor, workers: int, only_boxes: bool
) -> Iterator[tuple[Frame, Look | None]]:
    batches = PoseBatches(pool, finder)
    looking: deque[FrameWork] = deque()
    posing: deque[FrameWork] = deque()
    behind, is_over = 0, False
    while not is_over or looking or posing:
        while not is_over and len(looking) < 2 * workers:
            frame = next(frames, None)
            if frame is None:
                is_over = True
                break
            behind = behind or frames_behind(frame, workers)
            boxes = None if frame.image is None else pool.submit(_boxes_of, finder, frame.image)
            looking.append(FrameWork(frame, boxes))
        if looking:
            work = looking.popleft()
            if work.boxes is not None:
                work.look = work.boxes.result()
                if not only_boxes:
                    batches.add(work)
            posing.append(work)
        yield from _ready(posing, batches, behind, is_over and not looking)


def _ready(
    posing: deque[FrameWork], batches: PoseBatches, behind: int, is_last: bool
) -> Iterator[tuple[Frame, Look | None]]:
    """The leading frames that are done or must not wait any longer."""
    while posing:
        must = is_last or len(posing) > behind
        if batches.holds(posing[0]):
            if not must:
                return
            batches.flush()
        elif not must and not all(run.done() for run in posing[0].runs):
            return
        work = posing.popleft()
        for run in work.runs:
            run.result()
        yield work.frame, work.look


def frames_behind(frame: Frame, workers: int) -> int:
    """How many frames may wait for their poses, so that those in memory stay within `FRAME_BYTES`."""
    if frame.image is None:
        return FEWEST_AHEAD
    return max(FEWEST_AHEAD, min(MOST_BEHIND, FRAME_BYTES // max(frame.image.nbytes, 1) - 2 * workers))


def _boxes_of(finder: PeopleFinder, image: np.ndarray) -> Look:
    return finder.look([image], [None])[0]

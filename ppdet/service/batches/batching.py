"""Estimates images of all clients together: bounded queue, decoding threads, batches within a latency bound.

An image goes through these stages: accepted (counted, still encoded) - decoded - estimated in a batch - drawn, if asked for -
answered. Decoding waits for the budget of pixels, so memory is bounded whatever clients send.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from ppdet.core.logger import get_logger
from ppdet.inference.results import PoseResult
from ppdet.service.batches.images import checked_pixels, decoded
from ppdet.service.batches.pixel_budget import PixelBudget
from ppdet.service.limits import ServiceLimits
from ppdet.service.metrics import Metrics
from ppdet.service.problems import shutting_down, too_busy

Estimate = Callable[[Sequence[np.ndarray]], Sequence[PoseResult]]
Draw = Callable[[PoseResult, np.ndarray], bytes]
DECODERS = 2
RATE_MEMORY = 0.8
"""Weight of the past in the running mean of seconds per image, from which Retry-After is computed."""
LONGEST_RETRY = 60


@dataclass(frozen=True)
class Estimated:
    """What became of an image: its result, the encoded drawing if one was asked for, and seconds since it was accepted."""

    result: PoseResult
    drawing: Optional[bytes]
    seconds: float


@dataclass(eq=False)
class _Work:
    data: bytes
    pixels: int
    draw: Optional[Draw]
    future: Future[Estimated] = field(default_factory=Future)
    accepted: float = field(default_factory=time.monotonic)
    image: Optional[np.ndarray] = None

    def forget_data(self) -> None:
        """Free the encoded image, also if its client has gone before its turn."""
        self.data = b""


class PoseBatcher:
    """Answers images with poses, several at a time.

    Args:
        estimate: poses of several (H, W, 3) RGB images; called from `workers` threads.
        limits: of queue, batch, latency and pixels.
        metrics: counts images and batches.
        workers: threads that estimate.
    """

    def __init__(self, estimate: Estimate, limits: ServiceLimits, metrics: Metrics, workers: int = 1) -> None:
        self._estimate, self._limits, self._metrics, self._workers = estimate, limits, metrics, workers
        self._budget = PixelBudget(limits.pixels_in_work)
        self._changed = threading.Condition()
        self._open = 0
        self._ready: deque[_Work] = deque()
        self._is_closing = self._is_closed = False
        self._seconds_per_image = 0.1
        self._decoders = ThreadPoolExecutor(DECODERS, "decode")
        self._drawers = ThreadPoolExecutor(1, "draw")
        self._threads = [threading.Thread(target=self._run, name=f"estimate-{n}", daemon=True) for n in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def open_images(self) -> int:
        """Images accepted and not yet answered."""
        return self._open

    def submit(self, data: bytes, draw: Optional[Draw] = None) -> Future[Estimated]:
        """Accept an encoded image.

        Args:
            data: the image; its header is checked at once.
            draw: makes an encoded drawing of result and image.

        Returns:
            Its answer. Cancelling it saves the work if that has not begun.

        Raises:
            RequestError: the image is not accepted, the queue is full, or the service is shutting down.
        """
        work = _Work(data, checked_pixels(data, self._limits.pixels), draw)
        with self._changed:
            if self._is_closing:
                raise shutting_down()
            if self._open >= self._limits.queue:
                raise too_busy("queue_full", f"{self._open} images are waiting, the most allowed", self._retry_seconds())
            self._open += 1
        work.future.add_done_callback(lambda _: work.forget_data())
        self._decoders.submit(self._decode, work)
        return work.future

    def _retry_seconds(self) -> int:
        seconds = self._open * self._seconds_per_image / self._workers
        return int(min(max(math.ceil(seconds), 1), LONGEST_RETRY))

    def close(self, seconds: float) -> None:
        """Refuse new images, answer those that were accepted, and end the threads.

        Args:
            seconds: after that, images that are still waiting are refused as well.
        """
        with self._changed:
            self._is_closing = True
            is_done = self._changed.wait_for(lambda: self._open == 0, seconds)
            self._is_closed = True
            left = list(self._ready)
            self._ready.clear()
            self._changed.notify_all()
        for work in left:
            self._finish(work, error=shutting_down())
        for thread in self._threads:
            thread.join(seconds if is_done else 1.0)
        self._decoders.shutdown(wait=is_done, cancel_futures=True)
        self._drawers.shutdown(wait=is_done, cancel_futures=True)

    def _decode(self, work: _Work) -> None:
        self._budget.take(work.pixels)
        data = work.data
        if work.future.cancelled():
            self._budget.give_back(work.pixels)
            self._finish(work)
            return
        try:
            image = decoded(data, self._limits.pixels)
        except Exception as error:  # also the unexpected, or the client would wait for ever
            self._budget.give_back(work.pixels)
            self._finish(work, error=error)
            return
        work.forget_data()
        work.image = image
        with self._changed:
            if not self._is_closed:
                self._ready.append(work)
                self._changed.notify_all()
                return
        self._finish(work, error=shutting_down())

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            wanted = [work for work in batch if work.future.set_running_or_notify_cancel()]
            for work in batch:
                if work not in wanted:
                    self._finish(work)
            if wanted:
                self._estimate_batch(wanted)

    def _next_batch(self) -> Optional[list[_Work]]:
        """The next images, or None when the batcher is closed. Waits for a full batch, but not longer than the bound."""
        most = self._limits.batch_images
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._is_closed)
            if not self._ready:
                return None
            if self._open > len(self._ready):  # others are on their way
                self._changed.wait_for(lambda: len(self._ready) >= most or self._is_closed, self._limits.batch_wait_ms / 1e3)
            return [self._ready.popleft() for _ in range(min(most, len(self._ready)))]

    def _estimate_batch(self, batch: list[_Work]) -> None:
        start = time.monotonic()
        try:
            results = self._estimate([work.image for work in batch if work.image is not None])
        except Exception as error:
            if len(batch) == 1:
                get_logger(__name__).exception("an image could not be estimated")
                self._finish(batch[0], error=error)
                return
            for work in batch:  # one image must not fail the others
                self._estimate_batch([work])
            return
        seconds = (time.monotonic() - start) / len(batch)
        self._seconds_per_image = RATE_MEMORY * self._seconds_per_image + (1 - RATE_MEMORY) * seconds
        self._metrics.batch(len(batch))
        for work, result in zip(batch, results):
            if work.draw is None:
                self._finish(work, result)
            else:
                self._drawers.submit(self._draw, work, result)

    def _draw(self, work: _Work, result: PoseResult) -> None:
        assert work.draw is not None and work.image is not None
        try:
            self._finish(work, result, work.draw(result, work.image))
        except Exception as error:
            self._finish(work, error=error)

    def _finish(
        self,
        work: _Work,
        result: Optional[PoseResult] = None,
        drawing: Optional[bytes] = None,
        error: Optional[BaseException] = None,
    ) -> None:
        """Answer an image and stop counting it as open; without result and error its client is gone."""
        if work.image is not None:
            work.image = None
            self._budget.give_back(work.pixels)
        with suppress(InvalidStateError):
            if error is not None:
                work.future.set_exception(error)
            elif result is not None:
                work.future.set_result(Estimated(result, drawing, time.monotonic() - work.accepted))
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

"""The queue: batches across clients, its bound, deadlines, failures, and its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from support.served import encoded

from ppdet.inference.results import PoseResult
from ppdet.service.batches.batching import Estimated, PoseBatcher
from ppdet.service.batches.pixel_budget import PixelBudget
from ppdet.service.limits import ServiceLimits
from ppdet.service.metrics import Metrics
from ppdet.service.problems import RequestError
from ppdet.skeletons import Skeleton

ONE_POINT = Skeleton.from_dict({"name": "one", "keypoints": ["nose"]})
LONG = 60.0


def image(shade: int) -> bytes:
    return encoded(np.full((8, 8, 3), shade, np.uint8))


class Gate:
    """Estimates only while it is open; a result's box score tells the shade of its image."""

    def __init__(self) -> None:
        self.opened, self.sizes, self.entered = threading.Event(), [], threading.Event()
        self.opened.set()
        self.bad_shade = -1

    def __call__(self, images: Sequence[np.ndarray]) -> list[PoseResult]:
        self.entered.set()
        assert self.opened.wait(LONG)
        self.sizes.append(len(images))
        shades = [int(each[0, 0, 0]) for each in images]
        if self.bad_shade in shades:
            raise ValueError("this image cannot be estimated")
        return [self._result(shade) for shade in shades]

    def _result(self, shade: int) -> PoseResult:
        return PoseResult(np.zeros((1, 4), np.float32), np.array([shade], np.float32), np.zeros((1, 1, 2), np.float32),
                          np.ones((1, 1), np.float32), ONE_POINT, (8, 8))


@pytest.fixture
def gate() -> Gate:
    return Gate()


def batcher_of(gate: Gate, workers: int = 1, **limits: Any) -> PoseBatcher:
    return PoseBatcher(gate, ServiceLimits(**limits), Metrics(), workers)


def shade_of(future: Future[Estimated]) -> int:
    return int(future.result(LONG).result.box_scores[0])


def wait_until(condition: Any) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_everybody_gets_the_answer_of_their_own_image(gate: Gate) -> None:
    batcher = batcher_of(gate, workers=2)
    gate.opened.clear()
    futures = [batcher.submit(image(shade)) for shade in range(40)]
    gate.opened.set()
    assert [shade_of(future) for future in futures] == list(range(40))
    assert max(gate.sizes) == 4 and sum(gate.sizes) == 40
    batcher.close(LONG)


def test_an_image_waits_for_others_only_as_long_as_the_bound_says(gate: Gate) -> None:
    batcher = batcher_of(gate, batch_wait_ms=300.0)
    gate.opened.clear()
    gate.entered.clear()
    first = batcher.submit(image(1))
    assert gate.entered.wait(LONG), "alone, it does not wait"
    second = batcher.submit(image(2))
    gate.opened.set()
    start = time.monotonic()
    assert shade_of(first) == 1 and shade_of(second) == 2
    assert time.monotonic() - start < LONG / 2 and gate.sizes == [1, 1]
    batcher.close(LONG)


def test_a_full_queue_refuses_and_says_when_to_come_back(gate: Gate) -> None:
    batcher = batcher_of(gate, queue=3)
    gate.opened.clear()
    futures = [batcher.submit(image(shade)) for shade in range(3)]
    with pytest.raises(RequestError) as refused:
        batcher.submit(image(3))
    assert (refused.value.status, refused.value.code) == (429, "queue_full")
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60
    gate.opened.set()
    assert [shade_of(future) for future in futures] == [0, 1, 2]
    wait_until(lambda: batcher.open_images == 0)
    assert shade_of(batcher.submit(image(4))) == 4
    batcher.close(LONG)


def test_one_bad_image_does_not_fail_its_batch(gate: Gate) -> None:
    batcher = batcher_of(gate, batch_images=8)
    gate.bad_shade = 3
    gate.opened.clear()
    futures = [batcher.submit(image(shade)) for shade in range(6)]
    gate.opened.set()
    for shade, future in enumerate(futures):
        if shade == 3:
            with pytest.raises(ValueError, match="cannot be estimated"):
                future.result(LONG)
        else:
            assert shade_of(future) == shade
    damaged = image(1)[:-20]
    with pytest.raises(RequestError, match="truncated"):
        batcher.submit(damaged).result(LONG)
    wait_until(lambda: batcher.open_images == 0)
    batcher.close(LONG)


def test_a_cancelled_image_is_not_estimated(gate: Gate) -> None:
    batcher = batcher_of(gate, batch_images=1)
    gate.opened.clear()
    gate.entered.clear()
    first = batcher.submit(image(1))
    assert gate.entered.wait(LONG)
    second = batcher.submit(image(2))
    assert second.cancel()
    gate.opened.set()
    assert shade_of(first) == 1
    wait_until(lambda: batcher.open_images == 0)
    assert gate.sizes == [1]
    batcher.close(LONG)


def test_closing_answers_what_was_accepted_and_refuses_the_rest(gate: Gate) -> None:
    batcher = batcher_of(gate)
    gate.opened.clear()
    futures = [batcher.submit(image(shade)) for shade in range(10)]
    closing = threading.Thread(target=batcher.close, args=(LONG,))
    closing.start()
    wait_until(lambda: batcher._is_closing)
    with pytest.raises(RequestError, match="shutting down"):
        batcher.submit(image(11))
    gate.opened.set()
    closing.join(LONG)
    assert [shade_of(future) for future in futures] == list(range(10))
    assert not any(thread.is_alive() for thread in batcher._threads)


def test_closing_gives_up_after_its_time(gate: Gate) -> None:
    batcher = batcher_of(gate, batch_images=1)
    gate.opened.clear()
    gate.entered.clear()
    futures = [batcher.submit(image(0))]
    assert gate.entered.wait(LONG), "the first is at work before the others come"
    futures += [batcher.submit(image(shade)) for shade in (1, 2)]
    wait_until(lambda: len(batcher._ready) == 2)
    batcher.close(0.1)
    assert [future.exception(LONG).status for future in futures[1:]] == [503, 503]  # type: ignore[union-attr]
    gate.opened.set()
    assert shade_of(futures[0]) == 0


def test_a_drawing_comes_with_its_result_and_frees_the_image(gate: Gate) -> None:
    batcher = batcher_of(gate)
    found = batcher.submit(image(5), lambda result, pixels: bytes([int(result.box_scores[0]), pixels[0, 0, 0]])).result(LONG)
    assert found.drawing == bytes([5, 5])
    with pytest.raises(ZeroDivisionError):
        batcher.submit(image(5), lambda result, pixels: bytes(1 // 0)).result(LONG)
    wait_until(lambda: batcher.open_images == 0)
    assert batcher._budget.held == 0
    batcher.close(LONG)


def test_decoded_images_are_bounded_in_memory(gate: Gate) -> None:
    batcher = batcher_of(gate, pixels_in_work=3 * 64, batch_images=1)
    gate.opened.clear()
    futures = [batcher.submit(image(shade)) for shade in range(12)]
    wait_until(lambda: batcher._budget.held == 3 * 64)
    time.sleep(0.05)
    assert batcher._budget.held == 3 * 64 and len(batcher._ready) <= 3
    gate.opened.set()
    assert [shade_of(future) for future in futures] == list(range(12))
    wait_until(lambda: batcher._budget.held == 0)
    batcher.close(LONG)


def test_a_single_image_larger_than_the_budget_gets_its_turn() -> None:
    budget = PixelBudget(10)
    budget.take(100)
    assert budget.held == 100
    waiting = threading.Thread(target=budget.take, args=(1,))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    budget.give_back(100)
    waiting.join(LONG)
    assert budget.held == 1

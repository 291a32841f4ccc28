"""Measures what batches of different sizes cost on this engine and machine."""
from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ppdet.core.logger import get_logger
from ppdet.inference.batching.machine_notes import machine_name, note, recall
from ppdet.inference.batching.plan import BatchPlan
from ppdet.inference.runtimes.base import Runtime

SIZES = (1, 2, 3, 4, 6, 8, 12, 16)
# At start-up; more rounds make the result more certain, and the fastest run of each size counts.
SECONDS = 0.15
MOST_ROUNDS = 5
# A size that is dearer per input than the best so far by this factor ends the search: the batch has left the cache.
TOO_DEAR = 1.35
FORMAT = 1
# Engines whose outputs do not depend on the batch, to the last bit; for others no batch is chosen by its cost.
KEEP_BITS = ("onnxruntime", "openvino")


def measured_plan(runtime: Runtime, input_shape: Sequence[int], largest: int) -> BatchPlan:
    """The plan of a loaded network; measured once per machine, model and engine, then taken from the cache folder.

    Args:
        runtime: the network.
        input_shape: (channels, height, width) of one input.
        largest: no batch is larger.

    Returns:
        The measured plan. For a network with a fixed batch, on a GPU, in an engine whose outputs may depend on the batch, or so
        slow that .15 s do not tell, the plain one: batches as large as allowed.
    """
    plain = BatchPlan.up_to(largest)
    sizes = [size for size in SIZES if size <= largest]
    is_suited = runtime.engine in KEEP_BITS and ", CPU," in runtime.description and not runtime.fixed_batch
    if not is_suited or len(sizes) < 2 or len(runtime.input_names) != 1:
        return plain
    key = _key(runtime, input_shape, sizes)
    known = None if key is None else recall(key)
    if known is not None:
        try:
            return BatchPlan({int(size): float(seconds) for size, seconds in known.items()})
        except (TypeError, ValueError):
            known = None  # damaged: measure again
    name = runtime.input_names[0]
    inputs = np.random.default_rng(0).normal(0, 1, (sizes[-1], *input_shape)).astype(np.float32)
    cost = measure(lambda size: runtime.run({name: inputs[:size]}), sizes)
    if cost is None:
        return plain
    plan = BatchPlan(cost)
    kept = key is not None and note(key, {str(size): seconds for size, seconds in cost.items()})
    get_logger(__name__).debug("%s: batches of %d are cheapest: %s; %s", runtime.place, plan.best, plan,
                               "kept for the next start" if kept else "not kept")
    return plan


def measure(
    run: Callable[[int], object], sizes: Sequence[int], seconds: float = SECONDS, clock: Callable[[], float] = time.perf_counter
) -> dict[int, float] | None:
    """Seconds of one run for each size, the fastest of a few rounds.

    Args:
        run: runs a batch of the given size.
        sizes: increasing, 1 first.
        seconds: end after so long.
        clock: tells the time.

    Returns:
        Costs of the sizes that were worth measuring, or None if there was no time for two of them.
    """
    start = clock()
    cost: dict[int, float] = {}

    def left() -> float:
        return seconds - (clock() - start)

    def timed(size: int) -> None:
        before = clock()
        run(size)
        cost[size] = min(cost.get(size, float("inf")), clock() - before)

    timed(1)
    for size in sizes[1:]:
        if 2 * size * min(cost[known] / known for known in cost) > left():
            break
        run(size)  # memory for this size is set up
        timed(size)
        timed(1)
        if cost[size] / size > TOO_DEAR * min(cost[known] / known for known in cost):
            break
    if len(cost) < 2:
        return None
    for _ in range(MOST_ROUNDS - 1):
        for size in list(cost):
            if cost[size] > left():
                return cost
            timed(size)
    return cost


def _key(runtime: Runtime, input_shape: Sequence[int], sizes: Sequence[int]) -> str | None:
    """Names machine, engine and model; None if the model's files are not known."""
    files = _model_files(Path(runtime.place))
    if not files:
        return None
    stats = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    engine = (runtime.engine, runtime.version(), runtime.description)
    what = (FORMAT, machine_name(), engine, tuple(input_shape), tuple(sizes), stats)
    return "batches " + hashlib.sha256(repr(what).encode()).hexdigest()[:32]


def _model_files(place: Path) -> list[Path]:
    try:
        if place.is_file():
            return [place]
        return sorted(file for file in place.iterdir() if file.name.startswith("model.")) if place.is_dir() else []
    except OSError:
        return []

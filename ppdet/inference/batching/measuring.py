"""Measures what batches of different sizes cost on this engine and machine."""
from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ppdet.core.logger import get_logger
from ppdet.inference.batching.machine_notes import machine_name, note, recall
from ppdet.inference.batching.plan import BatchPlan
from ppdet.inference.runtimes.base import Runtime

SIZES = (1, 2, 3, 4, 6, 8, 12, 16)
# At start-up. The fastest run of each size counts.
SECONDS = 0.15
ROUNDS_AT_FIRST, MOST_ROUNDS = 2, 4
# Share of the time in which this process must have had a processor; below, others were in the way and nothing is kept.
QUIET = 0.8
# A size that is dearer per input than the best so far by this factor ends the search.
TOO_DEAR = 1.35
FORMAT = 1


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
    is_suited = runtime.keeps_bits and runtime.device == "cpu" and not runtime.fixed_batch
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
    cost, is_quiet = measure(lambda size: runtime.run({name: inputs[:size]}), sizes)
    if len(cost) < 2:
        return plain
    plan = BatchPlan(cost)
    kept = is_quiet and key is not None and note(key, {str(size): seconds for size, seconds in cost.items()})
    get_logger(__name__).debug("%s: batches of %d are cheapest: %s; %s", runtime.place, plan.best, plan,
                               "kept for the next start" if kept else "not kept")
    return plan


@dataclass
class Clocks:
    """Wall-clock and processor seconds of this process.

    Costs are processor time, so that other programs do not count; the time that measuring may take is wall-clock time.
    """

    wall: Callable[[], float] = time.perf_counter
    processor: Callable[[], float] = time.process_time


def measure(
    run: Callable[[int], object], sizes: Sequence[int], seconds: float = SECONDS, clocks: Clocks | None = None
) -> tuple[dict[int, float], bool]:
    """Processor seconds of one run for each size, the least of a few rounds.

    Args:
        run: runs a batch of the given size.
        sizes: increasing, 1 first.
        seconds: end after so long.
        clocks: tell the time.

    Returns:
        Costs of the sizes worth measuring, only of 1 if there was no time for others; and whether the machine was quiet,
        so that they are worth keeping.
    """
    clocks = clocks or Clocks()
    start, started = clocks.wall(), clocks.processor()
    cost: dict[int, float] = {}
    longest: dict[int, float] = {}

    def has_time(size: int) -> bool:
        expected = longest.get(size, size * max(longest[known] / known for known in longest) if longest else 0.0)
        return clocks.wall() - start + expected <= seconds

    def timed(size: int) -> None:
        wall, processor = clocks.wall(), clocks.processor()
        run(size)
        cost[size] = min(cost.get(size, float("inf")), max(clocks.processor() - processor, 1e-9))
        longest[size] = max(longest.get(size, 0.0), clocks.wall() - wall)

    timed(1)
    for size in sizes:
        for _ in range(ROUNDS_AT_FIRST):
            if has_time(size):
                timed(size)
        least = min(cost[known] / known for known in cost)
        if size in cost and cost[size] / size > TOO_DEAR * least:
            break
    for _ in range(MOST_ROUNDS):
        for size in cost:
            if has_time(size):
                timed(size)
    passed = clocks.wall() - start
    return cost, clocks.processor() - started >= QUIET * passed


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

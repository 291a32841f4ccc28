"""A short race of the engines that can run a model, whose result is kept per machine, model and settings.

Engines differ by model and processor: the order of `auto_rank` is a guess from a few machines. The first time that a model is run
with ``--engine auto``, each installed engine runs a batch of noise for at most a quarter of a second. PPDET_ENGINE_RACE=off
leaves it at the guess.
"""
from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ppdet.core.errors import ModelDirError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.core.shipped import cache_root
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions
from ppdet.inference.runtimes.model_files import ModelFiles

if TYPE_CHECKING:
    import numpy as np

SWITCH = "PPDET_ENGINE_RACE"
FILE = "engine_races.json"
KEPT = 200  # results in the file, the newest
SECONDS, MOST_RUNS, LARGEST_BATCH = 0.25, 8, 4
# An engine must be faster than the one of the better rank by this much: noise shall not change the engine, and with it the last
# digits of all results.
ADVANTAGE = 0.85
Load = Callable[[type], Runtime]


def raced(order: Sequence[type[Runtime]], files: ModelFiles, options: RuntimeOptions, load: Load) -> list[type[Runtime]]:
    """The engines with the fastest of those that can take part first.

    Args:
        order: the engines by rank.
        files, options: of the model.
        load: loads the model into an engine.

    Returns:
        `order` itself if fewer than two engines can take part, the race is switched off, or it is not worth it.
    """
    racers = [each for each in order if each.races and each.is_installed() and each.can_read(files)
              and options.precision in each.precisions]  # fmt: skip
    is_off = os.environ.get(SWITCH, "").lower() in ("off", "0", "false")
    if len(racers) < 2 or options.device != "cpu" or options.is_brief or is_off:
        return list(order)
    key = _key(racers, files, options)
    known = _read()
    milliseconds: dict[str, float] = known.get(key) or {}
    if not _fits(milliseconds, racers):
        milliseconds = _run(racers, options, load)
        if len(milliseconds) < 2:
            return list(order)
        _write(known, key, milliseconds)
    winner = _winner(racers, milliseconds)
    return [winner, *(each for each in order if each is not winner)]


def _winner(racers: Sequence[type[Runtime]], milliseconds: Mapping[str, float]) -> type[Runtime]:
    """The engine of the best rank, unless another one is clearly faster."""
    best: type[Runtime] | None = None
    for each in racers:
        taken = milliseconds.get(each.engine)
        if taken is not None and (best is None or taken < ADVANTAGE * milliseconds[best.engine]):
            best = each
    assert best is not None
    return best


def _run(racers: Sequence[type[Runtime]], options: RuntimeOptions, load: Load) -> dict[str, float]:
    """Milliseconds per input of each engine that runs the model; empty if the model's input has no fixed size."""
    feeds: dict[str, np.ndarray] | None = None
    found = {}
    for each in racers:
        try:
            runtime = load(each)
            feeds = feeds or _noise(runtime, options)
            if feeds is None:
                return {}
            found[each.engine] = _milliseconds(runtime, feeds)
        except ModelDirError:  # the engine is then refused with its reason when it is to be used
            continue
    words = ", ".join(f"{name} {value:.2f} ms" for name, value in sorted(found.items(), key=lambda item: item[1]))
    get_logger(__name__).info("engines raced on this machine: %s per input (kept in %s; %s=off: no race)", words,
                              cache_root() / FILE, SWITCH)
    return found


def _noise(runtime: Runtime, options: RuntimeOptions) -> dict[str, np.ndarray] | None:
    import numpy as np

    batch = runtime.fixed_batch or min(LARGEST_BATCH, options.batch_size)
    feeds = {}
    for name in runtime.input_names:
        shape = runtime.input_shapes.get(name)
        if not shape or any(not isinstance(side, int) or side < 1 for side in shape[1:]):
            return None
        sides = [batch, *(side for side in shape[1:] if isinstance(side, int))]
        feeds[name] = (np.random.default_rng(0).random(sides) if len(sides) == 4 else np.ones(sides)).astype(np.float32)
    return feeds or None


def _milliseconds(runtime: Runtime, feeds: Mapping[str, np.ndarray]) -> float:
    """The fastest run, per input."""
    runtime.run(feeds)  # the first one allocates
    best, end = float("inf"), time.perf_counter() + SECONDS
    for _ in range(MOST_RUNS):
        start = time.perf_counter()
        runtime.run(feeds)
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() > end:
            break
    return 1e3 * best / len(next(iter(feeds.values())))


def _key(racers: Sequence[type[Runtime]], files: ModelFiles, options: RuntimeOptions) -> str:
    """Everything that the result depends on."""
    paths = sorted({path for each in racers for form in each.reads if (path := getattr(files, form)) is not None})
    sizes = ", ".join(f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in paths)
    engines = ", ".join(f"{each.engine} {each.version()}" for each in racers)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"{platform.node()} {platform.processor() or platform.machine()} {cores} cores"
    settings = f"{options.cpu_threads} threads {options.precision} batch {options.batch_size}"
    return f"{machine} | {engines} | {settings} | {files.folder.name}: {sizes}"


def _fits(value: Any, racers: Sequence[type[Runtime]]) -> bool:
    names = {each.engine for each in racers}
    return isinstance(value, dict) and bool(names & value.keys()) and all(
        isinstance(each, (int, float)) and each > 0 for each in value.values())


def _read() -> dict[str, Any]:
    """The results so far; a file that does not read counts as none, since it is only a cache."""
    try:
        content = json.loads((cache_root() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(known: dict[str, Any], key: str, milliseconds: dict[str, float]) -> None:
    kept = dict(list({**known, key: milliseconds}.items())[-KEPT:])
    try:
        with atomic_write(cache_root() / FILE) as file:
            json.dump(kept, file, indent=1)
    except OSError as error:  # a read-only home: race again next time
        get_logger(__name__).debug("the race is not kept: %s", error)

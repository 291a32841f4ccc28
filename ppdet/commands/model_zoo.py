"""What `tools/model_zoo.py` does: measure if asked, then make the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from ppdet.core.errors import ConfigError
from ppdet.engine.benchmarks.zoo_page import check_complete, zoo_page
from ppdet.engine.weights.zoo import load_zoo


@dataclass(frozen=True)
class ZooOptions:
    """Whether to count and to time, models with which text in their name, and how."""

    measure: bool = False
    latency: bool = False
    only: str = ""
    repeats: int = 10
    cpu_threads: int = 2


def make_page(options: ZooOptions) -> Tuple[str, str]:
    """The page, and where it belongs (a path from the repository's root).

    Raises:
        ConfigError: zoo and configs differ, or `only` fits no model.
    """
    zoo = load_zoo()
    check_complete(zoo)
    models = [model for model in zoo.models if options.only in model.name]
    if not models or options.repeats < 1:
        raise ConfigError(f"--only {options.only!r} fits no model, or --repeats {options.repeats} is below 1")
    if options.measure:
        from ppdet.engine.benchmarks.zoo_measure import measure_costs, write_costs

        fresh = {**zoo.costs, **measure_costs(models)}
        zoo.costs = {model.name: fresh[model.name] for model in zoo.models if model.name in fresh}
        write_costs(zoo.costs)
    if not options.latency:
        return zoo_page(zoo), "docs/model_zoo.md"
    from ppdet.engine.benchmarks.zoo_measure import machine, measure_times

    times = measure_times(models, options.repeats, options.cpu_threads)
    return zoo_page(zoo, timing=times, machine=machine(options.cpu_threads)), "output/model_zoo.md"

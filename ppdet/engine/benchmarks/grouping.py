"""Times the grouping of bottom-up candidates on synthetic groups of people, against the plain reference in the tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Iterable, Iterator

import numpy as np

from ppdet.codecs import AssociativeEmbeddingCodec
from ppdet.core.errors import ConfigError, PpdetError
from ppdet.engine.benchmarks.thread_time import median_ms

TESTS = Path(__file__).resolve().parents[3] / "tests" / "support"

HEADER = ["people", "plain ms", "grouping ms", "ratio", "every pixel searched, ms", "ratio"]


def group_rows(people: Iterable[int], repeats: int = 20) -> Iterator[list[str]]:
    """Rows (people, plain ms, ms, ratio, ms and ratio with ``refine_cell`` 1), each for one noisy 512x512 image, 17 keypoints.

    Both start from the same candidates and end with all keypoints of each person, including those found by refinement. The
    plain reference searches every pixel, as the authors' code does. Figures are medians of this thread's CPU time (at most
    three runs of the reference, which takes seconds): neither side uses other threads, and other programs do not count.

    Raises:
        PpdetError: there are no tests, because this is an installed package and not a clone.
        ConfigError: a number of people or repeats below 1.
    """
    people = list(people)
    if min([*people, repeats]) < 1:
        raise ConfigError(f"grouping of {people} people, {repeats} times, cannot be timed: give numbers from 1 on")
    plain, crowds = _from_tests("plain_grouping"), _from_tests("bottom_up_maps")
    for count in people:
        codec = AssociativeEmbeddingCodec(max_people=max(30, count))
        rng = np.random.default_rng(count)
        xy = rng.uniform(30, 482, (count, 1, 2)) + rng.uniform(-25, 25, (count, 17, 2))
        visible, person_tags = rng.random((count, 17)) > 0.2, 1.5 * rng.permutation(count)[:, None]
        heat, tags = crowds.bottom_up_maps(codec, xy, visible, person_tags, 0.01, rng)
        frame = codec.frame_for_image(codec.input_wh)
        found = codec.candidates(heat, tags)
        every = AssociativeEmbeddingCodec(max_people=codec.max_people, refine_cell=1).candidates(heat, tags)
        rules = plain.Rules(list(codec.order_for(17)), codec.max_people)
        slow = median_ms(lambda: plain.decode(found.score, found.xy, found.tag, heat, tags, rules), min(3, repeats))  # noqa: B023
        fast = median_ms(lambda: codec.decode(found, frame), repeats)  # noqa: B023
        exact = median_ms(lambda: codec.decode(every, frame), repeats)  # noqa: B023
        yield [str(count), f"{slow:.0f}", f"{fast:.2f}", f"{slow / fast:.0f}", f"{exact:.1f}", f"{slow / exact:.0f}"]


def _from_tests(name: str) -> ModuleType:
    path = TESTS / f"{name}.py"
    if not path.is_file():
        raise PpdetError(f"there is no {path}: the plain reference is part of the tests; run this from a clone of the repository")
    spec = importlib.util.spec_from_file_location(f"ppdet_tests_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look up their module in sys.modules
    spec.loader.exec_module(module)
    return module

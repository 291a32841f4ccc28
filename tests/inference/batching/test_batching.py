"""Batches: the split costs least, is measured in bounded time, kept per machine, and changes no output."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from support.planted_models import INPUT_WH, write_pose_model

from ppdet.core.shipped import bundled_models_folder
from ppdet.inference.batching import machine_notes, measuring
from ppdet.inference.batching.measuring import Clocks, measure, measured_plan
from ppdet.inference.batching.plan import BatchPlan
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.runtimes.registry import load_runtime

COSTS = {1: 1.9, 2: 3.2, 4: 5.2, 8: 17.4}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PPDET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def cheapest(count: int) -> float:
    """Exhaustive search over numbers of runs of each size."""
    ranges = [range(count // size + 1) for size in COSTS]
    return min(
        sum(n * cost for n, cost in zip(numbers, COSTS.values()))
        for numbers in itertools.product(*ranges)
        if sum(n * size for n, size in zip(numbers, COSTS)) == count
    )


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 6, 7, 9, 13])
def test_the_split_costs_least(count: int) -> None:
    sizes = BatchPlan(COSTS).split(count)
    assert sum(sizes) == count
    assert sum(COSTS[size] for size in sizes) == pytest.approx(cheapest(count))


def test_crowds_and_unmeasured_plans() -> None:
    assert BatchPlan(COSTS).best == 4 and BatchPlan(COSTS).split(1000) == [4] * 250
    assert BatchPlan.up_to(8).split(21) == [8, 8, 5] and BatchPlan.up_to(1).split(3) == [1, 1, 1]
    assert BatchPlan.up_to(8).split(200) == [8] * 25
    for wrong in ({}, {2: 1.0}, {1: 0.0}):
        with pytest.raises(ValueError, match="costs of batches"):
            BatchPlan(wrong)


def test_a_disturbed_measurement_does_not_make_small_batches_dear() -> None:
    plan = BatchPlan({1: 9.7, 2: 16.3, 3: 12.8, 4: 15.6, 6: 24.7})
    assert plan.cost == {1: 9.7, 2: 12.8, 3: 12.8, 4: 15.6, 6: 24.7}
    assert plan.split(2) == [2] and plan.split(7) == [4, 3]


def test_measuring_keeps_to_its_time_and_stops_where_batches_get_dear() -> None:
    now, used, runs = [0.0], [0.0], []

    def run(size: int) -> None:
        runs.append(size)
        seconds = {1: 0.0019, 2: 0.0032, 4: 0.0052, 8: 0.0174}.get(size, 1.0)
        now[0] += seconds * (3.0 if len(runs) % 5 == 0 else 1.0)  # now and then another program has the processor
        used[0] += seconds

    clocks = Clocks(lambda: now[0], lambda: used[0])
    cost, is_quiet = measure(run, (1, 2, 4, 8, 16), 0.2, clocks)
    assert cost == pytest.approx({1: 0.0019, 2: 0.0032, 4: 0.0052, 8: 0.0174})
    assert 16 not in runs and now[0] <= 0.2 + 3 * 0.0174 and not is_quiet
    now[0] = used[0] = 0.0
    heavy = lambda size: (now.__setitem__(0, now[0] + 0.15), used.__setitem__(0, used[0] + 0.15))  # noqa: E731
    assert measure(heavy, (1, 2, 4), 0.2, clocks) == ({1: pytest.approx(0.15)}, True)
    assert now[0] == pytest.approx(0.15)  # a heavy network is run once and not again


def test_a_measurement_is_kept_and_reused(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = write_pose_model(tmp_path / "pose")
    runtime = load_runtime(model, engine="onnxruntime", cpu_threads=1)
    shape = (3, INPUT_WH[1], INPUT_WH[0])
    monkeypatch.setattr(measuring, "QUIET", 0.0)
    first = measured_plan(runtime, shape, 8)
    assert set(first.cost) <= {1, 2, 3, 4, 6, 8} and len(first.cost) >= 2
    monkeypatch.setattr(runtime, "run", lambda feeds: pytest.fail("measured again"))
    assert measured_plan(runtime, shape, 8).cost == first.cost
    (cache / machine_notes.FILE).write_text("{ damaged")
    with pytest.raises(pytest.fail.Exception):
        measured_plan(runtime, shape, 8)


def test_a_measurement_on_a_busy_machine_is_not_kept(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "QUIET", 2.0)
    runtime = load_runtime(write_pose_model(tmp_path / "pose"), engine="onnxruntime", cpu_threads=1)
    measured_plan(runtime, (3, INPUT_WH[1], INPUT_WH[0]), 8)
    assert not (cache / machine_notes.FILE).exists()


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PPDET_CACHE", str(tmp_path / "file" / "below"))
    runtime = load_runtime(write_pose_model(tmp_path / "pose"), engine="onnxruntime", cpu_threads=1)
    assert measured_plan(runtime, (3, INPUT_WH[1], INPUT_WH[0]), 8).best >= 1
    assert machine_notes.note("key", {"a": 1}) is False and machine_notes.recall("key") is None


def test_notes_are_bounded(cache: Path) -> None:
    for number in range(3):
        assert machine_notes.note(f"key {number}", {"value": number})
    assert [machine_notes.recall(f"key {n}") for n in range(4)] == [{"value": 0}, {"value": 1}, {"value": 2}, None]
    assert "cores" in machine_notes.machine_name() and machine_notes.usable_cores() >= 1


@pytest.mark.parametrize("engine", ["onnxruntime", pytest.param("openvino", marks=pytest.mark.slow)])
def test_batch_and_threads_change_no_bit_of_the_bundled_network(engine: str) -> None:
    pytest.importorskip(engine)
    folder = bundled_models_folder() / "tinypose_128x96"
    crops = np.random.default_rng(0).normal(0, 1, (6, 3, 128, 96)).astype(np.float32)
    outputs = []
    for threads in (1, 2):
        runtime = load_runtime(folder, engine=engine, cpu_threads=threads)
        for size in (1, 2, 3, 6):
            outputs.append(np.concatenate([runtime.run({"image": crops[i : i + size]})[0] for i in range(0, 6, size)]))
    for other in outputs[1:]:
        np.testing.assert_array_equal(outputs[0], other)


def test_tuning_changes_no_keypoint(cache: Path) -> None:
    image = np.random.default_rng(1).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    boxes = np.array([[10 * i, 5 * i, 60 + 10 * i, 150 + 5 * i] for i in range(7)], float)
    estimator = PosePipeline(None, engine="onnxruntime", cpu_threads=1).estimator
    before = estimator.estimate(image, boxes)  # type: ignore[attr-defined]
    estimator.plan = BatchPlan({1: 1.0, 3: 1.5})  # type: ignore[attr-defined]
    for one, other in zip(before, estimator.estimate(image, boxes)):  # type: ignore[attr-defined]
        np.testing.assert_array_equal(one, other)

"""Under several processes the metric is computed once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ppdet.engine import distributed
from ppdet.engine.evaluation.evaluator import Evaluator


class Metric:
    """Knows nothing and must not be asked on the second process."""

    output_eval = None

    def __init__(self, allowed):
        self.allowed = allowed

    def reset(self):
        pass

    def state(self):
        return []

    def merge(self, states):
        pass

    def compute(self):
        assert self.allowed, "only the first process computes"
        return {"AP": 0.25}

    def report(self):
        return "AP .25"


@pytest.mark.parametrize("rank", [0, 1])
def test_one_process_computes_and_all_have_the_figures(monkeypatch, rank):
    monkeypatch.setattr(distributed, "rank", lambda: rank)
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    others = {"AP": 0.25} if rank else {}
    gathered = []

    def gather(value):
        gathered.append(value)
        other = others if isinstance(value, dict) else value
        return [other, value] if rank else [value, other]

    monkeypatch.setattr(distributed, "gather", gather)
    task = SimpleNamespace(collect=lambda *args: SimpleNamespace(samples=0, setting="no setting"))
    model = SimpleNamespace(training=False, eval=lambda: None)
    evaluator = Evaluator(SimpleNamespace(task=task), model, reader=[], metric=Metric(allowed=rank == 0))
    assert evaluator.run() == {"AP": 0.25}
    assert gathered[-1] == ({"AP": 0.25} if rank == 0 else {})

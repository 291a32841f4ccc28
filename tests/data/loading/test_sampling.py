"""Shares of a run."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.core.errors import DataError
from ppdet.data.loading.sampling import cut_batches, eval_order, train_order


@pytest.mark.parametrize("total, world", [(100, 1), (101, 2), (103, 4), (7, 7)])
def test_training_shares_are_disjoint_and_equal(total, world):
    shares = [train_order(total, 3, 0, rank, world, shuffle=True) for rank in range(world)]
    assert {len(share) for share in shares} == {total // world}
    together = np.concatenate(shares)
    assert len(np.unique(together)) == len(together) == total // world * world


def test_training_order_depends_on_seed_and_epoch_only():
    order = train_order(50, 3, 0, 0, 1, shuffle=True)
    np.testing.assert_array_equal(order, train_order(50, 3, 0, 0, 1, shuffle=True))
    assert (order != train_order(50, 4, 0, 0, 1, shuffle=True)).any()
    assert (order != train_order(50, 3, 1, 0, 1, shuffle=True)).any()
    np.testing.assert_array_equal(train_order(5, 3, 0, 0, 1, shuffle=False), np.arange(5))


def test_too_few_samples():
    with pytest.raises(DataError, match="3 training samples.*4 processes"):
        train_order(3, 0, 0, 0, 4, shuffle=True)


@pytest.mark.parametrize("total, world", [(10, 1), (10, 3), (2, 4)])
def test_evaluation_sees_everything_once(total, world):
    together = np.concatenate([eval_order(total, rank, world) for rank in range(world)])
    assert sorted(together) == list(range(total))


def test_batches():
    assert [len(b) for b in cut_batches(np.arange(10), 4, drop_last=False)] == [4, 4, 2]
    assert [len(b) for b in cut_batches(np.arange(10), 4, drop_last=True)] == [4, 4]
    assert cut_batches(np.arange(0), 4, drop_last=False) == []

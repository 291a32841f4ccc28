"""Folded batch norms get their statistics back without a change of what the network computes."""

from __future__ import annotations

import numpy as np
import paddle
from support.train_parts import SmallNet, SmallReader

from ppdet.engine.weights.unfold_batch_norm import unfold_batch_norms


def test_evaluation_stays_and_training_follows():
    paddle.seed(1)
    model = SmallNet()
    model.norm.weight.set_value(np.array([1.0, 2.0, 0.5, 1.0], np.float32))
    model.norm.bias.set_value(np.array([0.0, 1.0, -0.5, 0.2], np.float32))
    reader = SmallReader(32, 8)
    images = paddle.to_tensor(np.concatenate([batch["image"] for batch in reader]))
    model.eval()
    before = model(images)["heatmap"].numpy()
    model.train()
    assert np.abs(model(images)["heatmap"].numpy() - before).max() > 0.05  # the trap
    model.norm._mean.set_value(np.zeros(4, np.float32))
    model.norm._variance.set_value(np.ones(4, np.float32))
    assert unfold_batch_norms(model, model.state_dict(), reader) == 1
    np.testing.assert_allclose(model(images)["heatmap"].numpy(), before, atol=2e-5)
    model.eval()
    np.testing.assert_allclose(model(images)["heatmap"].numpy(), before, rtol=1e-3, atol=2e-2)


def test_only_folded_norms_from_the_file_are_touched():
    model = SmallNet()
    assert unfold_batch_norms(model, [], SmallReader()) == 0
    model.norm._mean.set_value(np.full(4, 0.3, np.float32))
    assert unfold_batch_norms(model, model.state_dict(), SmallReader()) == 0

"""16-bit weights in checkpoints and running averages, on a CPU: the network's tensors are cast, as O2 does on a GPU."""

from __future__ import annotations

import pickle

import numpy as np
import paddle
import pytest
from support.train_parts import SmallNet, small_step

from ppdet.engine.training.files import load_checkpoint, save_checkpoint
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.sync_batch_norm import convert_sync_batch_norm
from ppdet.engine.weights.checkpoint import load_pdparams, load_pretrained, save_pdparams, set_tensor
from ppdet.optimizer.ema import WeightAverage


def numbers(model):
    return {name: value.astype("float32").numpy() for name, value in model.state_dict().items()}


def test_bfloat16_weights_keep_their_values(tmp_path):
    half, whole = SmallNet().to(dtype="bfloat16"), SmallNet()
    save_pdparams(half.state_dict(), tmp_path / "half.pdparams")
    assert load_pretrained(whole, tmp_path / "half.pdparams", strict=True).complete
    for name, value in numbers(half).items():
        np.testing.assert_array_equal(numbers(whole)[name], value, err_msg=name)


def test_bfloat16_as_paddle_writes_it(tmp_path):
    """As a uint16 array, which holds the bits."""
    values = paddle.to_tensor([0.5, -2.0, 3e-5]).astype("bfloat16")
    (tmp_path / "paddle.pdparams").write_bytes(pickle.dumps({"last.bias": values.numpy()}, protocol=4))
    loaded = load_pdparams(tmp_path / "paddle.pdparams")["last.bias"]
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, values.astype("float32").numpy())


@pytest.mark.parametrize("average", [None, "threshold"])
def test_a_bfloat16_run_resumes_with_its_weights(tmp_path, average):
    first, second = (small_step(seed=seed, average=average) for seed in (3, 4))
    for step in (first, second):
        step.model.to(dtype="bfloat16")
    save_checkpoint(tmp_path, "0", first, TrainingState(epoch=1))
    load_checkpoint(str(tmp_path / "0"), second)
    for name, value in numbers(first.model).items():
        np.testing.assert_array_equal(numbers(second.model)[name], value, err_msg=name)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_average_of_a_16_bit_model_is_float32_and_swaps(dtype):
    model = SmallNet(norm=False)
    average = WeightAverage(model, 0.99, "threshold")
    model.to(dtype=dtype)
    average.restart()
    before = numbers(model)
    for _ in range(3):
        set_tensor(model.last.bias, numbers(model)["last.bias"] + 1)
        average.update()
    trained = numbers(model)
    average.swap()
    assert model.last.bias.dtype == getattr(paddle, dtype)
    moved = numbers(model)["last.bias"] - before["last.bias"]
    assert (moved > 0.5).all() and (moved < 3).all()
    average.swap()
    for name, value in trained.items():
        np.testing.assert_array_equal(numbers(model)[name], value, err_msg=name)
    assert all(value.dtype == np.float32 for value in average.state().values())


def test_synchronous_batch_norm_on_a_gpu_leaves_frozen_layers_alone(monkeypatch):
    monkeypatch.setattr(paddle.device, "get_device", lambda: "gpu:0")
    frozen = paddle.nn.BatchNorm2D(4, use_global_stats=True)
    model = paddle.nn.Sequential(paddle.nn.BatchNorm2D(4), paddle.nn.Sequential(frozen))
    keys = list(model.state_dict())
    converted = convert_sync_batch_norm(model)
    assert type(converted[0]) is paddle.nn.SyncBatchNorm
    assert converted[1][0] is frozen and frozen._use_global_stats
    assert list(converted.state_dict()) == keys

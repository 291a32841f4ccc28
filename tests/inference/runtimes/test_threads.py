"""Each engine gives every thread its own right numbers."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.planted_models import INPUT_WH, planted_person, write_detector, write_pose_model

from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.runtimes import available_runtimes, load_runtime
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.runtimes.instance_pool import InstancePool

THREADS, ROUNDS = 4, 40


def write_network(folder: Path, runtime: type[Runtime]) -> Path:
    """A network that samples every fourth pixel, in the first format that the engine reads."""
    if "onnx" in runtime.reads:
        pytest.importorskip("onnx")
        return write_pose_model(folder)
    if "mnn" in runtime.reads:
        return write_mnn_model(folder)
    paddle = pytest.importorskip("paddle")
    layer = paddle.nn.Conv2D(3, 3, 1, stride=4, bias_attr=False)
    layer.weight.set_value(np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1))
    layer.eval()
    spec = [paddle.static.InputSpec([None, 3, INPUT_WH[1], INPUT_WH[0]], "float32", "image")]
    paddle.jit.save(paddle.jit.to_static(layer, input_spec=spec), str(folder / "model"))
    return folder


def write_mnn_model(folder: Path) -> Path:
    pytest.importorskip("onnx")
    from ppdet.engine.export.targets.mnn import MnnTarget

    write_pose_model(folder)
    job = SimpleNamespace(path=lambda *_: folder / "model.mnn", graph=lambda **_: folder / "model.onnx",
                          form=SimpleNamespace(card=SimpleNamespace(versions={})))  # fmt: skip
    MnnTarget().write(job, "fp32")  # type: ignore[arg-type]
    return folder


def in_threads(work: object) -> list[BaseException]:
    """Run work(number) in four threads at once; what they raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)  # type: ignore[operator]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.parametrize("runtime_class", available_runtimes(), ids=lambda each: each.engine)
def test_one_model_used_from_several_threads(tmp_path: Path, runtime_class: type[Runtime]) -> None:
    if not runtime_class.is_installed():
        pytest.skip(f"{runtime_class.package} is not installed")
    runtime = load_runtime(write_network(tmp_path, runtime_class), engine=runtime_class.engine, cpu_threads=1)
    images = [np.random.default_rng(n).random((1 + n % 3, 3, INPUT_WH[1], INPUT_WH[0]), np.float32) for n in range(8)]

    def work(number: int) -> None:
        kept = []
        for turn in range(ROUNDS):
            image = images[(number + turn) % len(images)]
            kept.append((image, runtime.run({"image": image})[0]))
        for image, heatmap in kept:  # results stay the caller's own while others run
            np.testing.assert_allclose(heatmap, image[:, :, ::4, ::4], atol=1e-5)

    assert in_threads(work) == []
    assert runtime_class.thread_safety


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_one_pipeline_used_from_several_threads(tmp_path: Path, engine: str) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip(engine)
    pipeline = PosePipeline(write_detector(tmp_path / "det"), write_pose_model(tmp_path / "kpt"), engine=engine)
    points = [np.array([[100.0, 80.0], [60.0, 150.0], [140.0, 230.0]]) + 12 * number for number in range(THREADS)]
    images = [planted_person((210, 280), each, 8 * 280 * 1.25 / 64) for each in points]
    alone = [pipeline(image) for image in images]
    runs = sum(pipeline.timer.runs().values())

    def work(number: int) -> None:
        for turn in range(15):
            place = (number + turn) % THREADS
            np.testing.assert_array_equal(pipeline(images[place]).keypoints, alone[place].keypoints)
            pipeline.timer.table()

    assert in_threads(work) == []
    assert sum(pipeline.timer.runs().values()) == runs + 2 * 15 * THREADS


def test_a_pool_makes_as_many_instances_as_meet() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(len(made) + 1)
        return made[-1]

    pool = InstancePool(0, make)
    for _ in range(3):
        with pool.lend() as first:
            assert first == 0
    with pool.lend() as first, pool.lend() as second:
        assert {first, second} == {0, 1}
    with pytest.raises(ValueError), pool.lend():
        raise ValueError
    with pool.lend(), pool.lend():
        assert made == [1]

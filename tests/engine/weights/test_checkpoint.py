"""Weight files in and out, and what is said when they do not fit."""

from __future__ import annotations

import http.server
import os
import pickle
import re
import threading
from pathlib import Path

import numpy as np
import paddle
import pytest
from support.shared_data import shared
from support.small_models import hrnet, lite_hrnet, picodet_lcnet
from support.torch_writer import write_legacy, write_zip

from ppdet.core.errors import CheckpointError
from ppdet.engine.weights.cache import cached_weights
from ppdet.engine.weights.checkpoint import load_pdparams, load_pretrained, save_pdparams


class _Small(paddle.nn.Layer):
    def __init__(self, keypoints: int = 4) -> None:
        super().__init__()
        self.backbone = paddle.nn.Sequential(paddle.nn.Conv2D(3, 2, 1), paddle.nn.BatchNorm2D(2))
        self.final_conv = paddle.nn.Conv2D(2, keypoints, 1)


def _state(model) -> dict:
    return {key: value.numpy() for key, value in model.state_dict().items()}


def _same(a: dict, b: dict) -> bool:
    return list(a) == list(b) and all(np.array_equal(a[k], b[k]) and a[k].dtype == b[k].dtype for k in a)


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_files_of_paddle_save_are_read(protocol: int, tmp_path: Path) -> None:
    model = _Small()
    paddle.save(model.state_dict(), str(tmp_path / "w.pdparams"), protocol=protocol)
    assert _same(load_pdparams(tmp_path / "w"), _state(model))


def test_nested_tensors_of_paddle_save_are_read(tmp_path: Path) -> None:
    """Tensors outside of a state dict are written as (name, array)."""
    paddle.save({"a": paddle.ones([2]), "b": paddle.zeros([1], "int64")}, str(tmp_path / "w.pdparams"))
    loaded = load_pdparams(tmp_path / "w.pdparams")
    np.testing.assert_array_equal(loaded["a"], [1, 1])
    assert loaded["b"].dtype == np.int64


def test_our_files_are_read_by_paddle(tmp_path: Path) -> None:
    model = _Small()
    path = save_pdparams(model.state_dict(), tmp_path / "new folder" / "w.pdparams")
    back = paddle.load(str(path))
    assert _same({k: v.numpy() for k, v in back.items()}, _state(model))
    assert _same(load_pdparams(path), _state(model))
    table = pickle.loads(path.read_bytes())["StructuredToParameterName@@"]
    assert table["final_conv.weight"] == model.final_conv.weight.name


def test_saving_is_whole_or_not_at_all(tmp_path: Path) -> None:
    path = save_pdparams({"a": np.ones(2)}, tmp_path / "w.pdparams")
    with pytest.raises(Exception, match="pickle"):
        save_pdparams({"a": (x for x in ())}, path)
    np.testing.assert_array_equal(load_pdparams(path)["a"], [1, 1])
    assert os.listdir(tmp_path) == ["w.pdparams"]


@pytest.mark.parametrize("name", ["tinypose_128x96", "tinypose_256x192"])
def test_released_tinypose_loads_completely(name: str) -> None:
    model = lite_hrnet()
    report = load_pretrained(model, shared("data", "weights", f"{name}.pdparams"), strict=True)
    assert report.complete and not report.unmatched_file_keys
    assert len(report.loaded) == 1342
    assert "loaded 1342 of the model's 1342" in report.summary()


@pytest.mark.parametrize("name", ["picodet_s_192_lcnet_pedestrian", "picodet_s_320_lcnet_pedestrian"])
def test_released_picodet_loads_completely(name: str) -> None:
    path = shared("data", "weights", f"{name}.pdparams")
    model = picodet_lcnet()
    report = load_pretrained(model, path, strict=True)
    assert len(report.loaded) == 463 and not report.unmatched_file_keys
    assert _same(dict(sorted(_state(model).items())), dict(sorted(load_pdparams(path).items())))


def test_backbone_weights_without_prefix_are_matched(tmp_path: Path) -> None:
    source, target = hrnet(18), hrnet(18)
    state = {key[len("backbone.") :]: value for key, value in source.state_dict().items() if key.startswith("backbone.")}
    report = load_pretrained(target, save_pdparams(state, tmp_path / "imagenet.pdparams"))
    assert report.unmatched_model_keys == ["final_conv.weight", "final_conv.bias"]
    assert _same(_state(source.backbone), _state(target.backbone))
    assert "not in the file, left as they were (2): final_conv.weight; final_conv.bias" in report.summary()


def test_types_are_cast_to_the_models(tmp_path: Path) -> None:
    model = _Small()
    halves = {key: value.astype(np.float16) for key, value in _state(model).items()}
    load_pretrained(model, save_pdparams(halves, tmp_path / "w.pdparams"), strict=True)
    assert model.final_conv.weight.dtype == paddle.float32
    np.testing.assert_array_equal(model.final_conv.weight, halves["final_conv.weight"].astype(np.float32))


def test_other_number_of_keypoints(tmp_path: Path) -> None:
    path = save_pdparams(_Small(4).state_dict(), tmp_path / "four.pdparams")
    with pytest.raises(CheckpointError, match="set `skeleton` to one of 4 keypoints .*num_joints: 4") as caught:
        load_pretrained(_Small(7), path, strict=True)
    assert "final_conv.weight: [4, 2, 1, 1] in the file, [7, 2, 1, 1] in the model" in str(caught.value)
    model = _Small(7)
    before = model.final_conv.weight.numpy()
    report = load_pretrained(model, path)
    assert [m.model_key for m in report.shape_mismatches] == ["final_conv.weight", "final_conv.bias"]
    assert "left out because shapes differ (2)" in report.summary()
    np.testing.assert_array_equal(model.final_conv.weight, before)


def test_weights_of_another_width_are_not_taken_for_another_skeleton(tmp_path: Path) -> None:
    path = save_pdparams(hrnet(18).state_dict(), tmp_path / "w18.pdparams")
    with pytest.raises(CheckpointError, match=r"another architecture, width or input size \(first: backbone\.") as caught:
        load_pretrained(hrnet(32), path, strict=True)
    assert "keypoints" not in str(caught.value) and "num_joints" not in str(caught.value)


def test_an_incomplete_file_is_refused_for_evaluation(tmp_path: Path) -> None:
    state = _state(_Small())
    del state["backbone.1._mean"]
    path = save_pdparams(state, tmp_path / "w.pdparams")
    model = _Small()
    before = _state(model)
    with pytest.raises(CheckpointError, match=r"not in the file.*backbone\.1\._mean"):
        load_pretrained(model, path, strict=True)
    assert _same(_state(model), before)


def test_weights_of_something_else_are_refused(tmp_path: Path) -> None:
    path = save_pdparams({"encoder.weight": np.ones((2, 2))}, tmp_path / "w.pdparams")
    with pytest.raises(CheckpointError, match=r"nothing in .*w\.pdparams fits.*encoder\.weight.*backbone\.0\.weight"):
        load_pretrained(_Small(), path)


def test_missing_file_offers_near_ones(tmp_path: Path) -> None:
    save_pdparams({"a": np.ones(1)}, tmp_path / "best_model.pdparams")
    save_pdparams({"a": np.ones(1)}, tmp_path / "run" / "model_final.pdparams")
    with pytest.raises(CheckpointError, match="there is no weight file .*best_modle.*has best_model.pdparams"):
        load_pdparams(tmp_path / "best_modle")
    with pytest.raises(CheckpointError, match=r"has run.model_final\.pdparams"):
        load_pdparams(tmp_path / "model_final")
    with pytest.raises(CheckpointError, match="does not exist either .the path is right up to"):
        load_pdparams(tmp_path / "no" / "folder" / "w.pdparams")


def test_unreadable_files_are_explained(tmp_path: Path) -> None:
    whole = pickle.dumps({"a": np.arange(1000.0)}, protocol=4)
    files = {
        "empty": (b"", "is empty"),
        "truncated": (whole[:-500], "truncated download"),
        "text": (b"<html>404 not found</html>", "damaged or is not"),
        "list": (pickle.dumps([1, 2]), "holds a list, not a dict"),
        "nothing": (pickle.dumps({}), "holds no tensors"),
        "strings": (pickle.dumps({"a": "text"}), "'a' is a str, not a tensor"),
    }
    for name, (content, message) in files.items():
        path = tmp_path / f"{name}.pdparams"
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=message) as caught:
            load_pdparams(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_a_file_of_pytorch_is_sent_to_the_converter(write, tmp_path: Path) -> None:
    path = write(tmp_path / "w.pth", {"state_dict": {"conv.weight": np.zeros((2, 3), np.float32)}})
    command = f"convert it first: python tools/convert_weights.py {re.escape(str(path))} -c CONFIG"
    with pytest.raises(CheckpointError, match=f"PyTorch.*, not a .pdparams file; {command}"):
        load_pdparams(path)
    with pytest.raises(CheckpointError, match="tools/convert_weights.py"):
        load_pretrained(_Small(), path, strict=True)


@pytest.mark.parametrize("keys", [("model",), ("state_dict",), ("ema", "module")])
def test_the_weights_inside_of_a_checkpoint_are_found(keys: tuple[str, ...], tmp_path: Path) -> None:
    model = _Small()
    content: dict = _state(model)
    for key in reversed(keys):
        content = {"epoch": 3, "optimizer": {"conv_moment1_0": np.ones(2)}, key: content}
    (tmp_path / "w.pdparams").write_bytes(pickle.dumps(content))
    assert _same(load_pdparams(tmp_path / "w"), _state(model))
    assert load_pretrained(_Small(), tmp_path / "w", strict=True).complete


def test_several_sets_of_weights_are_refused(tmp_path: Path) -> None:
    weights = _state(_Small())
    (tmp_path / "w.pdparams").write_bytes(pickle.dumps({"model": weights, "ema": {"module": weights}}))
    with pytest.raises(CheckpointError, match=r"holds 2 sets of weights \(model, ema.module\), expected one; .*\['model'\]"):
        load_pdparams(tmp_path / "w")


def test_an_archive_of_numpy_is_named(tmp_path: Path) -> None:
    model = _Small()
    np.savez(tmp_path / "w.npz", **_state(model))
    with pytest.raises(CheckpointError, match=r"NumPy arrays \(.npz\), not a .pdparams file; .*numpy.load") as caught:
        load_pdparams(tmp_path / "w.npz")
    exec(str(caught.value).split('python -c "')[1].rstrip('"'))  # the advice works
    assert _same(load_pdparams(tmp_path / "w.pdparams"), _state(model))


class _Attack:
    def __init__(self, witness: Path) -> None:
        self._witness = witness

    def __reduce__(self):
        return os.system, (f"touch {self._witness}",)


def test_programs_are_named_and_not_run(tmp_path: Path) -> None:
    witness = tmp_path / "executed"
    path = tmp_path / "evil.pdparams"
    path.write_bytes(pickle.dumps({"a": np.ones(2), "b": _Attack(witness)}))
    with pytest.raises(CheckpointError, match=r"asks for (posix|nt)\.system.*was not executed"):
        load_pretrained(_Small(), path)
    assert not witness.exists()


class _Server(http.server.BaseHTTPRequestHandler):
    """Serves one file; breaks off the first answer half way; understands ranges."""

    content = b""
    requests: list = []

    def do_GET(self) -> None:
        begin = int(self.headers.get("Range", "bytes=0-")[6:-1])
        type(self).requests.append(begin)
        body = self.content[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if len(self.requests) == 1 else body)

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def server():
    _Server.requests = []
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def test_downloads_continue_and_are_kept(server: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PPDET_CACHE", str(tmp_path / "cache"))
    source = _Small()
    _Server.content = save_pdparams(source.state_dict(), tmp_path / "w.pdparams").read_bytes()
    url = f"{server}/models/w.pdparams"
    with pytest.raises(CheckpointError, match="broke after .* run again to continue"):
        load_pretrained(_Small(), url)
    target = _Small()
    assert load_pretrained(target, url, strict=True).complete
    assert _same(_state(source), _state(target))
    load_pretrained(_Small(), url)
    assert _Server.requests == [0, len(_Server.content) // 2]  # continued, and not asked a third time
    assert cached_weights(url).parent.parent == tmp_path / "cache" / "weights"


def test_without_a_network(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/w.pdparams"
    with pytest.raises(CheckpointError, match="cannot download .*Without a network: .*place it at .*w.pdparams"):
        cached_weights(url, tmp_path)

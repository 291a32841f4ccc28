"""The model zoo: its page is up to date, its figures are those the configs tell, its files can be fetched."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Iterator

import pytest

from ppdet.core.errors import CheckpointError, ConfigError
from ppdet.engine.benchmarks.zoo_page import zoo_page
from ppdet.engine.weights.zoo import MEASURED_FILE, ROOT, Download, Zoo, ZooModel, load_zoo
from ppdet.engine.weights.zoo_download import download_by_name

ZOO = load_zoo()
CONTENT = bytes(range(256)) * 4000


def head_of(model: ZooModel) -> str:
    """The comment on top of a config."""
    lines = (ROOT / model.config).read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))])


def test_the_page_is_what_the_command_makes() -> None:
    page = (ROOT / "docs" / "model_zoo.md").read_text(encoding="utf-8")
    assert page == zoo_page(ZOO), "run: python tools/model_zoo.py (new configs: with --measure --only NAME)"


@pytest.mark.parametrize("model", ZOO.models, ids=lambda m: m.name)
def test_figures_and_weights_are_those_of_the_configs_head(model: ZooModel) -> None:
    head = head_of(model)
    for score in model.scores:
        for key in ("AP", "PCKh", "fine", "box"):
            if key in score:
                value = score[key]
                ways = {f"{value:.1f}", f".{value * 10:.0f}", f"{value:.3f}"}
                assert any(re.search(rf"(?<![\d.]){re.escape(way)}(?!\d)", head) for way in ways), (score, head)
    told = re.search(r"# Weights:\s+(\S+)", head)
    assert (told.group(1) if told and told.group(1).startswith("http") else None) == model.weights


def test_every_model_was_measured() -> None:
    assert list(ZOO.costs) == [model.name for model in ZOO.models], "run: python tools/model_zoo.py --measure"


@pytest.mark.parametrize("name", ["tinypose_128x96", "lpn_18_256x192", "picodet_s_192_lcnet_pedestrian"])
def test_measured_values_are_those_of_the_models(name: str) -> None:
    from ppdet.engine.benchmarks.zoo_measure import measure_costs

    assert measure_costs([model for model in ZOO.models if model.name == name]) == {name: ZOO.costs[name]}


def test_times_are_a_column_of_their_own() -> None:
    from ppdet.engine.benchmarks.zoo_measure import machine, measure_times

    times = measure_times([model for model in ZOO.models if model.name == "tinypose_128x96"], repeats=1)
    page = zoo_page(ZOO, timing=times, machine=machine(2))
    assert "| MACs (G) | ms |" in page and f"| 0.08 | {times['tinypose_128x96']:.1f} |" in page and "eager on" in page


def test_a_config_outside_the_zoo_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "configs" / "keypoint"
    folder.mkdir(parents=True)
    (folder / "new.yml").write_text("architecture: X")
    with pytest.raises(ConfigError, match="configs/keypoint/new.yml: in configs, not in"):
        zoo_page(Zoo(), tmp_path)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{scores: [{AP: 1, by: us}]}", "needs boxes"),
        ("{scores: [{mAP: 1, by: us}]}", "one of AP"),
        ("{score: []}", "unknown key score"),
    ],
)
def test_broken_zoo_files_are_named(entry: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "zoo.yml").write_text(f"groups:\n  - {{title: t, folder: f, text: x, models: {{m: {entry}}}}}\n")
    with pytest.raises(ConfigError, match=message):
        load_zoo(tmp_path / "zoo.yml", MEASURED_FILE)


class _Server(BaseHTTPRequestHandler):
    asked: list[str] = []
    breaks = False

    def do_GET(self) -> None:  # noqa: N802
        wanted = self.headers.get("Range", "")
        self.asked.append(wanted)
        start = int(wanted[6:-1]) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : len(CONTENT) // 2 if self.breaks and not wanted else None])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture()
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("PPDET_CACHE", str(tmp_path / "cache"))
    _Server.asked, _Server.breaks = [], False
    server = HTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/tiny.pdparams"
    server.shutdown()
    server.server_close()


def zoo_with(url: str, sha256: str | None = None) -> Zoo:
    return Zoo(downloads={"tiny": Download("tiny", url, "a test", sha256)})


def test_download_is_verified_cached_and_copied(url: str, tmp_path: Path) -> None:
    zoo = zoo_with(url, hashlib.sha256(CONTENT).hexdigest())
    first = download_by_name("tiny", zoo=zoo)
    copy = download_by_name("tiny", tmp_path / "here", zoo)
    assert first.read_bytes() == copy.read_bytes() == CONTENT and copy == tmp_path / "here" / "tiny.pdparams"
    assert _Server.asked == [""]  # the second time came from the cache


def test_a_broken_download_continues(url: str) -> None:
    _Server.breaks = True
    with pytest.raises(CheckpointError, match="run again to continue"):
        download_by_name("tiny", zoo=zoo_with(url))
    assert download_by_name("tiny", zoo=zoo_with(url)).read_bytes() == CONTENT
    assert _Server.asked == ["", f"bytes={len(CONTENT) // 2}-"]


def test_another_file_is_refused_and_removed(url: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="not the file it should be"):
        download_by_name("tiny", zoo=zoo_with(url, "0" * 64))
    assert not list((tmp_path / "cache").rglob("*.pdparams"))


def test_without_a_network_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPDET_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match="Without a network: download it elsewhere"):
        download_by_name("tiny", zoo=zoo_with("http://127.0.0.1:9/tiny.pdparams"))


def test_names_that_cannot_be_fetched() -> None:
    with pytest.raises(ConfigError, match="did you mean tinypose_128x96. `ppdet zoo list` names all"):
        ZOO.download("tinypose_128x69")
    with pytest.raises(ConfigError, match="no weights of lpn_50_256x192 are published"):
        ZOO.download("lpn_50_256x192")


def run_tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)


def test_commands() -> None:
    done = run_tool("tools/download_weights.py", "--list")
    assert done.returncode == 0 and "coco_val2017_boxes" in done.stdout
    assert "https://paddledet.bj.bcebos.com/data/bbox.json" in done.stdout
    done = run_tool("tools/download_weights.py", "nothing")
    assert done.returncode == 2 and "not in the model zoo" in done.stderr
    done = run_tool("tools/model_zoo.py", "--check")
    assert done.returncode == 0 and "up to date" in done.stdout

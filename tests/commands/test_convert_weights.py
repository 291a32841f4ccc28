"""tools/convert_weights.py from end to end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import yaml
from support.key_lists import upstream
from support.torch_writer import Call, Name, random_state, write_zip

from ppdet.core.config.load import load_config
from ppdet.core.errors import CheckpointError
from ppdet.engine.assembly import Assembly
from ppdet.engine.converters.convert_file import convert_file
from ppdet.engine.converters.feed_check import feed_differences
from ppdet.engine.converters.feeds import FEEDS
from ppdet.engine.weights.checkpoint import load_pdparams, load_pretrained

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs" / "keypoint" / "lite_hrnet" / "lite_hrnet_18_256x192_coco.yml"
HRNET = ROOT / "configs" / "keypoint" / "hrnet" / "hrnet_w32_256x192.yml"


@pytest.fixture(scope="module")
def state() -> Dict[str, np.ndarray]:
    return random_state(upstream("litehrnet_18_coco_256x192"))


def _run(*args: Any) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "tools" / "convert_weights.py"), *map(str, args)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)


def test_the_command_writes_weights_that_load(state: Dict[str, np.ndarray], tmp_path: Path) -> None:
    path = write_zip(tmp_path / "lite.pth.tar", {"epoch": 7, "state_dict": state})
    done = _run(path, "-c", CONFIG)
    assert done.returncode == 0, done.stderr
    assert "1418 tensors under 'state_dict': 1214 converted, 204 not needed" in done.stdout
    assert "1214 of its 1214 tensors, names and shapes equal" in done.stdout
    assert "also in the file, not converted: epoch" in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lite.feed.yml", "lite.pdparams", "lite.pth.tar", "lite.report.txt"]
    report = load_pretrained(Assembly(load_config(CONFIG)).model(), tmp_path / "lite.pdparams", strict=True)
    assert report.complete and not report.unmatched_file_keys
    note = yaml.safe_load((tmp_path / "lite.feed.yml").read_text())
    assert note["feed"]["NormalizeImage"] == {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "is_scale": True}
    assert note["codec"]["decoder"] == "quarter" and note["configs"][0] == CONFIG.relative_to(ROOT).as_posix()
    lines = (tmp_path / "lite.report.txt").read_text().splitlines()
    assert sum(" -> " in line for line in lines) == 1214
    assert sum(line.endswith("a counter of PyTorch's batch norms") for line in lines) == 204


@pytest.mark.parametrize("what", ["attack", "truncated", "list", "other architecture", "no file"])
def test_bad_files_end_with_status_2_and_leave_nothing(what: str, state: Dict[str, np.ndarray], tmp_path: Path) -> None:
    path, says = tmp_path / "w.pth", ""
    if what == "attack":
        write_zip(path, {"state_dict": {**state, "x": Call(Name("os", "system"), f"touch {tmp_path}/owned")}})
        says = "asks for os.system"
    elif what == "truncated":
        whole = write_zip(path, state).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        says = "fetch it again"
    elif what == "list":
        write_zip(path, [np.ones(1, np.float32)])
        says = "holds a list, not a state dict"
    elif what == "other architecture":
        write_zip(path, state)
        says = "LiteHRNet-18, 17 keypoints does not fit"
    else:
        says = "there is no weight file"
    done = _run(path, "-c", HRNET)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and says in done.stderr and "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ([] if what == "no file" else ["w.pth"])


def test_names_of_what_is_written(state: Dict[str, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = write_zip(tmp_path / "net.pth", state)
    assert convert_file(str(path), str(tmp_path / "new folder" / "mine")) == tmp_path / "new folder" / "mine.pdparams"
    assert (tmp_path / "new folder" / "mine.feed.yml").is_file()
    assert "not checked against a model; -c CONFIG does" in capsys.readouterr().out
    assert len(load_pdparams(tmp_path / "new folder" / "mine")) == 1214
    with pytest.raises(CheckpointError, match="would overwrite the file itself"):
        convert_file(str(path.rename(tmp_path / "net.pdparams")))


@pytest.mark.parametrize(
    ("config", "home"),
    [
        ("hrnet/hrnet_w32_256x192_authors", "leoxiaobin"),
        ("hrnet/hrnet_w32_384x288_authors", "leoxiaobin"),
        ("hrnet/hrnet_w32_256x256_mpii_authors", "leoxiaobin"),
        ("hrnet/hrnet_w18_small_v1_256x192", "cavalleria"),
        ("dark/darkpose_hrnet_w32_256x192", "darkpose"),
        ("simple_pose/hrnet_w32_dark_256x192", "simple_pose"),
        ("simple_pose/resnet50_se_duc_256x192", "simple_pose"),
        ("simple_baseline/resnet50_256x192", "microsoft"),
        ("simple_baseline/resnet50_256x256_mpii", "microsoft"),
        ("lpn/lpn_50_256x192", "cavalleria_lpn"),
        ("lpn/lpn_101_256x192", "zhang943"),
        ("lite_hrnet/lite_hrnet_18_256x192_coco", "lite_hrnet"),
        ("vit_pose/vitpose_base_coco_256x192", "vitpose"),
    ],
)
def test_our_configs_feed_and_decode_as_their_homes(config: str, home: str) -> None:
    """But for the shift of mirrored maps: a whole cell there, what the grid demands here."""
    assembly = Assembly(load_config(ROOT / "configs" / "keypoint" / f"{config}.yml"))
    remarks = feed_differences(assembly.config, assembly.codec, FEEDS[home])
    assert [remark for remark in remarks if not remark.endswith("-o codec.flip_shift=1.0")] == []


def test_a_config_that_feeds_otherwise_is_reported() -> None:
    assembly = Assembly(load_config(HRNET))
    assert feed_differences(assembly.config, assembly.codec, FEEDS["leoxiaobin"])[-1].startswith("for the figures of leoxiaobin")
    bgr = feed_differences(assembly.config, assembly.codec, FEEDS["microsoft"])
    assert any("EvalReader: these weights want NormalizeImage {to_bgr: True}" in remark for remark in bgr)
    pose = feed_differences(assembly.config, assembly.codec, FEEDS["simple_pose"])
    assert any("std: [1.0, 1.0, 1.0]" in remark for remark in pose)

"""`ppdet bundle`: what is in it runs with NumPy, OpenCV, PyYAML and one engine; everything else is blocked."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppdet.commands.models.bundle_folder import make_bundle
from ppdet.core.errors import ModelDirError, PpdetError
from ppdet.core.shipped import bundled_models_folder

ROOT = Path(__file__).resolve().parents[2]
# Runs run.py as a user does, in an interpreter that finds no package but the allowed ones.
BLOCKED_RUN = """
import sys
class Block:
    allowed = set(sys.argv[1].split(","))
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        known = top in sys.stdlib_module_names or top in self.allowed or top.startswith("_")
        if not known:
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Block())
script = sys.argv[2]
sys.argv = sys.argv[2:]
import runpy
runpy.run_path(script, run_name="__main__")
"""
ALLOWED = "ppdet,numpy,cv2,yaml,google,flatbuffers,packaging,sympy,mpmath,coloredlogs,humanfriendly,"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnxruntime")
    if not (bundled_models_folder() / "tinypose_128x96").is_dir():
        pytest.skip("this copy has no bundled models")
    return make_bundle(str(tmp_path_factory.mktemp("bundle") / "app"), None, None, "onnxruntime")


def test_it_holds_models_and_the_deployed_part_only(bundle: Path) -> None:
    size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    models = sum(path.stat().st_size for path in (bundle / "models").rglob("*"))
    assert size - models < 1.5e6, "the program itself is small"
    assert {path.name for path in bundle.iterdir()} == {"models", "ppdet", "run.py", "requirements.txt"}
    assert not [path for path in bundle.rglob("*.py") if "import paddle" in path.read_text()
                and not path.match("*/core/*")], "only core.paddle_process names it, behind a function"  # fmt: skip
    for folder in ("engine", "modeling", "data", "metrics", "optimizer"):
        assert not (bundle / "ppdet" / folder).exists()


def test_it_runs_without_everything_else(bundle: Path, tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.png"), image)
    words = [ALLOWED + "onnxruntime", str(bundle / "run.py"), str(tmp_path / "photo.png")]
    words += ["--output_dir", str(tmp_path / "out"), "--json", str(tmp_path / "poses.json")]
    command = [sys.executable, "-I", "-c", BLOCKED_RUN, *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "photo.png").is_file() or list((tmp_path / "out").iterdir())
    assert isinstance(json.loads((tmp_path / "poses.json").read_text()), list)
    assert "pose runs on ONNX Runtime" in done.stdout + done.stderr
    assert done.stderr.count("blocked") == 0


def test_it_fails_where_its_engine_is_blocked(bundle: Path, tmp_path: Path) -> None:
    """The test above blocks what it says it blocks."""
    command = [sys.executable, "-I", "-c", BLOCKED_RUN, ALLOWED, str(bundle / "run.py"), str(tmp_path / "photo.png")]
    cv2.imwrite(str(tmp_path / "photo.png"), np.zeros((64, 48, 3), np.uint8))
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode != 0 and "onnxruntime" in done.stderr


def test_a_zip(tmp_path: Path, bundle: Path) -> None:
    packed = make_bundle(str(tmp_path / "app.zip"), None, "none", "onnxruntime")
    with zipfile.ZipFile(packed) as file:
        names = file.namelist()
        assert "app/run.py" in names and "app/models/pose/infer_cfg.yml" in names
        assert not any("models/detector" in name for name in names)
    assert {path.name for path in tmp_path.iterdir()} == {"app.zip"}


def test_mistakes(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(PpdetError, match="exists already"):
        make_bundle(str(tmp_path / "there"), None, None, "onnxruntime")
    with pytest.raises(ModelDirError, match="has no file that MNN reads.*the target mnn"):
        make_bundle(str(tmp_path / "new"), None, None, "mnn")
    with pytest.raises(ModelDirError):
        make_bundle(str(tmp_path / "new"), "no_such_model", None, "onnxruntime")
    assert {path.name for path in tmp_path.iterdir()} == {"there"}

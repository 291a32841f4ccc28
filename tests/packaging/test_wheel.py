"""The wheel works outside the repository: configurations, models, the console command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.core.shipped import configs_folder, find_config

ROOT = Path(__file__).resolve().parents[2]


def run(*words: object, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(word) for word in words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("ppdet", "configs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for pattern in ("requirements*.txt", "pyproject.toml", "setup.py", "README.md", "MANIFEST.in"):
        for path in ROOT.glob(pattern):
            shutil.copy(path, source)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_wheel_holds_configs_and_models(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    configs = {f"ppdet/configs/{path.relative_to(ROOT / 'configs').as_posix()}" for path in (ROOT / "configs").rglob("*.yml")}
    zoo = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ppdet" / "model_zoo").rglob("*") if path.is_file()}
    page = {f"ppdet/service/page/{path.name}" for path in (ROOT / "ppdet" / "service" / "page").iterdir()}
    assert configs | page <= names and zoo - names <= {name for name in zoo if "__pycache__" in name}
    assert not [name for name in names if name.startswith(("tests/", "tools/", "deploy/"))]


@pytest.mark.slow
def test_installed_package_works_outside_the_repository(wheel: Path, tmp_path: Path) -> None:
    """Dependencies are taken from the environment of the tests; the package itself from the wheel alone."""
    venv.create(tmp_path / "env", with_pip=True, symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel, cwd=tmp_path)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])", cwd=tmp_path).strip())
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    ppdet = tmp_path / "env" / "bin" / "ppdet"
    assert "usage: ppdet" in run(ppdet, "--help", cwd=tmp_path)
    assert str(site) in run(ppdet, "doctor", "--cameras=no", cwd=tmp_path)
    for name in ("tinypose_128x96", "configs/keypoint/tiny_pose/tinypose_128x96.yml"):
        assert "tinypose_128x96.yml: ok" in run(ppdet, "check-config", "-c", name, cwd=tmp_path)
    assert "tinypose_128x96" in run(ppdet, "zoo", "list", cwd=tmp_path)
    assert "parameters" in run(ppdet, "model-info", "-c", "tinypose_128x96", cwd=tmp_path)


def test_configs_are_found_by_name_and_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = configs_folder() / "keypoint" / "tiny_pose" / "tinypose_128x96.yml"
    monkeypatch.chdir(tmp_path)
    for text in ("tinypose_128x96", "tinypose_128x96.yml", "configs/keypoint/tiny_pose/tinypose_128x96.yml",
                 "keypoint/tiny_pose/tinypose_128x96.yml"):  # fmt: skip
        assert Path(find_config(text)) == expected
    (tmp_path / "tinypose_128x96").write_text("own: file")
    assert find_config("tinypose_128x96") == "tinypose_128x96"
    assert find_config("nowhere.yml") == "nowhere.yml"
    for text in ("tinypose_128x69", "tinypose_128x69.yml"):
        with pytest.raises(ConfigError, match=f"cannot read the config '{text}': No such file.*; did you mean 'tinypose_128x96'"):
            load_config(find_config(text))
    with pytest.raises(ConfigError, match="cannot read the config 'nowhere.yml': No such file.*; check the path"):
        load_config(find_config("nowhere.yml"))


def test_requirements_name_every_package() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    names = {line.split(";")[0].split("=")[0].rstrip("<> ") for line in text.splitlines() if line and not line.startswith("#")}
    card = {"paddlepaddle", "numpy", "opencv-python", "pycocotools", "pyyaml", "visualdl", "paddle2onnx", "shapely"}
    assert card <= names, card - names

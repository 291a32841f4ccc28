"""Names of configurations that come with the toolkit, and places of models and downloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.core import shipped
from ppdet.core.errors import ConfigError
from ppdet.core.shipped import bundled_models_folder, cache_root, configs_folder, find_config

NAME = "tinypose_128x96"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `site/ppdet` with configurations inside."""
    folder = tmp_path / "site" / "ppdet"
    for name in ("keypoint/a/one.yml", "keypoint/b/one.yml", "keypoint/b/two.yml"):
        (folder / "configs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "configs" / name).touch()
    monkeypatch.setattr(shipped, "PACKAGE", folder)
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_shipped_configuration_has_many_names() -> None:
    expected = Path(find_config(NAME))
    assert expected.is_file() and expected.is_relative_to(configs_folder())
    below = expected.relative_to(configs_folder())
    for text in (f"{NAME}.yml", str(below), f"configs/{below}", str(expected)):
        assert Path(find_config(text)).resolve() == expected.resolve(), text


def test_a_file_that_is_there_is_taken_as_it_is(package: Path) -> None:
    Path("two.yml").touch()
    assert find_config("two.yml") == "two.yml"
    assert find_config("two") == str(package / "configs" / "keypoint" / "b" / "two.yml")


@pytest.mark.parametrize("text", ["nothing", "nothing.yml", "configs/keypoint/nothing.yml", "/nowhere/two.yml", "keypoint/b"])
def test_what_fits_nothing_stays_so_that_reading_it_gives_the_error(package: Path, text: str) -> None:
    assert find_config(text) == text


def test_a_name_that_stands_for_several_is_refused(package: Path) -> None:
    with pytest.raises(ConfigError, match="one may be .*a/one.yml or .*b/one.yml: give the path"):
        find_config("one")
    assert find_config("configs/keypoint/a/one.yml") == str(package / "configs" / "keypoint" / "a" / "one.yml")


def test_a_clone_comes_before_the_installed_package(package: Path) -> None:
    assert configs_folder() == package / "configs"
    (package.parent / "configs" / "keypoint").mkdir(parents=True)
    assert configs_folder() == package.parent / "configs"


def test_a_damaged_installation_is_named(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "PACKAGE", package.parents[1] / "other" / "elsewhere")
    with pytest.raises(ConfigError, match="are not in .*elsewhere/configs: install the package again"):
        find_config("one")


def test_places(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundled_models_folder() == package / "model_zoo" / "bundled"
    monkeypatch.setenv("PPDET_CACHE", "/elsewhere")
    assert cache_root() == Path("/elsewhere")
    monkeypatch.setenv("PPDET_CACHE", "")
    assert cache_root() == Path.home() / ".cache" / "ppdet"

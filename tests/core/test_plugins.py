"""Plugins: modules of a config and entry points of installed packages, each imported once."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ppdet.core import plugins
from ppdet.core.errors import ConfigError
from ppdet.core.plugins import GROUP, import_plugins


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with nothing installed and nothing imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.setattr(plugins, "_done", set())
    monkeypatch.setattr(plugins, "_installed", list)
    return tmp_path


def imports(folder: Path) -> int:
    return len((folder / "imported").read_text().splitlines())


def write_module(folder: Path, name: str) -> None:
    (folder / f"{name}.py").write_text("from pathlib import Path\nPath('imported').open('a').write('once\\n')\n")


def test_a_module_of_the_current_directory_is_imported_once(folder: Path) -> None:
    write_module(folder, "plugin_of_test")
    try:
        import_plugins(["plugin_of_test"])
        import_plugins(("plugin_of_test", "plugin_of_test"))
        assert imports(folder) == 1
    finally:
        sys.modules.pop("plugin_of_test", None)


def test_entry_points_need_no_config(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_module(folder, "installed_plugin_of_test")
    points = [EntryPoint("mine", "installed_plugin_of_test:Anything", GROUP)]
    monkeypatch.setattr(plugins, "_installed", lambda: points)
    try:
        import_plugins()
        assert imports(folder) == 1
    finally:
        sys.modules.pop("installed_plugin_of_test", None)
    points[:] = [EntryPoint("mine", "not_there_at_all", GROUP)]
    with pytest.raises(ConfigError, match=f"entry point mine of the group {GROUP}: not_there_at_all does not import"):
        import_plugins()


def test_the_error_of_a_module_is_in_the_message_and_it_is_tried_again(folder: Path) -> None:
    module = folder / "broken_plugin_of_test.py"
    module.write_text("1 / 0\n")
    with pytest.raises(ConfigError, match="plugins: broken_plugin_of_test does not import: ZeroDivisionError: division by zero"):
        import_plugins(["broken_plugin_of_test"])
    module.write_text("mended = True\n" + "#" * 50)
    try:
        import_plugins(["broken_plugin_of_test"])
        assert sys.modules["broken_plugin_of_test"].mended
    finally:
        sys.modules.pop("broken_plugin_of_test", None)


@pytest.mark.parametrize("value", ["one_name", [1], {"a": 1}, None])
def test_what_is_no_list_of_names(folder: Path, value: object) -> None:
    with pytest.raises(ConfigError, match="give a list of modules"):
        import_plugins(value)


def test_the_real_entry_points_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    class Points(list):
        def select(self, group: str) -> list:
            asked.append(group)
            return [1]

    monkeypatch.setattr(plugins, "entry_points", Points)
    assert plugins._installed() == [1] and asked == [GROUP]
    monkeypatch.setattr(plugins, "entry_points", lambda: {GROUP: (2,), "others": (3,)})  # Python 3.9
    assert plugins._installed() == [2]
    monkeypatch.setattr(plugins, "entry_points", dict)
    assert plugins._installed() == []

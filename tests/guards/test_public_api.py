"""The public API: every package says what it offers, and no name or signature changes unnoticed.

`public_api.txt` is the list. After an intended change run ``python tests/guards/test_public_api.py``, look at the difference and
note it in CHANGELOG.md.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LIST = Path(__file__).with_name("public_api.txt")
PLAIN = (bool, int, float, str, type(None))


@pytest.fixture(autouse=True)
def log_handlers() -> Iterator[None]:
    """Importing Paddle adds a handler to the root logger, beside which ppdet stays silent in every later test."""
    root = logging.getLogger()
    before = root.handlers[:]
    yield
    root.handlers[:] = before


def packages() -> list[str]:
    """Every package of ppdet."""
    import ppdet

    return ["ppdet", *sorted(info.name for info in pkgutil.walk_packages(ppdet.__path__, "ppdet.") if info.ispkg)]


def api_lines() -> Iterator[str]:
    """One line per public name, and per public method of a class."""
    for package in packages():
        module = importlib.import_module(package)
        for name in sorted(module.__all__):
            yield from _lines_of(f"{package}.{name}", getattr(module, name))


def _lines_of(path: str, value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        yield f"{path}{_signature(value)}" if callable(value) else path
        return
    yield f"{path}{_signature(value)}"
    own = [cls for cls in value.__mro__ if cls.__module__.startswith("ppdet.")]
    names = {name for cls in own for name in vars(cls) if not name.startswith("_")}
    for name in sorted(names):
        member = inspect.getattr_static(value, name)
        member = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        yield f"    {name}{_signature(member) if inspect.isfunction(member) else ''}"


def _signature(value: Any) -> str:
    """The arguments with their plain defaults; annotations differ between Python versions."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return "(...)"
    return f"({', '.join(map(_argument, parameters))})"


def _argument(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    default = parameter.default
    if default is parameter.empty:
        return stars + parameter.name
    is_plain = isinstance(default, (*PLAIN, tuple)) and len(repr(default)) < 60
    return f"{parameter.name}={repr(default) if is_plain else '...'}"


def test_every_package_says_what_it_offers() -> None:
    for package in packages():
        module = importlib.import_module(package)
        missing = [name for name in getattr(module, "__all__", [None]) if name is None or not hasattr(module, name)]
        assert not missing, f"{package}: __all__ is missing, or names what is not there: {missing}"


def test_the_public_api_is_the_listed_one() -> None:
    listed, present = LIST.read_text(encoding="utf-8").splitlines(), list(api_lines())
    gone = [line for line in listed if line not in set(present)]
    new = [line for line in present if line not in set(listed)]
    assert listed == present, "the public API changed; run python tests/guards/test_public_api.py if it is meant:\n" + "\n".join(
        [*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)]
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    LIST.write_text("\n".join(api_lines()) + "\n", encoding="utf-8")

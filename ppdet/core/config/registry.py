"""Names of classes as YAML spells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from ppdet.core.errors import ConfigError
from ppdet.core.problem import did_you_mean

T = TypeVar("T", bound=type)


class Registry:
    """A table from class name to class, filled by the `register` decorator."""

    def __init__(self) -> None:
        self._classes: dict[str, type] = {}

    def add(self, cls: T) -> T:
        """Register a class under its own name.

        Raises:
            ConfigError: another class already has that name. Importing a module twice is fine.
        """
        name = cls.__name__
        held = self._classes.get(name)
        if held is not None and (held.__module__, held.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ConfigError(
                f"two classes are called {name!r}: {held.__module__}.{held.__qualname__} and "
                f"{cls.__module__}.{cls.__qualname__}; YAML finds a class by its name, so rename one of them"
            )
        self._classes[name] = cls
        return cls

    def get(self, name: str) -> type:
        """The class of that name.

        Raises:
            ConfigError: there is none; the message suggests the nearest name.
        """
        if name not in self._classes:
            raise ConfigError(f"there is no component {name!r}{did_you_mean(name, self._classes)}")
        return self._classes[name]

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._classes)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._classes

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self._classes)


registry = Registry()


def register(cls: T) -> T:
    """Class decorator: register the class under its own name in the registry of the process, so that YAML can use it."""
    return registry.add(cls)

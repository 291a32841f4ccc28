"""Finds the task of a config in one table, which packages outside ppdet can extend."""

from __future__ import annotations

from typing import Any, Mapping, TypeVar

from ppdet.codecs import Codec
from ppdet.core.errors import ConfigError, ExportError
from ppdet.engine.tasks.base import Task
from ppdet.engine.tasks.bottom_up import BottomUpTask
from ppdet.engine.tasks.detection import DetectionTask
from ppdet.engine.tasks.top_down import TopDownTask
from ppdet.engine.tasks.tracking import TrackingTask

T = TypeVar("T", bound=type)

_TASKS: dict[str, Task] = {task.kind: task for task in (TopDownTask(), BottomUpTask(), DetectionTask(), TrackingTask())}


def register_task(cls: T) -> T:
    """Class decorator: register a task under its `kind`.

    Raises:
        ConfigError: another task has the same kind, or one of its architectures.
    """
    task: Task = cls()
    held = _TASKS.get(task.kind)
    if held is not None and (type(held).__module__, type(held).__qualname__) != (cls.__module__, cls.__qualname__):
        raise ConfigError(f"two tasks are of kind {task.kind!r}: {type(held).__name__} and {cls.__name__}; rename one of them")
    for other in _TASKS.values():
        shared = set(other.architectures) & set(task.architectures)
        if shared and other.kind != task.kind:
            raise ConfigError(f"{cls.__name__} and {type(other).__name__} both name the architecture {min(shared)}")
    _TASKS[task.kind] = task
    return cls


def task_of_kind(kind: str) -> Task:
    """The task of a kind of model, as stated by a card or a codec.

    Raises:
        ConfigError: there is no such task.
    """
    if kind not in _TASKS:
        raise ConfigError(f"there is no task of kind {kind!r}; known are {', '.join(_TASKS)}. Is the module that registers it "
                          "among the config's plugins?")  # fmt: skip
    return _TASKS[kind]


def find_task(config: Mapping[str, Any], codec: Codec | None = None) -> Task | None:
    """The task that lists the config's architecture, otherwise the task of the codec's kind, otherwise None."""
    architecture = config.get("architecture")
    for task in _TASKS.values():
        if architecture in task.architectures:
            return task
    return None if codec is None else _TASKS.get(codec.kind)


def task_of(config: Mapping[str, Any], codec: Codec | None) -> Task:
    """The task of a config.

    Raises:
        ExportError: no task lists its architecture, or the codec is for another kind of model.
    """
    architecture, path = config.get("architecture"), getattr(config, "path", "the config")
    task = find_task(config, codec)
    if task is None:
        able = ", ".join(name for each in _TASKS.values() for name in each.architectures)
        raise ExportError(f"{path}: architecture {architecture} cannot be deployed. What can: {able}.")
    if task.needs_codec and (codec is None or codec.kind != task.kind):
        given = "without a codec" if codec is None else f"with a {type(codec).__name__}, which is of kind {codec.kind}"
        raise ExportError(f"{path}: architecture {architecture} cannot be deployed {given}: it needs one of kind {task.kind}.")
    return task

"""Keeps what was measured on this machine, in the user's cache folder, so that the next start need not measure again."""
from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ppdet.core.files import atomic_write, read_regular_file
from ppdet.core.shipped import cache_root

FILE = "measured.json"
MAX_BYTES = 4_000_000
MOST_NOTES = 500
CPU_INFO = Path("/proc/cpuinfo")


def machine_name() -> str:
    """Processor model and number of usable cores: measurements hold for one such machine."""
    return f"{_processor()}, {usable_cores()} cores"


def usable_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def recall(key: str) -> Mapping[str, Any] | None:
    """What was noted under `key`, or None. A file that is missing or damaged counts as empty."""
    found = _all().get(key)
    return found if isinstance(found, Mapping) else None


def note(key: str, values: Mapping[str, Any]) -> bool:
    """Note `values` under `key`; oldest notes give way beyond 500.

    Returns:
        Whether it could be written. A home folder that is missing, full or read-only is no error: the next start measures again.
    """
    notes = {other: value for other, value in _all().items() if other != key}
    kept = dict(list(notes.items())[-(MOST_NOTES - 1):])
    try:
        with atomic_write(_file(), "w") as file:
            json.dump({**kept, key: dict(values)}, file, indent=1)
    except OSError:
        return False
    return True


def _file() -> Path:
    return cache_root() / FILE


def _all() -> dict[str, Any]:
    try:
        content = json.loads(read_regular_file(_file(), MAX_BYTES))
    except (OSError, ValueError, RuntimeError, RecursionError):  # no home folder: RuntimeError
        return {}
    return content if isinstance(content, dict) else {}


def _processor() -> str:
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    names = {key.strip(): value.strip() for key, value in named.items()}
    known = " ".join(names[key] for key in ("model name", "cpu family", "model", "stepping") if key in names)
    return known or platform.processor() or platform.machine()

"""How much memory may a cache take? Asks the system and, in a container, its limit."""

from __future__ import annotations

import os
from typing import Optional


def available_bytes() -> int:
    """Bytes that can be had without swapping: the system's estimate, or what is left of the container's limit if less.

    0 if the system does not report it (then nothing is cached unless asked for).
    """
    free = [
        n
        for n in (
            _system_available(),
            _cgroup_left("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
            _cgroup_left("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
        )
        if n is not None
    ]
    return max(0, min(free)) if free else 0


def _system_available() -> Optional[int]:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _cgroup_left(limit_file: str, usage_file: str) -> Optional[int]:
    try:
        with open(limit_file, encoding="ascii") as limit, open(usage_file, encoding="ascii") as usage:
            return int(limit.read()) - int(usage.read())
    except (OSError, ValueError):  # no such control group, or "max": no limit
        return None

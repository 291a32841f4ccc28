"""The folder of a training run: one run, one folder."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from ppdet.core.errors import ConfigError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.engine import distributed

_log = get_logger(__name__)
_NOTE = "run.json"


class RunFolder:
    """`save_dir/<name of the configuration>`, which YAMLs' `weights: output/<name>/model_final` mean.

    A new run never mixes its files with those of an earlier one: a folder that holds a run is first renamed to `<folder>.1`,
    `.2`, ... and that is said. A folder in which a process is still training is refused.

    Args:
        path: the folder.
        about: what to note in `run.json`: configuration, options, command.
        resume: continue the run that is there instead.

    Raises:
        ConfigError: a training process is at work in the folder.
    """

    def __init__(self, path: Path, about: Optional[Mapping[str, Any]] = None, resume: bool = False) -> None:
        self.path = Path(path)
        if distributed.is_main():
            self._refuse_if_busy()
            if not resume:
                self._move_aside()
            self.path.mkdir(parents=True, exist_ok=True)
            self._note(about or {}, "running")
        distributed.barrier()

    def close(self, status: str) -> None:
        """Note how the run ended: finished, interrupted or failed."""
        if distributed.is_main():
            self._note(_read(self.path / _NOTE), status)

    def _note(self, about: Mapping[str, Any], status: str) -> None:
        content: Dict[str, Any] = {"status": status, "pid": os.getpid(), "host": socket.gethostname(), **about}
        content.update(status=status, pid=os.getpid(), time=time.strftime("%Y-%m-%d %H:%M:%S"))
        with atomic_write(self.path / _NOTE) as file:
            json.dump(content, file, indent=1, default=str)
            file.write("\n")

    def _refuse_if_busy(self) -> None:
        note = _read(self.path / _NOTE)
        same_host = note.get("host") == socket.gethostname()
        if note.get("status") == "running" and same_host and note.get("pid") != os.getpid() and _alive(note.get("pid")):
            raise ConfigError(
                f"process {note['pid']} is training in {self.path} right now; "
                "wait for it, stop it, or give this run another folder with -o save_dir=..."
            )

    def _move_aside(self) -> None:
        if not self.path.is_dir() or not any(self.path.glob("*.pdparams")) and not (self.path / _NOTE).exists():
            return
        number = 1
        while self.path.with_name(f"{self.path.name}.{number}").exists():
            number += 1
        kept = self.path.with_name(f"{self.path.name}.{number}")
        os.replace(self.path, kept)
        _log.warning("%s held an earlier run; it is now %s (to continue it instead, use --resume)", self.path, kept)


def _read(path: Path) -> Dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _alive(pid: Any) -> bool:
    if not isinstance(pid, int) or pid <= 0 or os.name != "posix":  # elsewhere the signal below would end the process
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

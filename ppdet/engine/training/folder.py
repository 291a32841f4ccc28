"""Manages the folder of a training run: one run per folder."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import socket
import time
from pathlib import Path
from typing import IO, Any, Dict, List, Mapping, Optional

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from ppdet.core.errors import ConfigError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.training.files import finish_pending

_log = get_logger(__name__)
_NOTE, _LOCK = "run.json", ".lock"
_TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.tmp(\.\w+)?$")


class RunFolder:
    """`save_dir/<name of the config>`, the folder that `weights: output/<name>/model_final` in YAML refers to.

    A new run never mixes its files with those of an earlier one: a folder with a run in it is first renamed to `<folder>.1`,
        `.2`, ..., with a warning. A folder in which another process is training is refused; that process holds a lock on a file
        in it while it is running. Unfinished files of a killed run are removed, and a checkpoint that it was replacing is
        replaced.

    Args:
        path: the folder.
        about: content of `run.json`: config, options, command.
        resume: continue the existing run instead.

    Raises:
        ConfigError: another process is training in the folder.
    """

    def __init__(self, path: Path, about: Optional[Mapping[str, Any]] = None, resume: bool = False) -> None:
        self.path = Path(path)
        self._locks: List[IO[str]] = []
        if distributed.is_main():
            try:
                self._take_over(about or {}, resume)
            except OSError as error:
                problem = f"cannot write to {self.path}: {error.strerror or error}"
                raise ConfigError(f"{problem}; make room, or choose another save_dir") from error
        distributed.barrier()

    def close(self, status: str) -> None:
        """Record how the run ended (finished, interrupted or failed), and release the folder."""
        if distributed.is_main():
            try:
                self._note(_read(self.path / _NOTE), status)
            finally:
                for lock in self._locks:
                    lock.close()

    def _note(self, about: Mapping[str, Any], status: str) -> None:
        content: Dict[str, Any] = {"status": status, "pid": os.getpid(), "host": socket.gethostname(), **about}
        content.update(status=status, pid=os.getpid(), time=time.strftime("%Y-%m-%d %H:%M:%S"))
        with atomic_write(self.path / _NOTE) as file:
            json.dump(content, file, indent=1, default=str)
            file.write("\n")

    def _take_over(self, about: Mapping[str, Any], resume: bool) -> None:
        self._locks = [self._lock()]
        self._refuse_if_busy()
        _remove_temporaries(self.path)
        finish_pending(self.path)
        if not resume and self._move_aside():
            self._locks.append(self._lock())
        self._note(about, "running")

    def _lock(self) -> IO[str]:
        """Create the folder and lock it for this process; the lock ends with the process, even if that is killed."""
        if fcntl is None:
            self.path.mkdir(parents=True, exist_ok=True)
            return io.StringIO()
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            file = open(self.path / _LOCK, "a", encoding="utf-8")  # noqa: SIM115 - it stays open
            if not _lock_file(file):
                file.close()
                raise ConfigError(self._busy(_read(self.path / _NOTE).get("pid", "another process")))
            try:
                if os.path.samestat(os.fstat(file.fileno()), os.stat(self.path / _LOCK)):
                    return file
            except OSError:
                pass
            file.close()  # another process renamed the folder between the two calls, so the lock is not in our folder

    def _busy(self, pid: Any) -> str:
        return (
            f"process {pid} is training in {self.path} right now; "
            "wait for it, stop it, or give this run another folder with -o save_dir=..."
        )

    def _refuse_if_busy(self) -> None:
        note = _read(self.path / _NOTE)
        same_host = note.get("host") == socket.gethostname()
        if note.get("status") == "running" and same_host and note.get("pid") != os.getpid() and _alive(note.get("pid")):
            raise ConfigError(self._busy(note["pid"]))

    def _move_aside(self) -> bool:
        """Rename the folder if there is a run in it; returns whether there was."""
        if not any(self.path.glob("*.pdparams")) and not (self.path / _NOTE).exists():
            return False
        number = 1
        while self.path.with_name(f"{self.path.name}.{number}").exists():
            number += 1
        kept = self.path.with_name(f"{self.path.name}.{number}")
        os.replace(self.path, kept)
        _log.warning("%s held an earlier run; it is now %s (to continue it instead, use --resume)", self.path, kept)
        return True


def _lock_file(file: IO[str]) -> bool:
    """Whether this process got the lock; always true on file systems without locks."""
    try:
        # A record lock belongs to this process only: forked data workers do not keep it after the process is killed.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN)
    return True


def _remove_temporaries(folder: Path) -> None:
    """Remove temporary files of `core.files.atomic_path` whose process was killed."""
    left = [path for path in folder.rglob(".*") if _TEMPORARY.match(path.name) and path.is_file()]
    for path in left:
        path.unlink(missing_ok=True)
    if left:
        _log.info("removed %d unfinished files of a run that was killed (%s, ...)", len(left), left[0].name)


def _read(path: Path) -> Dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _alive(pid: Any) -> bool:
    if not isinstance(pid, int) or pid <= 0 or os.name != "posix":  # on other systems the signal below would end the process
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

"""The journal of a batch: one line of JSON per finished input, by which a later run knows what is there.

Only the process that leads a run writes it, after the result has its name. What was in work when a run was killed is in no line
and is done again. A line cut short (a full disk, a power cut) is passed over.
"""
from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ppdet.inference.batch_runs.inputs import BatchInput
from ppdet.inference.batch_runs.job import BatchJob, Outcome, size_of, state_of
from ppdet.inference.formats.whole_output import CannotWriteError

JOURNAL_NAME = "journal.jsonl"
SETTINGS, INPUT = "settings", "input"


class Journal:
    """What became of each input, in this run and those before.

    Args:
        folder: of the results.
        job: what this run does.

    Attributes:
        entries: the last line of each input, by the name of its result.
        settings: by their fingerprint.
    """

    def __init__(self, folder: Path, job: BatchJob) -> None:
        self.path, self._folder, self._job = folder / JOURNAL_NAME, folder, job
        self.entries: dict[str, dict[str, Any]] = {}
        self.settings: dict[str, Mapping[str, Any]] = {}
        self._stream: IO[bytes] | None = None
        self._read()

    def _read(self) -> None:
        with suppress(FileNotFoundError), self.path.open("rb") as stream:
            for line in stream:
                with suppress(ValueError, KeyError, TypeError):
                    entry = json.loads(line)
                    if entry["kind"] == SETTINGS:
                        self.settings[entry["fingerprint"]] = entry["settings"]
                    elif entry["kind"] == INPUT:
                        self.entries[entry["name"]] = entry

    def __enter__(self) -> Journal:
        try:
            self._stream = self.path.open("ab", buffering=0)
            if self._stream.tell() and not self._ends_with_newline():
                self._stream.write(b"\n")
        except OSError as error:
            raise self._failed(error) from error
        if self._job.fingerprint not in self.settings:
            self._append({"kind": SETTINGS, "fingerprint": self._job.fingerprint, "settings": self._job.settings})
            self.settings[self._job.fingerprint] = self._job.settings
        return self

    def _ends_with_newline(self) -> bool:
        with self.path.open("rb") as stream:
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) == b"\n"

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stream is not None:
            self._stream.close()

    def add(self, item: BatchInput, outcome: Outcome) -> None:
        """Record what became of an input.

        Raises:
            CannotWriteError: the journal cannot be written; the input will be done again.
        """
        result = self._job.result_path(self._folder, item)
        entry = {"kind": INPUT, "name": item.name, **outcome.to_dict(), "fingerprint": self._job.fingerprint,
                 "input_state": state_of(item.source)}  # fmt: skip
        if outcome.status == "done":
            entry |= {"result": result.relative_to(self._folder).as_posix(), "result_bytes": size_of(result)}
        self._append(entry)
        self.entries[item.name] = entry

    def _append(self, entry: Mapping[str, Any]) -> None:
        assert self._stream is not None, "the journal is open"
        data = (json.dumps(entry, ensure_ascii=False, default=str) + "\n").encode("utf-8", "surrogateescape")
        try:
            if self._stream.write(data) != len(data):
                raise OSError(28, "No space left on device")
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> CannotWriteError:
        reason = error.strerror or error
        return CannotWriteError(f"cannot write {self.path}: {reason}; free some space or choose another --output")

    def outcome_of(self, item: BatchInput) -> Outcome | None:
        """What became of an input in an earlier run with these settings; None if it has to be done: never done, changed since, or
        its result is gone or has another size."""
        entry = self.entries.get(item.name)
        if entry is None or entry.get("fingerprint") != self._job.fingerprint:
            return None
        if state_of(item.source) != entry.get("input_state"):
            return None
        if entry["status"] == "done":
            size = size_of(self._job.result_path(self._folder, item))
            if size is None or size != entry.get("result_bytes"):
                return None
        return _outcome(entry)

    def others(self, items: list[BatchInput]) -> dict[str, int]:
        """How many results of these inputs are of other settings, by fingerprint."""
        counts: dict[str, int] = {}
        for item in items:
            entry = self.entries.get(item.name)
            if entry is not None and entry["status"] == "done" and entry.get("fingerprint") != self._job.fingerprint:
                counts[str(entry.get("fingerprint"))] = counts.get(str(entry.get("fingerprint")), 0) + 1
        return counts

    def difference(self, fingerprint: str) -> str:
        """In which settings those of a fingerprint differ from this run's, in words."""
        old, new = self.settings.get(fingerprint, {}), self._job.settings
        texts = [(name, _short(old.get(name)), _short(new.get(name))) for name in sorted({*old, *new})]
        return ", ".join(f"{name} {before} -> {now}" for name, before, now in texts if before != now) or "unknown settings"


def _outcome(entry: Mapping[str, Any]) -> Outcome:
    return Outcome(**{name: entry[name] for name in Outcome.__dataclass_fields__ if name in entry})


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."

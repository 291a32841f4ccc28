"""Counts of a batch, and its manifest."""
from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ppdet import __version__
from ppdet.core.files import atomic_write
from ppdet.core.quantity import pace, quantity
from ppdet.inference.batch_runs.job import Outcome

MANIFEST_NAME = "manifest.json"
SCHEMA_ID = "ppdet.batch/1"


@dataclass
class BatchReport:
    """What a batch did.

    Attributes:
        inputs: number of inputs.
        before: what became of inputs in earlier runs, which this one left as they are.
        now: what became of inputs in this run.
        skipped: files that are no inputs, by suffix.
        workers_lost: workers that died or were stopped because they stood still.
        seconds: of this run.
    """

    inputs: int = 0
    before: list[Outcome] = field(default_factory=list)
    now: list[Outcome] = field(default_factory=list)
    skipped: Mapping[str, int] = field(default_factory=dict)
    workers_lost: int = 0
    seconds: float = 0.0
    started: float = field(default_factory=time.perf_counter, repr=False)

    @property
    def outcomes(self) -> list[Outcome]:
        """Of all runs."""
        return [*self.before, *self.now]

    @property
    def done(self) -> int:
        """Inputs that have a result."""
        return sum(each.status == "done" for each in self.outcomes)

    @property
    def failed(self) -> list[Outcome]:
        """Inputs that could not be read or whose work failed."""
        return [each for each in self.outcomes if each.status == "failed"]

    @property
    def incomplete(self) -> list[Outcome]:
        """Inputs with frames that are missing or did not decode; they have results."""
        return [each for each in self.outcomes if each.status == "done" and (each.missing or each.unreadable)]

    def exit_status(self) -> int:
        """0 if every input has a whole result, else 1."""
        return 0 if self.done == self.inputs and not self.incomplete else 1

    def text(self) -> str:
        """One line for the user."""
        frames = sum(each.frames for each in self.now)
        parts = [f"{self.done} of {self.inputs} inputs have results"]
        if self.before:
            parts.append(f"{len(self.before)} were there before")
        done = f"{len(self.now)} now, {quantity(frames, 'frame')} in {self.seconds:.1f} s"
        parts.append(f"{done} ({pace(frames, self.seconds)})" if frames else done)
        counts = {"failed": len(self.failed), "with missing frames": len(self.incomplete)}
        parts += [f"{count} {what}" for what, count in counts.items() if count]
        for one, many, count in (("worker lost", "workers lost", self.workers_lost),
                                 ("file skipped", "files skipped", sum(self.skipped.values()))):  # fmt: skip
            if count:
                parts.append(quantity(count, one, many))
        return ", ".join(parts)

    def manifest(self, about: Mapping[str, Any]) -> dict[str, Any]:
        """The content of the manifest.

        Args:
            about: settings and engine of the run.
        """
        results = [each for each in self.outcomes if each.status == "done"]
        frames = sum(each.frames for each in self.now)
        return {
            "schema": SCHEMA_ID, "ppdet": __version__, **about,
            "inputs": self.inputs, "done": len(results), "failed": len(self.failed), "left": self.inputs - len(self.outcomes),
            "skipped": dict(self.skipped),
            "frames": sum(each.frames for each in results), "people": sum(each.people for each in results),
            "work_seconds": round(sum(each.seconds for each in self.outcomes), 3),
            "this_run": {
                "inputs": len(self.now), "frames": frames, "seconds": round(self.seconds, 3),
                "frames_per_second": round(frames / max(self.seconds, 1e-9), 3), "workers_lost": self.workers_lost,
            },
            "failures": [{"source": each.source, "reason": each.reason} for each in self.failed],
            "incomplete": [
                {"source": each.source, "missing": each.missing, "unreadable": each.unreadable} for each in self.incomplete
            ],
        }  # fmt: skip

    def write(self, folder: Path, about: Mapping[str, Any]) -> None:
        """Write the manifest. On a full disk the old one stays: the journal has everything that it says."""
        self.seconds = time.perf_counter() - self.started
        with suppress(OSError), atomic_write(folder / MANIFEST_NAME) as stream:
            stream.write(json.dumps(self.manifest(about), ensure_ascii=False, indent=1, default=str) + "\n")

"""Fuzz the readers of files, guided by coverage: `python tests/fuzzing/fuzz.py [READER ...] --seconds 300`.

Needs atheris (requirements-fuzz.txt). For each reader, a corpus in `--corpus` is begun with the seeds of `targets.py` and kept
for the next run. What ends a reader with anything but a `PpdetError`, takes longer than a minute or more than 3 GB is written to
`<corpus>/<reader>-faults/`. Prints a table in Markdown; the status is 1 if there was any fault.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]

from fuzzing.targets import TARGETS, seeds  # noqa: E402

HARNESS = Path(__file__).with_name("harness.py")
SLOWEST_SECONDS = 60
MOST_MEGABYTES = 3000
HEAD = "| reader | seconds | inputs | branches reached by the seeds | in the end | faults |\n|---|---|---|---|---|---|"


class Outcome(NamedTuple):
    """What a run of one reader did; `branches` are counted by atheris, first with the seeds only."""

    reader: str
    seconds: float
    inputs: int
    branches: tuple[int, int]
    faults: int
    output: str

    def row(self) -> str:
        """A row of the table."""
        first, last = self.branches
        return f"| {self.reader} | {self.seconds:.0f} | {self.inputs:,} | {first:,} | {last:,} | {self.faults} |"


def write_seeds(name: str, folder: Path) -> None:
    """Put the seeds of a reader into its corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    for data in seeds(name):
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def fuzz(name: str, corpus: Path, seconds: int, seed: int) -> Outcome:
    """Run one reader."""
    faults = corpus / f"{name}-faults"
    faults.mkdir(parents=True, exist_ok=True)
    write_seeds(name, corpus / name)
    options = [f"-max_total_time={seconds}", f"-timeout={SLOWEST_SECONDS}", f"-rss_limit_mb={MOST_MEGABYTES}", f"-seed={seed}",
               "-print_final_stats=1", f"-artifact_prefix={faults}/"]  # fmt: skip
    started = time.monotonic()
    command = [sys.executable, str(HARNESS), name, str(corpus / name), *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    reached = [int(number) for number in re.findall(r"cov: (\d+)", done.stdout)] or [0]
    inputs = re.search(r"number_of_executed_units: (\d+)", done.stdout) or re.search(r"Done (\d+) runs", done.stdout)
    count = int(inputs.group(1)) if inputs else 0
    elapsed = time.monotonic() - started
    return Outcome(name, elapsed, count, (reached[0], reached[-1]), int(done.returncode != 0), done.stdout)


def main() -> int:
    """Fuzz what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"default: all of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=300, help="per reader (default: %(default)s)")
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz"), help="folder (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the random changes (default: %(default)s)")
    args = parser.parse_args()
    unknown = sorted(set(args.readers) - set(TARGETS))
    if unknown:
        parser.error(f"no reader {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    print(HEAD, flush=True)
    faults = 0
    for name in args.readers or TARGETS:
        outcome = fuzz(name, args.corpus, args.seconds, args.seed)
        print(outcome.row(), flush=True)
        if outcome.faults:
            print("\n".join(outcome.output.splitlines()[-60:]), file=sys.stderr, flush=True)
        faults += outcome.faults
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Do the tests of a package notice changed lines? `python tests/mutants/run.py --package codecs --count 200`.

Changes one operator, constant or condition of the package at a time, in a copy, and runs the package's own tests on it. A change
that no test notices is printed. Which changes are tried follows from `--seed`. Prints the score: noticed / tried.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]

from mutants.changes import count, mutant  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CPU_SECONDS = 300
"""A changed loop may never end."""


def copied_tree(folder: Path, package: str) -> Path:
    """The repository as links, but for a copy of the package; returns the copy."""
    for entry in ROOT.iterdir():
        if entry.name not in ("ppdet", ".git", ".pytest_cache", ".fuzz"):
            (folder / entry.name).symlink_to(entry)
    (folder / "ppdet").mkdir()
    for entry in (ROOT / "ppdet").iterdir():
        if entry.name not in (package, "__pycache__"):
            (folder / "ppdet" / entry.name).symlink_to(entry)
    copied = folder / "ppdet" / package
    shutil.copytree(ROOT / "ppdet" / package, copied, ignore=shutil.ignore_patterns("__pycache__"))
    return copied


def tests_pass(folder: Path, package: str) -> bool:
    """Whether the package's tests pass in that tree."""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{package}"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))

    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    done = subprocess.run(command, cwd=folder, env=environment, preexec_fn=limit, **quiet)
    return done.returncode == 0


def main() -> int:
    """Try the changes; status 1 if the score is below `--floor`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", default="codecs", help="of ppdet, with tests in tests/PACKAGE (default: %(default)s)")
    parser.add_argument("--count", type=int, default=200, help="changes to try; 0 for all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which of them (default: %(default)s)")
    parser.add_argument("--floor", type=float, default=0.0, help="smallest score (default: %(default)s)")
    args = parser.parse_args()
    sources = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "ppdet" / args.package).glob("*.py"))}
    every = [(file, number) for file, source in sources.items() for number in range(count(source))]
    chosen = random.Random(args.seed).sample(every, min(args.count or len(every), len(every)))
    noticed = 0
    with tempfile.TemporaryDirectory() as name:
        copied = copied_tree(Path(name), args.package)
        if not tests_pass(Path(name), args.package):
            raise SystemExit(f"the tests of {args.package} fail as they are")
        for number, (file, place) in enumerate(chosen, start=1):
            line, change, source = mutant(sources[file], place)
            before = (copied / file).read_bytes()
            (copied / file).write_text(source, encoding="utf-8")
            survived = tests_pass(Path(name), args.package)
            (copied / file).write_bytes(before)
            noticed += not survived
            if survived:
                print(f"not noticed: ppdet/{args.package}/{file}:{line}: {change}", flush=True)
            print(f"{number}/{len(chosen)}: {noticed} noticed", file=sys.stderr, flush=True)
    score = noticed / max(len(chosen), 1)
    print(f"{noticed} of {len(chosen)} changes noticed ({score:.1%}), of {len(every)} possible ones")
    return int(score < args.floor)


if __name__ == "__main__":
    sys.exit(main())

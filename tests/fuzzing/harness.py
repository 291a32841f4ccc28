"""One reader under atheris: `python tests/fuzzing/harness.py READER CORPUS [libFuzzer's options]`. Started by `fuzz.py`."""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]

import atheris  # noqa: E402

with atheris.instrument_imports(include=["ppdet"]):
    from fuzzing.targets import TARGETS, give, working_folder

from fuzzing.changes import MOST_BYTES, changed_json  # noqa: E402


def main(name: str, arguments: list[str]) -> None:
    """Run until libFuzzer's options end it, or an input does."""
    folder = working_folder(name)

    def read(data: bytes) -> None:
        give(name, data, folder)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        rng = random.Random(seed)
        found = changed_json(data, rng) if rng.random() < 0.7 else b""
        return found[:max_size] if found else atheris.Mutate(data, max_size)

    more = {"custom_mutator": mutate} if TARGETS[name].structured else {}
    atheris.Setup([name, f"-max_len={MOST_BYTES}", *arguments], read, **more)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

"""Every target of the fuzzer reads its seeds, and a few hundred changes of them end in a result or a clear error."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuzzing.changes import changed
from fuzzing.targets import TARGETS, give, seeds, working_folder

NEEDS = {"sleap-h5": "h5py", "mpii-mat": "scipy", "dicom": "pydicom"}


@pytest.fixture
def folder() -> Iterator[Path]:
    made = working_folder("test")
    yield made
    shutil.rmtree(made.parent)
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", list(TARGETS))
def test_seeds_are_read_and_their_changes_are_no_fault(name: str, folder: Path) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    files = seeds(name)
    assert files
    for data in files:
        assert give(name, data, folder), "a seed that is refused leads nowhere"
    for number in range(2 if TARGETS[name].costly else 60):
        give(name, changed(files[number % len(files)], number, TARGETS[name].structured), folder)

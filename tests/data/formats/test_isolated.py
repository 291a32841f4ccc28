"""Readers in a process of their own: what happens to that process is an error of the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from ppdet.core.errors import DataError
from ppdet.data.formats import isolated, sleap
from ppdet.data.formats.annotation_set import AnnotationSet
from ppdet.data.formats.image_index import ImageIndex
from ppdet.data.formats.isolated import arrays_of

NEVER_ENDS = Path(__file__).resolve().parents[2] / "fuzzing" / "faults" / "hdf5_that_never_ends.slp"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11"),
        ("while True: pass", "or 1 s of work"),
        ("raise KeyError('RELEASE')", "no thing that can be read: KeyError: 'RELEASE'; fetch"),
        ("raise SystemExit(3)", "no thing that can be read"),
    ],
)
def test_crash_hang_and_error(tmp_path: Path, script: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        arrays_of(tmp_path / "a.mat", f"import numpy\n{script}", "thing", cpu_seconds=1)


def test_arrays_come_back(tmp_path: Path) -> None:
    script = "import sys, numpy as np; np.savez(sys.argv[2], a=np.arange(3), b=np.array([sys.argv[1]]))"
    found = arrays_of(tmp_path / "a.mat", script, "thing")
    assert found["b"].tolist() == [str(tmp_path / "a.mat")]
    np.testing.assert_array_equal(found["a"], [0, 1, 2])


def test_a_file_that_holds_up_the_hdf5_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by the fuzzer; `h5py.File(...)["node_names"][()]` never returns."""
    pytest.importorskip("h5py")
    shutil.copy(NEVER_ENDS, tmp_path / "a.slp")
    monkeypatch.setattr(sleap, "arrays_of", lambda *given: isolated.arrays_of(*given, cpu_seconds=2))
    with pytest.raises(DataError, match="a.slp is no HDF5 file that can be read"):
        sleap.read_h5(tmp_path / "a.slp", AnnotationSet("a.slp", ImageIndex(tmp_path)))

"""Runs a library's reader in a process of its own, since some damaged files end or hold up the process that reads them.

Found by `tests/fuzzing`: SciPy's reader of MAT files crashes (a segmentation fault), and the HDF5 library never returns.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict

import numpy as np

from ppdet.core.errors import DataError

CPU_SECONDS = 120
"""What reading may take of the processor; files of 100 MB take a few."""
_LIMITS = """
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
except ImportError:
    pass
"""


def arrays_of(file: Path, script: str, kind: str, cpu_seconds: int = CPU_SECONDS) -> Dict[str, np.ndarray]:
    """The arrays that a script makes of a file.

    Args:
        file: what to read.
        script: Python that reads `sys.argv[1]` and writes arrays, none of them of objects, to `sys.argv[2]` with `numpy.savez`.
        kind: what the file should be, for the message ("MAT file of MPII").
        cpu_seconds: what it may take of the processor (not bounded on Windows).

    Raises:
        DataError: the script failed or crashed on the file, or took more than `cpu_seconds`.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "arrays.npz")
        command = [sys.executable, "-c", _LIMITS.replace("CPU_SECONDS", str(cpu_seconds)) + script, str(file), str(output)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            crash = f"its reader was ended by signal {-done.returncode} (a crash, or {cpu_seconds} s of work)"
            reason = lines[-1][:300] if lines and done.returncode > 0 else crash
            raise DataError(f"{file} is no {kind} that can be read: {reason}; fetch or export it again")
        with np.load(output, allow_pickle=False) as arrays:
            return dict(arrays)

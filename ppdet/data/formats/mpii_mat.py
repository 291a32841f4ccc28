"""The MAT file of MPII's release.

SciPy's reader of MAT files ends the whole process at some damaged ones (a segmentation fault of SciPy 1.17, found by
`tests/fuzzing`), so a process of its own runs it, which gives plain JSON.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

from ppdet.core.errors import DataError, PpdetError

_SCRIPT = """
import json, sys
import numpy as np
from scipy.io import loadmat

def person(each):
    points = getattr(getattr(each, "annopoints", None), "point", None)
    place, scale = getattr(each, "objpos", None), np.ravel(getattr(each, "scale", []))
    joints = [[int(p.id), float(p.x), float(p.y), str(getattr(p, "is_visible", "")).strip()]
              for p in (np.atleast_1d(points) if points is not None else ())]
    box = [float(place.x), float(place.y), float(scale[0])] if hasattr(place, "x") and scale.size else None
    return {"joints": joints, "box": box}

release = loadmat(sys.argv[1], squeeze_me=True, struct_as_record=False)["RELEASE"]
json.dump([{"image": str(each.image.name), "persons": [person(p) for p in np.atleast_1d(getattr(each, "annorect", []))]}
           for each in np.atleast_1d(release.annolist)], sys.stdout)
"""


def read_release(file: Path) -> List[Dict[str, Any]]:
    """The images of a release: `{"image": name, "persons": [{"joints": [[id, x, y, visible]], "box": [x, y, scale] or None}]}`.

    Raises:
        PpdetError: SciPy is not installed.
        DataError: no MAT file, a damaged one, or none of MPII.
    """
    if importlib.util.find_spec("scipy") is None:
        raise PpdetError(f"{file}: a MAT file needs SciPy, which is not installed here: pip install scipy")
    done = subprocess.run([sys.executable, "-c", _SCRIPT, str(file)], capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        reason = lines[-1] if lines and done.returncode > 0 else f"it crashed SciPy's reader ({-done.returncode})"
        raise DataError(f"{file} is no MAT file of MPII: {reason}; fetch it again")
    release: List[Dict[str, Any]] = json.loads(done.stdout)
    return release

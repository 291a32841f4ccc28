"""The MAT file of MPII's release."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any, Dict, List

from ppdet.core.errors import PpdetError
from ppdet.data.formats.isolated import arrays_of

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
images = [{"image": str(each.image.name), "persons": [person(p) for p in np.atleast_1d(getattr(each, "annorect", []))]}
          for each in np.atleast_1d(release.annolist)]
np.savez(sys.argv[2], images=np.frombuffer(json.dumps(images).encode(), np.uint8))
"""


def read_release(file: Path) -> List[Dict[str, Any]]:
    """The images of a release: `{"image": name, "persons": [{"joints": [[id, x, y, visible]], "box": [x, y, scale] or None}]}`.

    Raises:
        PpdetError: SciPy is not installed.
        DataError: no MAT file, a damaged one, or none of MPII.
    """
    if importlib.util.find_spec("scipy") is None:
        raise PpdetError(f"{file}: a MAT file needs SciPy, which is not installed here: pip install scipy")
    images: List[Dict[str, Any]] = json.loads(arrays_of(file, _SCRIPT, "MAT file of MPII")["images"].tobytes())
    return images

"""Where the tests find real data, golden cases and weights that are not part of the repository.

They lie in a folder ``shared`` beside the checkout (or wherever ``PPDET_SHARED`` points). Tests that need them are skipped
without it; with ``PPDET_REQUIRE_SHARED=1`` (as ``.ci/run`` sets when the folder is there) they fail instead.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared"


def shared(*parts: str) -> Path:
    """Path below the shared folder; skips (or fails, see above) the calling test if it does not exist."""
    path = Path(os.environ.get("PPDET_SHARED", _BESIDE_THE_CHECKOUT)).joinpath(*parts)
    if not path.exists():
        reason = f"needs {Path('shared', *parts)} beside the checkout (or PPDET_SHARED)"
        if os.environ.get("PPDET_REQUIRE_SHARED") == "1":
            pytest.fail(f"{reason}, and PPDET_REQUIRE_SHARED=1 says it is there: {path} does not exist")
        pytest.skip(reason)
    return path

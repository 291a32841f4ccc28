#!/usr/bin/env python
"""Size and cost of a network; the same as `ppdet model-info`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.commands.models.model_info import main

if __name__ == "__main__":
    raise SystemExit(main())

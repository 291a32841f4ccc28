#!/usr/bin/env python
"""Export weights for deployment; the same as `ppdet export`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.commands.models.export import main

if __name__ == "__main__":
    raise SystemExit(main())

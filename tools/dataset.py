#!/usr/bin/env python
"""Make and convert annotation files; the same as `ppdet dataset`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.commands.datasets.dataset import main

if __name__ == "__main__":
    raise SystemExit(main())

#!/usr/bin/env python
"""Draw poses of a JSON file on their images; the same as `ppdet draw`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.commands.running.draw import main

if __name__ == "__main__":
    raise SystemExit(main())

#!/usr/bin/env python
"""Check configs without building anything; the same as `ppdet check-config`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.commands.training.check_config import main

if __name__ == "__main__":
    raise SystemExit(main())

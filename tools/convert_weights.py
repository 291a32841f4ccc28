#!/usr/bin/env python
"""Convert the authors' PyTorch weights; the same as `ppdet convert-weights`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.commands.models.convert_weights import main

if __name__ == "__main__":
    raise SystemExit(main())

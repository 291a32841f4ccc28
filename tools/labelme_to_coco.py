#!/usr/bin/env python
"""Make a COCO annotation file of labelme's; the same as `ppdet dataset from-labelme`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.commands.datasets.from_labelme import main

if __name__ == "__main__":
    raise SystemExit(main())

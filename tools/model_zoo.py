#!/usr/bin/env python
"""Write docs/model_zoo.md; the same as `ppdet zoo page`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.commands.models.zoo import main

if __name__ == "__main__":
    raise SystemExit(main(["page", *sys.argv[1:]]))

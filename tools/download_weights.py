#!/usr/bin/env python
"""Fetch published weights by name; the same as `ppdet zoo download`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.commands.models.zoo import main

if __name__ == "__main__":
    raise SystemExit(main(["download", *sys.argv[1:]]))

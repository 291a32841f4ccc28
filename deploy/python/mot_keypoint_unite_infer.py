#!/usr/bin/env python
"""Detector, tracker and pose model on a video, a camera or images, with PaddleDetection's flags."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ppdet.commands.deployed.mot_unite import main

if __name__ == "__main__":
    raise SystemExit(main())

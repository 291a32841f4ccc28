#!/usr/bin/env python
"""A pose model alone on images, a video or a camera, with PaddleDetection's flags."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ppdet.commands.deployed.keypoint import main

if __name__ == "__main__":
    raise SystemExit(main())

"""Show people with skeletons: see `ppdet demo --help`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.commands.demonstration.demo import main

if __name__ == "__main__":
    raise SystemExit(main())

"""Write docs/model_zoo.md from the configs and ppdet/model_zoo: python tools/model_zoo.py

--measure builds every model (or those of --only) and counts its parameters and multiply-adds anew. --latency times them on this
machine and adds a column; the page is then written to output/model_zoo.md, because times belong to one machine.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ppdet.core.command import run_command  # noqa: E402


def parse_args() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--measure", action="store_true", help="count parameters and multiply-adds anew (minutes)")
    add("--latency", action="store_true", help="time every network on this machine (minutes)")
    add("--only", metavar="TEXT", default="", help="measure and time only models with this in their name")
    add("--repeats", type=int, default=10, help="runs of each network (default: %(default)s)")
    add("--cpu_threads", type=int, default=2, help="default: %(default)s")
    add("--output", metavar="FILE", help="default: docs/model_zoo.md, with --latency output/model_zoo.md")
    add("--check", action="store_true", help="write nothing; status 1 if docs/model_zoo.md is not what would be written")
    return parser.parse_args()


def main() -> int:
    """Parse, measure, write."""
    args = parse_args()
    from ppdet.commands.model_zoo import ZooOptions, make_page
    from ppdet.core.logger import get_logger

    text, default = make_page(ZooOptions(args.measure, args.latency, args.only, args.repeats, args.cpu_threads))
    path = Path(args.output) if args.output else ROOT / default
    if args.check:
        same = path.is_file() and path.read_text(encoding="utf-8") == text
        print(f"{path} is {'up to date' if same else 'out of date: run python tools/model_zoo.py'}")
        return 0 if same else 1
    from ppdet.core.files import atomic_write

    with atomic_write(path, "w") as file:
        file.write(text)
    get_logger("ppdet.engine").info("written: %s", path)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))

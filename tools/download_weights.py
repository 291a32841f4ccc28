"""Fetch published weights by name: python tools/download_weights.py tinypose_128x96

Files are kept in ~/.cache/ppdet/weights ($PPDET_CACHE moves it); a broken download continues. Names: docs/model_zoo.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command  # noqa: E402


def parse_args() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="config name, or a name that --list shows")
    parser.add_argument("--list", action="store_true", dest="show", help="show all names and where they come from")
    parser.add_argument("--output_dir", metavar="DIR", help="also copy the files there")
    args = parser.parse_args()
    if not args.names and not args.show:
        parser.error("give a NAME, or --list")
    return args


def main() -> None:
    """Parse and fetch."""
    args = parse_args()
    from ppdet.engine.weights.zoo import load_zoo
    from ppdet.engine.weights.zoo_download import download_by_name

    zoo = load_zoo()
    if args.show:
        for each in zoo.downloads.values():
            print(f"{each.name:38} {each.what}\n    {each.url}")
    for wanted in [zoo.download(name).name for name in args.names]:  # a wrong name is told before anything is fetched
        print(download_by_name(wanted, args.output_dir, zoo))


if __name__ == "__main__":
    raise SystemExit(run_command(main))

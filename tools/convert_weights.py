"""Turn the authors' PyTorch weights into ours: python tools/convert_weights.py FILE.pth [-c CONFIG.yml]

Writes FILE.pdparams, FILE.feed.yml (how its home fed pixels) and FILE.report.txt (what became of every tensor). PyTorch is not
needed, and nothing of the file is executed. See docs/convert_weights.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Flags of the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("file", help=".pth, .pth.tar or .pt file")
    add("-o", "--output", help="weights to write (default: beside FILE)")
    add("-c", "--config", help="configuration whose model the weights must fit, name by name and shape by shape")
    add("--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="change the configuration")
    add("--layout", help="whose names FILE has (default: found by them); a wrong one lists all")
    add("--home", help="whose checkpoint it is, which decides colours and codec (default: the layout's); a wrong one lists all")
    add("--state-dict", metavar="KEY", help="which of several state dicts in FILE (default: ema, state_dict, model, ...)")
    add("--to-rgb", action="store_true", help="turn the first convolution of weights trained with BGR to RGB")
    return parser.parse_args()


def main() -> None:
    """Parse, convert."""
    args = parse_args()
    from ppdet.commands.convert_weights import convert_file

    convert_file(args.file, args.output, args.config, args.opt, args.layout, args.home, args.state_dict, args.to_rgb)


if __name__ == "__main__":
    raise SystemExit(run_command(main))

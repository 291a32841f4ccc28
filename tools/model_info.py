"""Size and cost of a config's network: parameters, multiply-adds with the way they are counted, activation memory.

    python tools/model_info.py -c configs/keypoint/lpn/lpn_50_256x192.yml --stages
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-c", "--config", required=True, help="YAML file of the model")
    parser.add_argument("-o", "--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="options over the YAML")
    parser.add_argument("--stages", action="store_true", help="a table of the network's stages as well")
    return parser


def main() -> int:
    args = _parser().parse_args()
    from ppdet.core.config.load import load_config
    from ppdet.engine.model_info import info_of_config

    print(info_of_config(load_config(args.config, args.opt)).to_text(args.stages))
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))

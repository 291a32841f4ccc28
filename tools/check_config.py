#!/usr/bin/env python
"""Check configs without building anything: names, arguments and structure, all problems at once.

    python tools/check_config.py -c configs/keypoint/tiny_pose/tinypose_128x96.yml [more.yml ...] [-o key=value ...]

Exit status: 0 if every config is sound, 1 if one has an error or names a component that this toolkit does not have.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description="Check configs without building anything.")
    parser.add_argument("-c", "--config", nargs="+", required=True, metavar="FILE", help="config files to check")
    parser.add_argument("-o", "--opt", nargs="*", default=[], metavar="KEY=VALUE", help="options for all of them")
    arguments = parser.parse_args()

    from ppdet.engine.configs.report import report_configs

    return report_configs(arguments.config, arguments.opt)


if __name__ == "__main__":
    raise SystemExit(run_command(main))

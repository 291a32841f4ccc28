"""Export weights for deployment: python tools/export_model.py -c CONFIG.yml -o weights=FILE.pdparams --onnx

Writes {output_dir}/{config name}/ with infer_cfg.yml, model.json, model.pdiparams, with --onnx also model.onnx, and
export_report.md, which says how far every engine is from the framework. See docs/export.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command  # noqa: E402


def parse_args() -> argparse.Namespace:
    """PaddleDetection's flags, as far as they mean something here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("-c", "--config", required=True, help="configuration (YAML)")
    add("-o", "--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="change the configuration")
    add("--output_dir", default="output_inference", help="parent of the exported folder (default: %(default)s)")
    add("--onnx", action="store_true", help="also write model.onnx (needs paddle2onnx)")
    add("--for_fd", action="store_true", help="FastDeploy's layout: inference.* directly in --output_dir")
    return parser.parse_args()


def main() -> None:
    """Parse, load, export."""
    args = parse_args()
    from ppdet.core.config.load import load_config
    from ppdet.engine.export.exporter import export

    export(load_config(args.config, args.opt), args.output_dir, args.onnx, args.for_fd)


if __name__ == "__main__":
    raise SystemExit(run_command(main))

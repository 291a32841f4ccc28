"""See people with skeletons: export a detector and a pose model, run them on a video, name the results.

No trained weights are bundled yet: --weights names a folder (or URL) that holds picodet_s_320_lcnet_pedestrian.pdparams and
tinypose_256x192.pdparams, as PaddleDetection publishes them. Without --video_file a rendered person walks.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True, help="folder or URL of the two .pdparams files")
    parser.add_argument("--video_file", help="a video of people (default: a rendered one)")
    parser.add_argument("--output_dir", default="output/demo", help="default: %(default)s")
    args = parser.parse_args()
    from ppdet.commands.demo import run_demo

    run_demo(args.weights, args.output_dir, args.video_file)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))

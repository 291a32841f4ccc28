"""What `ppdet dataset init` plans against settings by hand, on sets with known answers: for a quiet machine.

    python tests/support/measure_plans.py OUTPUT --minutes 10 [--sets mice hands people] [--changes "rate / 2" ...] [--untimed]

Each set is trained as planned, then with one setting changed at a time, in the same time. Prints the error (EPE, pixels) of the
best model by validation and of the mean pose. `people` needs ../shared or PPDET_SHARED. With --untimed, for a busy machine, every
training sees as many input pixels as the plan: the planned epochs, or fewer of larger inputs and more of smaller ones.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from ppdet.core.config.load import load_config  # noqa: E402
from ppdet.visualize.rendered_hands import write_hands  # noqa: E402
from support.rendered_mice import write_mice  # noqa: E402
from support.shared_data import shared  # noqa: E402

PEOPLE = 80


def write_people(folder: Path) -> tuple[Path, Path]:
    """80 images of Leeds Sports Pose Extended, 14 joints."""
    content = json.loads(shared("data", "lspet", "annotations", "lspet_train.json").read_text())
    images = random.Random(1).sample(sorted(content["images"], key=lambda image: image["id"]), PEOPLE)
    ids = {image["id"] for image in images}
    content["annotations"] = [each for each in content["annotations"] if each["image_id"] in ids]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "annotations.json"
    path.write_text(json.dumps({**content, "images": images}))
    return path, shared("data", "lspet", "images")


def write_nine_hands(folder: Path) -> tuple[Path, Path]:
    """As few as hand X-rays may be."""
    return write_hands(folder, 9, seed=3), folder / "images"


SETS = {"mice": write_mice, "hands": write_nine_hands, "people": write_people}


def changes_by_hand(config: Path, untimed: bool) -> dict[str, list[str]]:
    """Options of each alternative to the plan."""
    planned = load_config(config)
    rate, (width, height) = planned["LearningRate"]["base_lr"], planned["codec"]["input_wh"]
    smaller, larger = ([max(64, 32 * round(side * factor / 32)) for side in (width, height)] for factor in (0.7, 1.4))
    sigma = planned["codec"]["sigma"]

    def with_input(input_wh: list[int], factor: float) -> list[str]:
        epochs = round(planned["epoch"] * width * height / (input_wh[0] * input_wh[1])) if untimed else 400
        return [f"codec.input_wh={input_wh}", f"codec.sigma={max(1.0, sigma * factor):.2f}", *_epochs(epochs)]

    return {
        "as planned": [],
        "rate / 2": [f"LearningRate.base_lr={rate / 2}"],
        "rate x 2": [f"LearningRate.base_lr={rate * 2}"],
        "smaller input": with_input(smaller, 0.7),  # more epochs fit; the clock ends all alternatives at the same time
        "larger input": with_input(larger, 1.4),
        "random start": ["pretrain_weights=null"],
    }


def _epochs(count: int) -> list[str]:
    return [f"epoch={count}", f"LearningRate.schedulers.0.max_epochs={count}"]


def ppdet(*words: str) -> str:
    """The output of a command, which has to succeed."""
    done = subprocess.run([sys.executable, "-m", "ppdet", *words], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--changes", nargs="+", help="only these")
    parser.add_argument("--untimed", action="store_true")
    args = parser.parse_args()
    for name in args.sets:
        annotations, images = SETS[name](args.output / name)
        project = args.output / f"{name}_project"
        ppdet("dataset", "init", str(annotations), "--images", str(images), "--output", str(project), "--overwrite",
              "--minutes", str(args.minutes), *(["--no_measure"] if args.untimed else []))  # fmt: skip
        config = next(path for path in sorted(project.glob("*.yml")) if not path.stem.endswith("_detector"))
        baseline = ppdet("eval", "-c", str(config), "--baseline", "mean_pose")
        print(f"{name}, mean pose:\n{baseline[-600:]}")
        limit = ["time_budget=null"] if args.untimed else ["time_budget.fewest_iterations=0"]
        for number, (change, options) in enumerate(changes_by_hand(config, args.untimed).items()):
            if args.changes and change not in args.changes:
                continue
            begun = time.monotonic()
            said = ppdet("train", "-c", str(config), "-o", f"save_dir={args.output / name}_{number}",
                         *limit, *options)  # fmt: skip
            best = re.findall(r"Best EPE: ([\d.]+) after epoch (\d+)", said)[-1]
            print(f"{name}, {change}: EPE {best[0]} px, best after epoch {best[1]}, "
                  f"{(time.monotonic() - begun) / 60:.1f} minutes", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

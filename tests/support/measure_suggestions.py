"""Whether frames that `ppdet dataset suggest` names are worth more than random ones; the machine may be busy.

    python tests/support/measure_suggestions.py OUTPUT --minutes 3 [--first 30] [--more 30] [--draws 3]

On people of Leeds Sports Pose Extended (14 joints; needs ../shared or PPDET_SHARED): a model is trained on `first` random images,
then one on `first` and `more` suggested ones, then for each draw one on `first` and `more` random ones, each from the same start
and for as many iterations as `init` plans for --minutes, whatever the clock says. Prints EPE in
pixels on 150 images that no model was trained on.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.measure_plans import ppdet  # noqa: E402
from support.shared_data import shared  # noqa: E402

POOL, HELD_OUT = 400, 150


class Trial:
    """The pool of images, the images held out, and the models trained on parts of the pool."""

    def __init__(self, output: Path, minutes: float) -> None:
        self.output, self.minutes = output, minutes
        self.images = output / "images"
        self.pool_folder = output / "pool"
        self.pool = self._take("lspet_train.json", POOL, self.pool_folder)
        self.held_out = self._write("held_out", self._take("lspet_val.json", HELD_OUT, None))

    def _take(self, name: str, count: int, also_in: Path | None) -> dict[str, Any]:
        """Some images of a file, linked into the common folder."""
        content = json.loads(shared("data", "lspet", "annotations", name).read_text())
        chosen = random.Random(1).sample(sorted(content["images"], key=lambda image: image["id"]), count)
        for image in chosen:
            for folder in filter(None, (self.images, also_in)):
                folder.mkdir(parents=True, exist_ok=True)
                link = folder / Path(image["file_name"]).name
                link.unlink(missing_ok=True)
                link.symlink_to(shared("data", "lspet", "images", image["file_name"]))
        return _part(content, {image["file_name"] for image in chosen})

    def _write(self, name: str, content: dict[str, Any]) -> Path:
        path = self.output / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    def error(self, name: str, files: Iterable[str]) -> float:
        """EPE on the images held out of the best model of a training on these files of the pool."""
        labelled = self._write(name, _part(self.pool, set(files)))
        ppdet("dataset", "init", str(labelled), "--images", str(self.images), "--output", str(self._project(name)), "--overwrite",
              "--val", str(self.held_out), "--minutes", str(self.minutes), "--no_measure")  # fmt: skip
        said = ppdet("train", "-c", str(self._config(name)), "-o", "time_budget=null")
        return float(re.findall(r"Best EPE: ([\d.]+) after epoch", said)[-1])

    def suggested(self, name: str, count: int) -> list[str]:
        """Files that the model of a training wants labelled next."""
        config = self._config(name)
        weights = next(self._project(name).glob("runs/*/best_model.pdparams"))
        ppdet("export", "-c", str(config), "--onnx", "-o", f"weights={weights}", "--output_dir", str(self.output / "exported"))
        model = str(self.output / "exported" / config.stem)
        ppdet("dataset", "suggest", str(self.pool_folder), "--model", model, "--det", "none", "--count", str(count),
              "--look_at", str(POOL), "--labelled", str(self.output / f"{name}.json"),
              "-o", str(self.output / "next"))  # fmt: skip
        with (self.output / "next" / "suggested.csv").open() as stream:
            return [Path(row["image"]).name for row in csv.DictReader(stream)]

    def _project(self, name: str) -> Path:
        return self.output / f"{name}_project"

    def _config(self, name: str) -> Path:
        return next(path for path in sorted(self._project(name).glob("*.yml")) if not path.stem.endswith("_detector"))


def _part(content: dict[str, Any], files: set[str]) -> dict[str, Any]:
    images = [image for image in content["images"] if image["file_name"] in files]
    ids = {image["id"] for image in images}
    return {**content, "images": images, "annotations": [each for each in content["annotations"] if each["image_id"] in ids]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--first", type=int, default=30)
    parser.add_argument("--more", type=int, default=30)
    parser.add_argument("--draws", type=int, default=3)
    args = parser.parse_args()
    trial = Trial(args.output.resolve(), args.minutes)
    files = sorted(image["file_name"] for image in trial.pool["images"])
    first = random.Random(2).sample(files, args.first)
    print(f"{args.first} images: EPE {trial.error('first', first):.2f} px", flush=True)
    suggested = trial.suggested("first", args.more)
    print(f"and {args.more} suggested: EPE {trial.error('suggested', first + suggested):.2f} px", flush=True)
    rest = sorted(set(files) - set(first))
    for draw in range(args.draws):
        chosen = random.Random(10 + draw).sample(rest, args.more)
        print(f"and {args.more} random: EPE {trial.error(f'random_{draw}', first + chosen):.2f} px", flush=True)


if __name__ == "__main__":
    main()

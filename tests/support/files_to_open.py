"""How many files of `ppdet` a reader opens to follow a keypoint, a training step, a frame and an evaluation. Run by hand:

    python tests/support/files_to_open.py [--checkout FOLDER] [--models FOLDER] [--list]

Runs the commands of a checkout on tiny inputs of two sizes, and counts the files with a function that is called more often for
the larger one. So what runs once (imports, reading the config, building the model) does not count.

- keypoint: persons of a COCO JSON until they are images and heatmaps (`tools/train.py`, without the packages of `STEP`)
- step: from the batch to changed weights (the same run, only those packages, without what a network is made of)
- frame: a video frame until its poses are drawn (`deploy/python/det_keypoint_unite_infer.py`)
- evaluation: `tools/eval.py` until AP is printed: all that is called per person, and all that is called or still running once
  the first batch is in the network, without what a network is made of

--checkout takes an older version, --models exported models that it can read, as `det` and `pose`.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "configs/keypoint/tiny_pose/tinypose_128x96.yml"
WEIGHTS = ROOT / "ppdet/model_zoo/bundled/tinypose_128x96/tinypose_128x96.pdparams"
BUNDLED = {"det": "picodet_s_320_person", "pose": "tinypose_128x96"}
STEP = ("engine/", "modeling/", "optimizer/")
NETWORK = tuple(f"modeling/{part}/" for part in ("backbones", "heads", "layers", "necks", "operators"))
PERSONS, FRAMES, BATCH = (8, 16), (8, 24), 4
IMAGE_WH, CLIP_WH = (80, 96), (640, 480)


class Recorder:
    """Counts the calls of each function of a package, apart from those of an import.

    Attributes:
        functions: "file:name" -> [number of calls, moment of the first, moment of the last call or return].
    """

    def __init__(self, package: Path) -> None:
        self.functions: dict[str, list[int]] = {}
        self._package = f"{package}{os.sep}"
        self._names: dict[CodeType, str] = {}
        self._imports = threading.local()
        self._moment = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """For `sys.setprofile`."""
        code = frame.f_code
        if event not in ("call", "return") or not code.co_filename.startswith(self._package):
            return
        if code.co_name == "<module>":
            self._imports.depth = getattr(self._imports, "depth", 0) + (1 if event == "call" else -1)
        elif code.co_flags & inspect.CO_OPTIMIZED and not getattr(self._imports, "depth", 0):  # a function, no class body
            if code not in self._names:
                name = f"{code.co_filename[len(self._package) :]}:{code.co_firstlineno}:{code.co_name}"
                self._names[code] = Path(name).as_posix()
            self._moment += 1
            entry = self.functions.setdefault(self._names[code], [0, self._moment, 0])
            entry[0] += event == "call"
            entry[2] = self._moment


def record(checkout: Path, output: Path, command: list[str]) -> None:
    """Run a command of a checkout in this process, and write its calls as JSON."""
    recorder = Recorder(checkout / "ppdet")
    sys.argv = command
    threading.setprofile(recorder)
    sys.setprofile(recorder)
    try:
        runpy.run_path(command[0], run_name="__main__")
    except SystemExit as stop:
        if stop.code:
            raise
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    output.write_text(json.dumps(recorder.functions))


def calls(checkout: Path, folder: Path, *command: object) -> dict[str, list[int]]:
    """The calls of a command, in a process of its own."""
    output = folder / "calls.json"
    words = [sys.executable, __file__, "--checkout", checkout, "--record", output, "--", *command]
    environment = {**os.environ, "PPDET_ENGINE_RACE": "off"}  # which engine is faster differs from run to run
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=checkout, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return json.loads(output.read_text())


def grown(small: dict[str, list[int]], large: dict[str, list[int]]) -> set[str]:
    """The functions that are called more often for the larger input."""
    return {name for name, (count, *_) in large.items() if count > small.get(name, [0])[0]}


def files(functions: set[str]) -> set[str]:
    """Their files."""
    return {name.partition(":")[0] for name in functions}


def write_people(folder: Path, persons: int) -> Path:
    """COCO annotations of images with one person each."""
    import cv2
    import numpy as np

    sys.path.insert(0, str(ROOT))
    from ppdet.skeletons.tables import COCO17

    rng, size = np.random.default_rng(0), np.array(IMAGE_WH)
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(1, persons + 1):
        cv2.imwrite(str(folder / "images" / f"{number}.jpg"), rng.integers(0, 255, (*size[::-1], 3), dtype=np.uint8))
        images.append({"id": number, "file_name": f"{number}.jpg", "width": IMAGE_WH[0], "height": IMAGE_WH[1]})
        points = [number for x, y in rng.uniform(0.1 * size, 0.9 * size, (17, 2)).round(1).tolist() for number in (x, y, 2)]
        annotations.append({"id": number, "image_id": number, "category_id": 1, "iscrowd": 0, "area": 4000.0, "num_keypoints": 17,
                            "bbox": [*(0.1 * size), *(0.8 * size)], "keypoints": points})  # fmt: skip
    category = {"id": 1, "name": "person", "keypoints": list(COCO17.names), "skeleton": []}
    content = {"images": images, "annotations": annotations, "categories": [category]}
    (folder / "people.json").write_text(json.dumps(content))
    return folder


def write_clip(path: Path, frames: int) -> Path:
    """A video of rendered people."""
    import cv2

    sys.path.insert(0, str(ROOT))
    from ppdet.visualize.rendered_people import rendered_clip

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, CLIP_WH)
    for frame in rendered_clip(frames, CLIP_WH):
        writer.write(frame.image[..., ::-1])
    writer.release()
    return path


def count(checkout: Path, models: dict[str, Path], folder: Path) -> Iterator[tuple[str, set[str]]]:
    """(what a reader follows, files to open)."""
    few, many = (write_people(folder / f"people_{persons}", persons) for persons in PERSONS)
    common = [f"save_dir={folder / 'output'}", "worker_num=0", "use_gpu=false", "cpu_threads=1"]

    def options(role: str, people: Path) -> list[str]:
        data = {"dataset_dir": people, "image_dir": "images", "anno_path": "people.json"}
        return [*(f"{role}Dataset.{key}={value}" for key, value in data.items()), f"{role}Reader.batch_size={BATCH}", *common]

    def train(people: Path) -> dict[str, list[int]]:
        return calls(checkout, folder, "tools/train.py", "-c", CONFIG, "-o", *options("Train", people), "epoch=1")

    def evaluate(people: Path) -> dict[str, list[int]]:
        own = ["EvalDataset.use_gt_bbox=true", f"weights={WEIGHTS}"]
        return calls(checkout, folder, "tools/eval.py", "-c", CONFIG, "-o", *options("Eval", people), *own)

    def video(frames: int) -> dict[str, list[int]]:
        clip = write_clip(folder / f"{frames}.mp4", frames)
        return calls(checkout, folder, "deploy/python/det_keypoint_unite_infer.py", "--det_model_dir", models["det"],
                     "--keypoint_model_dir", models["pose"], "--video_file", clip, "--output_dir", folder / "drawn")  # fmt: skip

    per_person = files(grown(train(few), train(many)))
    yield "keypoint", {file for file in per_person if not file.startswith(STEP)}
    yield "step", {file for file in per_person if file.startswith(STEP) and not file.startswith(NETWORK)}
    yield "frame", files(grown(*map(video, FRAMES)))
    small, large = evaluate(few), evaluate(many)
    per_person_calls = grown(small, large)
    forward = min(large[name][1] for name in per_person_calls if name.startswith(NETWORK))
    after = {name for name, (_, _, last) in large.items() if last > forward}
    yield "evaluation", {file for file in files(per_person_calls | after) if not file.startswith(NETWORK)}


def main() -> None:
    """Print the counts, and with --list the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, default=ROOT, help="version of the toolkit to look at (default: this one)")
    parser.add_argument("--models", type=Path, help="folder with the exported models det and pose (default: the bundled ones)")
    parser.add_argument("--list", action="store_true", help="name the files")
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*", help=argparse.SUPPRESS)
    args = parser.parse_args()
    checkout = args.checkout.resolve()
    if args.record:
        record(checkout, args.record, args.command)
        return
    bundled = ROOT / "ppdet/model_zoo/bundled"
    models = {role: args.models.resolve() / role if args.models else bundled / name for role, name in BUNDLED.items()}
    with tempfile.TemporaryDirectory() as folder:
        for path, opened in count(checkout, models, Path(folder)):
            print(f"{path:12}{len(opened):4}", flush=True)
            if args.list:
                print("".join(f"    {file}\n" for file in sorted(opened)), end="")


if __name__ == "__main__":
    main()

"""Trains a small network again and again, kills each run at another point, resumes it, and compares the outcome.

Run as a script, since every run is a fork of a process that has imported Paddle and computed nothing yet:

    python tests/support/killed_training.py FOLDER '{"points": "renames", "workers": 0}'

With `{"runs": {NAME: [OPTION, ...]}}` it trains undisturbed instead, with each of these options, and compares with the first.

It prints one JSON object: how many points there are, which were tried, and every difference from the undisturbed run.
Points are counted, not timed, so that a run is killed at the same place on any machine: "renames" are the moments before and
after the k-th rename or removal of a file, "calls" the k-th call of a function (Python or C) from a file of the toolkit.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]

import numpy as np  # noqa: E402
import paddle  # noqa: E402

import ppdet.engine.training.log as training_log  # noqa: E402
from ppdet.core.config.registry import register  # noqa: E402
from ppdet.core.errors import CheckpointError  # noqa: E402
from ppdet.core.files import atomic_path  # noqa: E402
from ppdet.engine.components import import_components  # noqa: E402
from ppdet.engine.training.run import TrainingOptions, train  # noqa: E402
from ppdet.engine.training.train_step import TrainStep  # noqa: E402
from ppdet.modeling.shape_spec import ShapeSpec  # noqa: E402
from support.stick_training import stick_config  # noqa: E402

RENAMING = ("replace", "rename", "unlink", "remove", "rmdir")
TOOLKIT = os.sep + "ppdet" + os.sep
VARYING = ("time", "images_per_s")
NOT_COMPARED = ("run.json", ".lock", "curves.png")
OPTIONS = (
    "epoch=3", "use_ema=true", "ema_decay=0.9", "ema_decay_type=threshold", "cycle_epoch=2", "log_iter=2", "seed=4",
    "TopDownHRNet.backbone=NoisyConvs", "TrainReader.batch_size=2", "cpu_threads=1", "snapshot_epoch=1",
    "OptimizerBuilder.optimizer={type: AdamW, weight_decay: 0.01}",
    "LearningRate.schedulers=[!CosineDecay {max_epochs: 3}, !LinearWarmup {steps: 4, start_factor: 0.1}]",
    "TrainReader.sample_transforms=[{RandomFlipHalfBodyTransform: {scale: 0.3, rot: 30, num_joints_half_body: 2, "
    "upper_body_ids: [0, 1]}}, {TopDownAffine: {}}, {EncodeHeatmap: {}}]",
)  # fmt: skip


@register
class NoisyConvs(paddle.nn.Layer):
    """(B, 3, H, W) -> [(B, 8, H / 4, W / 4)], with running statistics and random numbers."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.first = paddle.nn.Conv2D(3, width, 3, stride=2, padding=1)
        self.norm = paddle.nn.BatchNorm2D(width)
        self.second = paddle.nn.Conv2D(width, 8, 3, stride=2, padding=1)
        self.out_shape = [ShapeSpec(8, 4)]

    def forward(self, images: Any) -> List[Any]:
        x = paddle.nn.functional.relu(self.norm(self.first(images)))
        return [self.second(paddle.nn.functional.dropout(x, 0.2, training=self.training))]


class Killer:
    """Counts points; at the wanted one, the process kills itself as `kill -9` would. `at=None` counts only."""

    def __init__(self, points: str, at: Optional[int]) -> None:
        self.points, self.at, self.count = points, at, 0

    def install(self) -> None:
        """Watch renames, or calls."""
        if self.points == "renames":
            for name in RENAMING:
                setattr(os, name, self._around(getattr(os, name)))
        elif self.points == "calls":
            sys.setprofile(self._profile)

    def point(self) -> None:
        """One more point."""
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def _around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.point()
            result = function(*args, **kwargs)
            self.point()
            return result

        return watched

    def _profile(self, frame: Any, event: str, _: Any) -> None:
        if event in ("call", "c_call") and TOOLKIT in frame.f_code.co_filename:
            self.point()


def record_order(file: Path) -> None:
    """Append the iteration and the samples of every batch to a file."""
    step = TrainStep.__call__

    def recording(self: TrainStep, batch: Any, *args: Any, **kwargs: Any) -> Any:
        with open(file, "a", encoding="utf-8") as lines:
            lines.write(json.dumps([self.iteration, np.asarray(batch["index"]).tolist()]) + "\n")
        return step(self, batch, *args, **kwargs)

    TrainStep.__call__ = recording  # type: ignore[method-assign]


def one_run(folder: Path, data: Path, resume: bool, killer: Killer, options: List[str]) -> None:
    """Train in this process, as `ppdet train --eval [-r]` does; a run without any checkpoint begins again."""
    folder.mkdir(parents=True, exist_ok=True)
    record_order(folder / "order.jsonl")
    config = stick_config(folder, *OPTIONS, *options, data=data)
    import_components(config)
    killer.install()
    try:
        train(config, TrainingOptions(evaluate=True, resume="auto" if resume else None))
    except CheckpointError as error:
        if "there is no checkpoint in" not in str(error):
            raise
        train(config, TrainingOptions(evaluate=True))
    finally:
        sys.setprofile(None)


def forked(work: Callable[[], None], log: Path) -> int:
    """Do it in a fork; returns the exit status as `subprocess` does (-9 for a killed process)."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(output, 1), os.dup2(output, 2)
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def outcome(folder: Path) -> Dict[str, Any]:
    """Everything a run leaves that must not depend on whether it was killed."""
    run = folder / "out" / "stick_64x48"
    files = {str(path.relative_to(run)): path for path in sorted(run.rglob("*")) if path.is_file()}
    held: Dict[str, Any] = {name: path.read_bytes() for name, path in files.items() if name not in NOT_COMPARED}
    if "train_log.jsonl" in held:
        lines = [json.loads(line) for line in held["train_log.jsonl"].decode().splitlines()]
        held["train_log.jsonl"] = [{k: v for k, v in line.items() if k not in VARYING} for line in lines]
    order = [json.loads(line) for line in (folder / "order.jsonl").read_text().splitlines()]
    held["order"] = sorted(dict(order).items())
    return held


def differences(given: Dict[str, Any], wanted: Dict[str, Any]) -> List[str]:
    """Names of what is missing, too much, or different."""
    missing = [f"missing: {name}" for name in wanted if name not in given]
    more = [f"too much: {name}" for name in given if name not in wanted]
    return missing + more + [f"differs: {name}" for name in wanted if name in given and given[name] != wanted[name]]


def try_point(folder: Path, data: Path, points: str, at: int, options: List[str], whole: Dict[str, Any]) -> Dict[str, Any]:
    """Kill a run at a point, resume it, compare."""
    folder.mkdir()
    killed = forked(lambda: one_run(folder, data, False, Killer(points, at), options), folder / "killed.txt")
    resumed = forked(lambda: one_run(folder, data, True, Killer("", None), options), folder / "resumed.txt")
    wrong = [] if killed == -signal.SIGKILL else [f"the run was not killed, but ended with {killed}"]
    if resumed:
        wrong.append(f"resuming ended with {resumed}: {(folder / 'resumed.txt').read_text()[-1500:]}")
    else:
        wrong += differences(outcome(folder), whole)
    return {"at": at, "differences": wrong}


def same_runs(folder: Path, runs: Dict[str, List[str]]) -> Dict[str, Any]:
    """Run with each of some settings, and tell what differs from the first of them."""
    folder.mkdir(parents=True)
    _prepare(folder)
    outcomes = {}
    for name, options in runs.items():
        (folder / name).mkdir()
        log = folder / f"{name}.txt"
        work = functools.partial(one_run, folder / name, folder / "data", False, Killer("", None), options)
        status = forked(work, log)
        if status:
            raise SystemExit(log.read_text())
        outcomes[name] = outcome(folder / name)
    first = next(iter(outcomes.values()))
    return {"files": sorted(first), **{name: differences(held, first) for name, held in outcomes.items()}}


def _prepare(folder: Path) -> Path:
    """Write the data, and import what every fork would import for itself."""
    from support.pose_parts import write_people

    write_people(folder / "data")
    import_components(stick_config(folder, data=folder / "data"))
    training_log.draw_curves = draw_nothing
    training_log.curves_drawable = lambda: True
    return folder / "data"


def count_points(folder: Path, data: Path, points: str, options: List[str]) -> int:
    """Number of points in an undisturbed run, whose outcome stays in the folder."""

    def counting() -> None:
        killer = Killer(points, None)
        one_run(folder, data, False, killer, options)
        (folder / "count.txt").write_text(str(killer.count))

    folder.mkdir()
    status = forked(counting, folder / "whole.txt")
    if status:
        raise SystemExit((folder / "whole.txt").read_text())
    return int((folder / "count.txt").read_text())


def draw_nothing(lines: Any, path: Path, title: str) -> None:
    """In place of `draw_curves`, nine tenths of the time of such a run: a file written as it writes it."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(json.dumps([title, len(lines)]).encode())


def main(folder: Path, points: str, tries: int = 0, workers: int = 0, seed: int = 0, options: Any = ()) -> Dict[str, Any]:
    """Try `tries` random points, or all of them (0)."""
    options = [f"worker_num={workers}", *options]
    folder.mkdir(parents=True, exist_ok=True)
    data = _prepare(folder)
    count = count_points(folder / "whole", data, points, options)
    whole = outcome(folder / "whole")
    every = range(1, count + 1)
    chosen = sorted(np.random.default_rng(seed).choice(every, min(tries, count), replace=False).tolist()) if tries else every
    results = [try_point(folder / str(at), data, points, at, options, whole) for at in chosen]
    wrong = [result for result in results if result["differences"]]
    return {"points": count, "tried": len(results), "wrong": wrong, "files": sorted(whole)}


if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    print(json.dumps((same_runs if "runs" in given else main)(Path(sys.argv[1]), **given)))

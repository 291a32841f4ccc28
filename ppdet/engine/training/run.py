"""Runs a training from a config: connects the parts, trains, and logs which files were written."""

from __future__ import annotations

import errno
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import paddle

from ppdet.core.config.load import Config
from ppdet.core.errors import CheckpointError, ConfigError
from ppdet.core.files import require_folder
from ppdet.core.logger import get_logger
from ppdet.core.problem import did_you_mean
from ppdet.core.quantity import quantity
from ppdet.core.seeding import seed_everything
from ppdet.engine import distributed
from ppdet.engine.assembly import Assembly
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import require_sound
from ppdet.engine.device import choose_device
from ppdet.engine.evaluation.evaluator import Evaluator
from ppdet.engine.precision import Precision
from ppdet.engine.teaching.teacher import build_teacher
from ppdet.engine.training.callbacks import Callback, EarlyStop, Evaluation, LossWatch
from ppdet.engine.training.checkpointer import Checkpointer
from ppdet.engine.training.files import checkpoint_prefix, load_checkpoint, newest_checkpoint
from ppdet.engine.training.folder import RunFolder
from ppdet.engine.training.log import TrainingLog, VisualDLLog
from ppdet.engine.training.progress import Progress
from ppdet.engine.training.skipped_batches import FOLDER, SkippedBatches
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.time_budget import TimeBudget
from ppdet.engine.training.train_step import TrainingError, TrainStep
from ppdet.engine.training.trainer import Trainer
from ppdet.engine.weights.checkpoint import load_pretrained
from ppdet.engine.weights.load import run_path
from ppdet.engine.weights.shared_rows import write_skeleton
from ppdet.engine.weights.unfold_batch_norm import unfold_batch_norms
from ppdet.metrics.landmarks.figure_names import is_figure_name, lower_is_better, parse_figures
from ppdet.modeling.operators.cpu import load_cpu_operators, replace_depthwise_convolutions
from ppdet.optimizer.ema import WeightAverage
from ppdet.skeletons import Skeleton

_log = get_logger(__name__)
STOP, SKIP = "stop", "skip"
_CANNOT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EACCES, errno.EIO)


@dataclass(frozen=True)
class TrainingOptions:
    """Options of the `train` command in addition to the config.

    Attributes:
        evaluate: evaluate on the EvalDataset every `snapshot_epoch` epochs and keep the best model; also with `eval: true` in the
            config.
        resume: checkpoint of a run to continue, or "auto" for the newest in the run's folder.
        amp: mixed precision, on a GPU.
        vdl_log_dir: folder for VisualDL's scalars, None for none.
        command: command line of the run, recorded in its folder.
    """

    evaluate: bool = False
    resume: Optional[str] = None
    amp: bool = False
    vdl_log_dir: Optional[str] = None
    command: str = ""


def train(config: Config, options: Optional[TrainingOptions] = None) -> TrainingState:
    """Train the model of a config; see docs/training.md for the keys.

    Files are written to `save_dir/<name of the config>`.

    Returns:
        The final state; its `stop` is the reason if the run ended early.

    Raises:
        ConfigError, DataError, CheckpointError: config, data or checkpoints do not fit; checked before the first iteration if
            possible.
        TrainingError: a loss is not finite.
        LostProcessError: another process of a run under `paddle.distributed.launch` ended.
    """
    begun = time.monotonic()
    options = options or TrainingOptions()
    if config.get("eval") is True and not options.evaluate:
        options = replace(options, evaluate=True)
    choose_device(config)
    distributed.start()
    if distributed.is_main():
        require_sound(config, import_components(config))  # logs the warnings, which Assembly does not
    assembly = Assembly(config)  # also rejects settings of a wrong type or range
    if not assembly.task.trainable:
        raise ConfigError(f"{config.path}: models of kind {assembly.task.kind} cannot be trained: {type(assembly.task).__name__}")
    epochs = _epochs(config)
    seed_everything(int(config.get("seed") or 0))
    path = require_folder(run_path(config), "save_dir")
    resume = _resume_prefix(options.resume, path)
    metric = _metric(assembly, path) if options.evaluate else None
    reader = assembly.reader("Train")
    step = build_train_step(assembly, reader, options.amp, pretrained=resume is None)
    state = load_checkpoint(resume, step) if resume else TrainingState()
    if resume:
        _log.info("Resumed %s: epoch %d, iteration %d", resume, state.epoch, state.step)
    if state.epoch >= epochs:
        _log.warning("All %d epochs of the run are done; to train longer, say -o epoch=<more>", epochs)
    evaluation = _evaluation(assembly, step, metric) if options.evaluate else None
    callbacks, checkpointer = _callbacks(config, path, evaluation, replace(options, resume=resume))
    pace = {"accumulate": config.get("accumulate_steps", 1), "look_every": config.get("log_iter", 20)}
    if config.get("time_budget"):  # first, since it decides which epoch is the last
        callbacks.insert(0, TimeBudget.from_config(config["time_budget"], spent=time.monotonic() - begun))
    skipped = SkippedBatches(path) if step.skip_bad_losses else None
    trainer = Trainer(step, reader, epochs, callbacks, state, **pace, skipped=skipped)
    # Last, so that a run that cannot start leaves the folder alone.
    same = resume is not None and Path(resume).parent.resolve() == path.resolve()
    folder = RunFolder(path, {"config": str(config.path), "command": options.command}, resume=same)
    keypoints = _keypoints(assembly)
    if keypoints is not None and distributed.is_main():
        write_skeleton(path, keypoints)
    try:
        with distributed.notice_lost_processes():
            state = trainer.train()
    except BaseException as error:
        with suppress(OSError):  # the disk may be full
            folder.close("failed")
        if isinstance(error, OSError) and error.errno in _CANNOT_WRITE:
            raise TrainingError(
                f"cannot write to {path}: {error.strerror or error}. The checkpoints written before are whole. Make room, then "
                "continue the run with --resume (alone: from its newest checkpoint)"
            ) from error
        raise
    finally:
        reader.close()
    folder.close("interrupted" if state.interrupted else "finished")
    _report(state, checkpointer, path)
    return state


def build_train_step(assembly: Assembly, reader: Any, amp: bool = False, pretrained: bool = True) -> TrainStep:
    """Training step of a config, with model, optimizer, schedule, precision and weight average.

    Args:
        assembly: parts of the config.
        reader: training batches; their number is the length of an epoch in the schedule.
        amp: use mixed precision.
        pretrained: load `pretrain_weights`.
    """
    config, steps_per_epoch = assembly.config, len(reader)
    model = assembly.model()
    assembly.task.fit_to_data(model, getattr(reader, "dataset", None))
    if pretrained and config.get("pretrain_weights"):
        report = load_pretrained(model, str(config["pretrain_weights"]), skeleton=_keypoints(assembly))
        unfold_batch_norms(model, report.loaded, reader)
    average = None
    if config.get("use_ema"):
        settings = {"decay": "ema_decay", "decay_type": "ema_decay_type", "cycle_epoch": "cycle_epoch"}
        average = WeightAverage(model, **{name: config[key] for name, key in settings.items() if key in config})
    curve = assembly.builder.build("LearningRate").curve(steps_per_epoch)
    if curve.warmup_steps > steps_per_epoch * config.get("epoch", 1):
        _log.warning(
            "The warm-up of %d iterations is longer than the whole run of %d; the base learning rate is never reached. "
            "Shorten it: -o LearningRate.schedulers.1.steps=...",
            curve.warmup_steps,
            steps_per_epoch * config.get("epoch", 1),
        )
    if config.get("cpu_operators"):
        _use_cpu_operators(model)
    steps = steps_per_epoch * int(config.get("epoch", 1))
    teacher = build_teacher(assembly, model, reader, steps, distributed.world_size())
    count = sum(int(p.size) for p in model.parameters() if not p.stop_gradient)
    _log.info("%s: %.3f M trainable parameters, %d iterations per epoch", config["architecture"], count / 1e6, steps_per_epoch)
    return TrainStep(
        model,
        assembly.builder.build("OptimizerBuilder"),
        curve,
        precision=Precision.from_config(config, amp or bool(config.get("amp"))),
        average=average,
        teacher=teacher,
        sync_bn=config.get("norm_type") == "sync_bn" or bool(config.get("sync_bn")),
        find_unused_parameters=bool(config.get("find_unused_parameters", False)),
        seed=int(config.get("seed") or 0),
        skip_bad_losses=_skips_bad_losses(config),
    )


def _skips_bad_losses(config: Mapping[str, Any]) -> bool:
    """Whether `bad_loss` is skip; the default is stop."""
    wanted = config.get("bad_loss", STOP)
    if wanted not in (STOP, SKIP):
        raise ConfigError(f"bad_loss says what happens at a loss that is not a finite number: {STOP} or {SKIP}; got {wanted!r}")
    return bool(wanted == SKIP)


def _keypoints(assembly: Assembly) -> Optional[Skeleton]:
    """The keypoints of the model; None for a detector."""
    return None if assembly.codec is None else assembly.skeleton


def _use_cpu_operators(model: Any) -> None:
    if paddle.get_device() != "cpu":
        _log.warning("cpu_operators has no effect on a GPU")
        return
    if distributed.local_rank() == 0:
        load_cpu_operators()  # and build them, once for all processes here
    distributed.barrier()
    load_cpu_operators()
    _log.info("CPU operators take over %d depthwise convolutions", replace_depthwise_convolutions(model))


def _metric(assembly: Assembly, path: Path) -> Any:
    """The evaluation metric. It is built before any training image is read, to report a missing annotation file at once."""
    metric = assembly.metric(output_eval=path)
    assembly.dataset("Eval").parse()
    return metric


def _evaluation(assembly: Assembly, step: TrainStep, metric: Any) -> Evaluation:
    reader = assembly.task.eval_reader(assembly)

    def evaluate() -> Mapping[str, float]:
        figures: Dict[str, float] = Evaluator(assembly, step.model, reader, metric, step.precision).run()
        if reader is not None:
            reader.close()
        return figures

    every = int(assembly.config.get("snapshot_epoch", 1))
    main, higher_is_better = best_figure(assembly.config, metric)
    return Evaluation(evaluate, main, every, higher_is_better)


def best_figure(config: Mapping[str, Any], metric: Any) -> tuple[str, bool]:
    """Name of the figure that selects the best model, and whether higher is better: `best_metric`, or the metric's main one.

    Raises:
        ConfigError: the metric is known not to give that figure.
    """
    wanted = config.get("best_metric")
    if wanted is None:
        return metric.main, bool(getattr(metric, "higher_is_better", True))
    name = parse_figures(wanted)[0].name if is_figure_name(wanted) else str(wanted)
    known = getattr(metric, "stat_names", None) or [figure.name for figure in getattr(metric, "figures", ())]
    if known and name not in known:
        other = f", and metric: [{name}, ...] gives it" if is_figure_name(wanted) else ""
        raise ConfigError(f"best_metric: {type(metric).__name__} gives no {name!r}{did_you_mean(name, known)}; it gives "
                          f"{', '.join(known)}{other}")
    return name, not lower_is_better(name)


def _callbacks(
    config: Config, path: Path, evaluation: Optional[Evaluation], options: TrainingOptions
) -> tuple[List[Callback], Checkpointer]:
    log_iter = int(config.get("log_iter", 20))
    callbacks: List[Callback] = [Progress(log_iter), LossWatch()]
    if evaluation is not None:
        callbacks.append(evaluation)
    if config.get("early_stop"):
        if evaluation is None:
            raise ConfigError("early_stop needs evaluations: add --eval, or take early_stop out of the config")
        callbacks.append(EarlyStop.from_config(config["early_stop"]))
    every, keep = int(config.get("snapshot_epoch", 1)), config.get("keep_checkpoints")
    checkpointer = Checkpointer(path, every, evaluation, keep, resumed=options.resume)
    callbacks += [TrainingLog(path, log_iter, evaluation), checkpointer]
    if options.vdl_log_dir:
        callbacks.append(VisualDLLog(options.vdl_log_dir, log_iter, evaluation))
    return callbacks, checkpointer


def _resume_prefix(resume: Optional[str], path: Path) -> Optional[str]:
    if resume is None or resume == "":
        return None
    if resume != "auto":
        return checkpoint_prefix(resume)
    newest = newest_checkpoint(path)
    if newest is None:
        raise CheckpointError(f"--resume auto: there is no checkpoint in {path}; leave --resume out to begin a run")
    return newest


def _epochs(config: Config) -> int:
    if config.get("epoch") is None:
        raise ConfigError(f"{config.path}: there is no key epoch, the number of epochs to train: add -o epoch=...")
    return int(config["epoch"])


def _report(state: TrainingState, checkpointer: Checkpointer, path: Path) -> None:
    if not distributed.is_main():
        return
    why = f" ({state.stop})" if state.stop else ""
    _log.info("Training ended after %d epochs, %d iterations%s", state.epoch, state.step, why)
    if state.best is not None:
        _log.info("Best %s: %.4f after epoch %d", state.metric, state.best, state.best_epoch)
    if state.skipped:
        batches = quantity(state.skipped, "batch", "batches")
        _log.warning("%s skipped, since the loss was not a finite number: %s", batches, path / FOLDER)
    for line in [*checkpointer.summary(), f"log: {path / 'train_log.jsonl'}", f"curves: {path / 'curves.png'}"]:
        _log.info("  %s", line)

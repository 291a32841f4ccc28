"""Checkpoint files of a run: weights, optimizer and state, under PaddleDetection's names.

    <folder>/<name>.pdparams   weights (with weight averaging: the averages, which are what one uses)
    <folder>/<name>.pdema      with weight averaging: the raw weights, which training continues from
    <folder>/<name>.pdopt      the optimizer's moments, by parameter name
    <folder>/<name>.pdstates   place in the run, best result

A checkpoint is replaced as a whole, though it is several files. The new ones are first written as `.<name>.pending.*`,
`.pdstates` last; from then on they are the checkpoint, and a process that is killed while they are being renamed loses nothing:
`checkpoint_file` finds those that were not renamed, and the next run in the folder renames them (`finish_pending`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import numpy as np
import paddle

from ppdet.core.errors import CheckpointError
from ppdet.core.files import atomic_path
from ppdet.core.logger import get_logger
from ppdet.engine.training.state import FROM_WEIGHTS_ALONE, TrainingState
from ppdet.engine.training.train_step import TrainStep
from ppdet.engine.weights.checkpoint import load_pdparams, save_pdparams, set_tensor, to_numpy

_log = get_logger(__name__)
_SUFFIXES = (".pdstates", ".pdparams", ".pdopt", ".pdema")
_PENDING = ".pending"
_MASTER = "master_weights/"
_ITERATION = "iteration"


def save_checkpoint(folder: Path, name: str, step: TrainStep, state: TrainingState) -> Path:
    """Write everything that is needed to use the model and to continue the run; returns the path of the weights.

    Raises:
        CheckpointError: a weight is not finite; nothing is written.
    """
    raw = {key: to_numpy(value) for key, value in step.model.state_dict().items()}
    _check_finite(raw, name)
    state.scaler = step.precision.state()
    state.average_updates = step.average.updates if step.average is not None else 0
    pending = Path(folder) / f".{name}{_PENDING}"
    try:
        if step.average is not None:
            save_pdparams(raw, f"{pending}.pdema")
        save_pdparams(raw if step.average is None else step.average.state(), f"{pending}.pdparams")
        save_pdparams(_optimizer_state(step), f"{pending}.pdopt")
        state.save(Path(f"{pending}.pdstates"))
    except BaseException:
        _remove_checkpoint(str(pending))
        raise
    return _rename_pending(Path(folder), name)


def copy_checkpoint(prefix: str, folder: Path, name: str) -> Path:
    """Give a checkpoint a second name, as a whole or not at all; returns the path of the weights."""
    pending = Path(folder) / f".{name}{_PENDING}"
    for suffix in reversed(_SUFFIXES):
        source = checkpoint_file(prefix, suffix)
        if os.path.exists(source):
            with atomic_path(f"{pending}{suffix}") as temporary:
                shutil.copyfile(source, temporary)
    return _rename_pending(Path(folder), name)


def save_weights(path: Path, step: TrainStep) -> None:
    """Write the weights that one uses: with weight averaging, the averages.

    Raises:
        CheckpointError: a weight is not finite; nothing is written.
    """
    weights = {key: to_numpy(value) for key, value in step.model.state_dict().items()}
    _check_finite(weights, path.name)
    save_pdparams(weights if step.average is None else step.average.state(), path)


def finish_pending(folder: Path) -> None:
    """Rename what a killed process had written but not renamed, and remove what it had not finished writing.

    Only for the process that holds the lock of the folder.
    """
    names = {path.name[1:].split(_PENDING)[0] for path in Path(folder).glob(f".*{_PENDING}.pd*")}
    for name in sorted(names):
        pending = Path(folder) / f".{name}{_PENDING}"
        if Path(f"{pending}.pdstates").exists():
            _log.info("finished replacing %s, which a killed run had begun", _rename_pending(Path(folder), name))
        else:
            _remove_checkpoint(str(pending))


def remove_checkpoint(folder: Path, name: str) -> None:
    """Remove the files of a checkpoint, if there are any; `.pdstates` first, so that no part of it passes for a checkpoint."""
    _remove_checkpoint(str(Path(folder) / name))


def checkpoint_file(prefix: str, suffix: str) -> str:
    """Path of a file of a checkpoint, also while it is being replaced."""
    path = Path(prefix)
    pending = path.with_name(f".{path.name}{_PENDING}")
    being_replaced = Path(f"{pending}.pdstates").exists() and Path(f"{pending}{suffix}").exists()
    return f"{pending if being_replaced else prefix}{suffix}"


def _rename_pending(folder: Path, name: str) -> Path:
    pending, prefix = folder / f".{name}{_PENDING}", folder / name
    for suffix in (".pdema", ".pdopt", ".pdparams", ".pdstates"):
        if Path(f"{pending}{suffix}").exists():
            os.replace(f"{pending}{suffix}", f"{prefix}{suffix}")
    return Path(f"{prefix}.pdparams")


def _remove_checkpoint(prefix: str) -> None:
    for suffix in _SUFFIXES:
        Path(f"{prefix}{suffix}").unlink(missing_ok=True)


def load_checkpoint(path: str, step: TrainStep) -> TrainingState:
    """Restore model, optimizer, weight average and schedule from a checkpoint of `save_checkpoint`.

    Args:
        path: checkpoint, with or without one of its suffixes.

    Raises:
        CheckpointError: files are missing or do not fit the model.
    """
    prefix = checkpoint_prefix(path)
    state = TrainingState.load(Path(checkpoint_file(prefix, ".pdstates")))
    absent = [suffix for suffix in (".pdparams", ".pdopt") if not os.path.isfile(checkpoint_file(prefix, suffix))]
    if absent:
        raise CheckpointError(
            f"{prefix}{absent[0]} does not exist; resuming needs it beside {prefix}.pdstates; or resume an earlier checkpoint. "
            f"{FROM_WEIGHTS_ALONE}"
        )
    weights = load_pdparams(checkpoint_file(prefix, ".pdparams"))
    if step.average is not None:
        raw_file = checkpoint_file(prefix, ".pdema")
        raw = load_pdparams(raw_file) if os.path.exists(raw_file) else weights
        _load_weights(step.model, raw, prefix)
        step.average.load(weights, state.average_updates)
    else:
        _load_weights(step.model, weights, prefix)
    _load_optimizer_state(step, load_pdparams(checkpoint_file(prefix, ".pdopt")), prefix)
    step.precision.load(state.scaler)
    step.jump_to(state.step)
    return state


def checkpoint_prefix(path: str) -> str:
    """`output/run/9` for `output/run/9`, `output/run/9.pdparams`, `output/run/9.pdopt`, ..."""
    text = os.path.expanduser(str(path))
    for suffix in _SUFFIXES:
        if text.endswith(suffix):
            return text[: -len(suffix)]
    return text


def newest_checkpoint(folder: Path) -> Optional[str]:
    """Prefix of the checkpoint in `folder` with the most iterations, None if there is none.

    Checkpoints whose state cannot be read are skipped with a warning; temporary files of a killed run do not count.
    """
    places: List[Any] = []
    for prefix in _prefixes(Path(folder)):
        path = Path(checkpoint_file(prefix, ".pdstates"))
        try:
            state = TrainingState.load(path)
        except CheckpointError as error:
            _log.warning("passed over: %s", error)
            continue
        places.append((state.step, path.stat().st_mtime, prefix))
    return max(places)[2] if places else None


def _prefixes(folder: Path) -> List[str]:
    """Of all checkpoints in a folder, also of one that is being replaced."""
    names = [path.name[: -len(".pdstates")] for path in folder.glob("*.pdstates")]
    hidden = [name[1 : -len(_PENDING)] for name in names if name.startswith(".") and name.endswith(_PENDING)]
    return [str(folder / name) for name in sorted({name for name in names if not name.startswith(".")} | set(hidden))]


def _check_finite(weights: Mapping[str, np.ndarray], name: str) -> None:
    bad = [key for key, value in weights.items() if value.dtype.kind == "f" and not np.isfinite(value).all()]
    if bad:
        raise CheckpointError(
            f"not saving {name}: {len(bad)} weights are not finite (first: {bad[0]}); earlier checkpoints are untouched"
        )


def _load_weights(model: paddle.nn.Layer, weights: Mapping[str, np.ndarray], prefix: str) -> None:
    wanted = model.state_dict()
    missing = [name for name in wanted if name not in weights]
    wrong = [name for name in wanted if name in weights and list(weights[name].shape) != list(wanted[name].shape)]
    if missing or wrong:
        example = (missing + wrong)[0]
        raise CheckpointError(
            f"{prefix}.pdparams does not fit this model: {len(missing)} weights are missing and {len(wrong)} have another "
            f"shape (for example {example}). A run is resumed with the configuration it was started with; to start a new "
            "run from these weights use -o pretrain_weights=..."
        )
    for name, tensor in wanted.items():
        set_tensor(tensor, weights[name])


def _optimizer_state(step: TrainStep) -> Dict[str, np.ndarray]:
    """Optimizer state by `<state-dict name>_<accumulator>` (Paddle's own keys depend on the order of construction)."""
    result: Dict[str, np.ndarray] = {_ITERATION: np.array(step.iteration)}
    names = _names_by_parameter(step.model)
    held = step.optimizer.state_dict()
    for key, value in held.get("master_weights", {}).items():
        result[_MASTER + names[key]] = to_numpy(value)
    for kind, tensors in step.optimizer._accumulators.items():
        for parameter, tensor in tensors.items():
            if parameter in names:
                result[f"{names[parameter]}@{kind}"] = to_numpy(tensor)
    return result


def _load_optimizer_state(step: TrainStep, saved: Mapping[str, np.ndarray], prefix: str) -> None:
    parameters = {structured: parameter for parameter, structured in _names_by_parameter(step.model).items()}
    saved = {key: value for key, value in saved.items() if key != _ITERATION}
    unknown = [key for key in saved if key.replace(_MASTER, "").split("@")[0] not in parameters]
    if unknown:
        raise CheckpointError(f"{prefix}.pdopt belongs to another model: it has {unknown[0]}")
    holder: Dict[str, Any] = {"LR_Scheduler": step.scheduler.state_dict()}
    masters = {}
    for key, value in saved.items():
        if key.startswith(_MASTER):
            masters[parameters[key[len(_MASTER) :]]] = paddle.to_tensor(value)
            continue
        structured, kind = key.rsplit("@", 1)
        holder[_accumulator_name(step.optimizer, parameters[structured], kind)] = paddle.to_tensor(value)
    if masters:
        holder["master_weights"] = masters
    step.optimizer.set_state_dict(holder)


def _accumulator_name(optimizer: Any, parameter: str, kind: str) -> str:
    existing = optimizer._accumulators.get(kind, {}).get(parameter)
    return existing.name if existing is not None else f"{parameter}_{kind}_0"


def _names_by_parameter(model: paddle.nn.Layer) -> Dict[str, str]:
    return {parameter.name: structured for structured, parameter in model.named_parameters()}

"""Checkpoint files of a run: weights, optimizer and state, under PaddleDetection's names.

    <folder>/<name>.pdparams   weights (with weight averaging: the averages, which are what one uses)
    <folder>/<name>.pdema      with weight averaging: the raw weights, which training continues from
    <folder>/<name>.pdopt      the optimizer's moments, by parameter name
    <folder>/<name>.pdstates   place in the run, best result

Every file is written atomically, `.pdstates` last: if it exists, the others are complete.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import numpy as np
import paddle

from ppdet.core.errors import CheckpointError
from ppdet.core.files import atomic_path
from ppdet.core.logger import get_logger
from ppdet.engine.training.state import TrainingState
from ppdet.engine.training.train_step import TrainStep
from ppdet.engine.weights.checkpoint import load_pdparams, save_pdparams, set_tensor, to_numpy

_log = get_logger(__name__)
_SUFFIXES = (".pdparams", ".pdopt", ".pdstates", ".pdema")
_MASTER = "master_weights/"
_ITERATION = "iteration"


def save_checkpoint(folder: Path, name: str, step: TrainStep, state: TrainingState) -> Path:
    """Write everything that is needed to use the model and to continue the run; returns the path of the weights.

    Raises:
        CheckpointError: a weight is not finite; nothing is written.
    """
    raw = {key: to_numpy(value) for key, value in step.model.state_dict().items()}
    _check_finite(raw, name)
    prefix = Path(folder) / name
    state.scaler = step.precision.state()
    state.average_updates = step.average.updates if step.average is not None else 0
    with ExitStack() as stack:
        # All files are written under temporary names first, so that a full disk leaves an older checkpoint of this name intact.
        # They are renamed in reverse order.
        paths = {suffix: stack.enter_context(atomic_path(f"{prefix}{suffix}")) for suffix in (".pdstates", ".pdopt", ".pdparams")}
        if step.average is not None:
            save_pdparams(raw, stack.enter_context(atomic_path(f"{prefix}.pdema")))
        save_pdparams(raw if step.average is None else step.average.state(), paths[".pdparams"])
        save_pdparams(_optimizer_state(step), paths[".pdopt"])
        state.save(paths[".pdstates"])
        Path(f"{prefix}.pdstates").unlink(missing_ok=True)
    return Path(f"{prefix}.pdparams")


def load_checkpoint(path: str, step: TrainStep) -> TrainingState:
    """Restore model, optimizer, weight average and schedule from a checkpoint of `save_checkpoint`.

    Args:
        path: checkpoint, with or without one of its suffixes.

    Raises:
        CheckpointError: files are missing or do not fit the model.
    """
    prefix = checkpoint_prefix(path)
    state = TrainingState.load(Path(prefix + ".pdstates"))
    weights = load_pdparams(prefix + ".pdparams")
    if step.average is not None:
        raw = load_pdparams(prefix + ".pdema") if os.path.exists(prefix + ".pdema") else weights
        _load_weights(step.model, raw, prefix)
        step.average.load(weights, state.average_updates)
    else:
        _load_weights(step.model, weights, prefix)
    _load_optimizer_state(step, load_pdparams(prefix + ".pdopt"), prefix)
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
    for path in Path(folder).glob("*.pdstates"):
        if path.name.startswith("."):
            continue
        try:
            state = TrainingState.load(path)
        except CheckpointError as error:
            _log.warning("passed over: %s", error)
            continue
        places.append((state.step, path.stat().st_mtime, str(path)[: -len(".pdstates")]))
    return max(places)[2] if places else None


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

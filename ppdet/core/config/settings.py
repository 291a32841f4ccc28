"""Types and ranges of the settings of a run, i.e. of top-level keys, in one table.

Arguments of components are checked against their constructors (`ppdet.core.config.schema`); these keys have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ppdet.core.config.nodes import ConfigDict
from ppdet.core.config.value_check import complaint
from ppdet.core.problem import Problem


class Setting(NamedTuple):
    """Allowed types, and the smallest number."""

    types: tuple[type, ...]
    lowest: float | None = None


_SWITCH = Setting((bool,))
_TEXT = Setting((str,))
_TEXT_OR_NONE = Setting((str, type(None)))

RUN_SETTINGS: Mapping[str, Setting] = {
    "epoch": Setting((int,), 1),
    "snapshot_epoch": Setting((int,), 1),
    "log_iter": Setting((int,), 1),
    "worker_num": Setting((int,), 0),
    "seed": Setting((int, type(None)), 0),
    "keep_checkpoints": Setting((int, type(None)), 1),
    "accumulate_steps": Setting((int,), 1),
    "cpu_threads": Setting((int, type(None)), 1),
    "num_joints": Setting((int,), 1),
    "num_classes": Setting((int,), 1),
    "ema_decay": Setting((float,), 0),
    "eval": _SWITCH,
    "use_gpu": _SWITCH,
    "use_ema": _SWITCH,
    "sync_bn": _SWITCH,
    "amp": _SWITCH,
    "master_grad": _SWITCH,
    "paddledet_exact": _SWITCH,
    "cpu_operators": _SWITCH,
    "deterministic": _SWITCH,
    "bad_loss": _TEXT,
    "save_prediction_only": _SWITCH,
    "find_unused_parameters": _SWITCH,
    "init_loss_scaling": Setting((float,), 1),
    "save_dir": _TEXT,
    "output_eval": _TEXT_OR_NONE,
    "weights": _TEXT_OR_NONE,
    "pretrain_weights": Setting((str, bool, type(None))),  # false means none in PaddleDetection
}
READER_SETTINGS: Mapping[str, Setting] = {"batch_size": Setting((int,), 1)}


def check_settings(section: Mapping[str, Any], table: Mapping[str, Setting] = RUN_SETTINGS, prefix: str = "") -> list[Problem]:
    """Problems of a mapping whose values the table does not allow, each with its location.

    Args:
        section: the top level of a config, or a section.
        table: keys to check; others are ignored.
        prefix: of the key in messages, such as ``"TrainReader."``.
    """
    problems = []
    for key, setting in table.items():
        if key not in section:
            continue
        wrong = _complaint(section[key], setting)
        if wrong is not None:
            mark = section.mark_of(key) if isinstance(section, ConfigDict) else None
            problems.append(Problem(f"{prefix}{key} {wrong}", mark))
    return problems


def _complaint(value: Any, setting: Setting) -> str | None:
    wrong = complaint(value, setting.types)
    if wrong is None and setting.lowest is not None and isinstance(value, (int, float)) and value < setting.lowest:
        kind = "a whole number" if int in setting.types else "a number"
        return f"expects {kind} from {setting.lowest:g} on, not {value!r}"
    return wrong

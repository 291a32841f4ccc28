"""All targets, and the choice that a user makes from them."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Sequence

from ppdet.core.errors import ExportError
from ppdet.engine.export.precisions import PRECISIONS
from ppdet.engine.export.targets.base import Target


def _targets() -> dict[str, Target]:
    """All targets by name, in the order in which they are written. To add one, define it in a module of this folder."""
    package = import_module(__package__)
    for module in iter_modules(package.__path__):
        import_module(f"{__package__}.{module.name}")
    made = [each() for each in Target.__subclasses__()]
    return {each.name: each for each in sorted(made, key=lambda each: (each.order, each.name))}


TARGETS = _targets()


def chosen_targets(names: Sequence[str], precisions: Sequence[str]) -> list[tuple[Target, list[str]]]:
    """The targets of an export with the precisions to write of each.

    A target without a file of its own in a precision is written in float32 if that is asked for as well.

    Raises:
        ExportError: an unknown name, or a precision that none of the targets has.
    """
    unknown = [name for name in names if name not in TARGETS]
    if unknown or not names:
        raise ExportError(f"--targets {','.join(names)}: {unknown[0] if unknown else 'nothing'!r} is not a target; give some of "
                          f"{', '.join(TARGETS)}")
    wrong = [precision for precision in precisions if precision not in PRECISIONS]
    if wrong or not precisions:
        raise ExportError(f"--precision {','.join(precisions)}: give some of {', '.join(PRECISIONS)}")
    stored = [PRECISIONS[precision] for precision in precisions]
    found = [(target, [each for each in dict.fromkeys(stored) if each in target.precisions])
             for name, target in TARGETS.items() if name in names]  # fmt: skip
    for precision, file in zip(precisions, stored):
        if not any(file in written for _, written in found):
            able = ", ".join(target.name for target in TARGETS.values() if file in target.precisions)
            raise ExportError(f"none of the targets {', '.join(names)} has {precision}: add one of {able}")
    idle = [target.name for target, written in found if not written]
    if idle:
        raise ExportError(f"the target {idle[0]} has no {' or '.join(precisions)}: add --precision fp32, or leave it out")
    return found

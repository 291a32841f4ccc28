"""Checks a config against the constructors of its components, without building anything that needs data or a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppdet.core.config.known_keys import DATASET_KEYS, KNOWN_KEYS, READER_KEYS
from ppdet.core.config.load import Config
from ppdet.core.config.nodes import ConfigDict, mentions, plain
from ppdet.core.config.paddledet_names import METRIC_CLASSES, METRICS, PADDLEDETECTION_NAMES
from ppdet.core.config.registry import Registry
from ppdet.core.config.settings import READER_SETTINGS, check_settings
from ppdet.core.errors import ConfigError, PpdetError
from ppdet.core.logger import get_logger
from ppdet.core.problem import Mark, Problem, did_you_mean, nearest
from ppdet.engine.configs.component_check import ComponentCheck
from ppdet.engine.configs.consistency import parts_of_another_kind, try_codec
from ppdet.engine.configs.repeated_facts import repeated_facts
from ppdet.engine.configs.trial import try_parts
from ppdet.metrics.landmarks.figure_names import FAMILIES, is_figure_name, parse_figures
from ppdet.skeletons.lookup import skeleton_from_config

_log = get_logger(__name__)


def check_config(config: Config, registry: Registry, part: bool = False, trial: bool = True) -> list[Problem]:
    """All problems of a config, sorted by file and line.

    Args:
        config: as loaded by `ppdet.core.config.load.load_config`.
        registry: the filled registry, see `ppdet.engine.components.import_components`.
        part: the config is meant to be included by others, so it does not have to name an architecture.
        trial: also build what a training needs besides data and network, see `try_parts`.

    Returns:
        problems of severity "error" (misspelt names, unknown arguments, wrong structure), "missing" (a component of
        PaddleDetection that this toolkit does not have yet) and "warning" (probably harmless); empty if there are none.
    """
    check = ComponentCheck(config, registry)
    for problem in config.warnings:
        check.problems.append(problem)
    for key, value in config.items():
        _check_top_level(check, key, value, config)
    check.problems += check_settings(config)
    check.problems += try_codec(config, registry)
    check.problems += parts_of_another_kind(config)
    check.problems += repeated_facts(config, check.components)
    check.problems += _sections_without_use(config, registry)
    if trial and all(problem.severity == "warning" for problem in check.problems):
        check.problems += try_parts(config, registry)
    for key in config:  # last: a key may be the section of a component that another section refers to
        _check_name_of_key(check, key, config.mark_of(key), config)
    if part and "architecture" not in config:
        check.problems.append(Problem("a part of a config: it names no architecture", config.mark, "warning"))
    elif not isinstance(config.get("architecture"), str):
        check.error("the config names no architecture, for example architecture: TopDownHRNet", config.mark)
    unique = {(problem.mark, problem.message): problem for problem in check.problems}
    return sorted(unique.values(), key=_position)


def require_sound(config: Config, registry: Registry) -> None:
    """Raise if a config has errors; log its warnings.

    Missing components are only logged: a model whose training parts are missing can still be run. Building such a part fails.

    Raises:
        ConfigError: with all errors.
    """
    problems = check_config(config, registry)
    for problem in problems:
        if problem.severity != "error":
            _log.warning("%s: %s", problem.mark, problem.message)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ConfigError(errors)


def _check_top_level(check: ComponentCheck, key: Any, value: Any, config: Config) -> None:
    mark = config.mark_of(key)
    if key == "architecture":
        check.reference(value, mark)
        check.require_kind(value, key, "ppdet.modeling.architectures", mark)
    elif key == "metric":
        _check_metric(check, value, mark)
    elif key == "best_metric":
        _check_best_metric(check, value, config, mark)
    elif key in ("skeleton", "flip_perm"):
        _check_skeleton(check, config, mark)
    elif key == "codec":
        if isinstance(value, Mapping) and "name" in value:
            check.reference(value, mark)
        elif value is not None:
            check.error("the codec section needs a name, usually name: HeatmapCodec", mark)
    elif key in DATASET_KEYS:
        check.dataset(key, value, mark)
    elif key in READER_KEYS:
        check.reader(key, value, mark)
        if isinstance(value, Mapping):
            check.problems += check_settings(value, READER_SETTINGS, f"{key}.")
    elif key in check.registry:
        check.section(key)
    else:
        check.scan(value)


def _sections_without_use(config: Config, registry: Registry) -> list[Problem]:
    """Sections of networks that only an option mentions: `-o LPN.attention=SE` would change nothing in a config without an
    LPN."""
    problems = []
    for key, section in config.items():
        if key not in registry or not isinstance(section, ConfigDict):
            continue
        if not registry.get(key).__module__.startswith("ppdet.modeling."):
            continue
        marks = [section.mark_of(name) for name in section]
        by_option = bool(marks) and all(mark is not None and mark.file.startswith("-o") for mark in marks)
        if by_option and not mentions(config, key):
            used = sorted(name for name in registry.names() if name in config and mentions(config, name))
            problems.append(Problem(f"nothing in this config is a {key}; it has {', '.join(used)}", marks[0]))
    return problems


def _check_name_of_key(check: ComponentCheck, key: Any, mark: Mark | None, config: Config) -> None:
    if key in KNOWN_KEYS or key in PADDLEDETECTION_NAMES or key in check.registry or key in check.referenced:
        return
    if config.anchor_at(key) is not None:
        return
    known = [*KNOWN_KEYS, *check.registry.names(), *PADDLEDETECTION_NAMES]
    close = nearest(str(key), known, cutoff=0.8)
    if close is not None:
        check.error(f"there is no top-level key {key!r}; did you mean {close!r}?", mark)
    elif key == "dataset_dir":  # a plausible mistake; the data at the default place would be used silently
        advice = "set TrainDataset.dataset_dir, EvalDataset.dataset_dir"
        check.error(f"nothing reads the top-level key 'dataset_dir' here; {advice}", mark)
    else:
        check.problems.append(Problem(f"nothing reads the top-level key {key!r}", mark, "warning"))


def _check_metric(check: ComponentCheck, value: Any, mark: Mark | None) -> None:
    if isinstance(value, list):
        _check_figures(check, value, mark)
        return
    if not isinstance(value, (str, Mapping, type(None))):
        check.error(f"metric is {value!r}; expected a name, or figures such as [EPE, PCK, AP]", mark)
    if isinstance(value, str) and value not in check.registry:
        if is_figure_name(value):
            return
        if value not in METRICS.split():
            known = [*METRICS.split(), *FAMILIES]
            check.error(f"there is no metric {value!r}{did_you_mean(value, known)}", mark)
        elif value != "COCO" and value not in METRIC_CLASSES:
            check.missing(value, mark)
        return
    check.reference(value, mark)


def _check_best_metric(check: ComponentCheck, value: Any, config: Config, mark: Mark | None) -> None:
    if not isinstance(value, str):
        check.error(f"best_metric is {value!r}; expected the name of one figure, such as EPE", mark)
    elif isinstance(config.get("metric"), list):
        _check_figures(check, [value], mark)


def _check_figures(check: ComponentCheck, names: Any, mark: Mark | None) -> None:
    try:
        parse_figures(plain(names))
    except ConfigError as error:
        check.error(str(error), mark)


def _check_skeleton(check: ComponentCheck, config: Config, mark: Mark | None) -> None:
    try:
        skeleton_from_config(config)
    except PpdetError as error:
        check.error(str(error), mark)


def _position(problem: Problem) -> tuple[str, int, str]:
    return (problem.mark.file, problem.mark.line, problem.message) if problem.mark else ("", 0, problem.message)

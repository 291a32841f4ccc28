"""Cross-validation: trains a config once per fold of its labelled images, and reports the spread of the figures.

With 20 to 200 images, the error on one validation split depends on which images it contains. Here every image is validated once,
by a model that has seen neither it nor any other image of its group (video, patient, ...). Folds share training images, so the
standard deviation over folds measures how much figures vary between such runs; it is not a confidence interval of the mean.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from ppdet.annotations.coco_file import read_coco
from ppdet.annotations.merging import merge_contents
from ppdet.core.config.load import Config, load_config
from ppdet.core.errors import ConfigError
from ppdet.core.files import atomic_write
from ppdet.core.json_file import read_json
from ppdet.core.logger import get_logger
from ppdet.data.convert.splitting import split_file
from ppdet.engine import distributed
from ppdet.engine.training.log import LOG_FILE, read_log
from ppdet.engine.training.state import TrainingState
from ppdet.engine.weights.load import run_path
from ppdet.metrics.landmarks.figure_names import unit_of

_log = get_logger(__name__)
RECORD, ALL, TABLE = "folds.json", "all.json", "folds.md"
BOOKKEEPING = ("kind", "epoch", "step", "time")
SAME = ("folds", "by", "seed", "changes")
"""Options that must not change between a run and its continuation."""


class FoldsOptions(NamedTuple):
    """How to divide the images.

    Attributes:
        folds: number of folds, 2 or more.
        by: key of the images whose values stay together, "folder", or "image"; None finds groups.
        seed: of the division.
        resume: keep finished folds, continue unfinished ones.
    """

    folds: int
    by: Optional[str] = None
    seed: int = 42
    resume: bool = False


Train = Callable[[Config, bool], TrainingState]
"""Trains a config; the second argument says whether to resume."""


def train_folds(path: Path, changes: Sequence[str], options: FoldsOptions, train: Train) -> Dict[str, Any]:
    """Train one model per fold and write `folds.json` and `folds.md` beside the folders `fold0`, `fold1`, ...

    The images of the training and validation files are pooled and divided anew. The main figures are those of the last epoch,
    where nothing was selected. The figures of the best epoch, which belong to the saved `best_model`, are slightly optimistic:
    that epoch was selected on the validation images of the fold.

    Args:
        path: the config.
        changes: its `-o` options.
        options: see there.
        train: trains one fold.

    Returns:
        The content of `folds.json`.

    Raises:
        ConfigError: several training sets or processes, or a run that is continued with other options.
        DataError: too few images or groups.
    """
    if distributed.world_size() > 1:
        raise ConfigError("--folds trains one fold after another in one process; start it without paddle.distributed.launch")
    config = load_config(path, changes)
    if options.folds < 2:
        raise ConfigError(f"--folds {options.folds}: give 2 or more")
    sources = {part: fold_source(config, part) for part in ("TrainDataset", "EvalDataset")}
    if sources["TrainDataset"].images != sources["EvalDataset"].images:
        raise ConfigError(f"{path}: training and validation images lie in different folders, "
                          f"{sources['TrainDataset'].images} and {sources['EvalDataset'].images}; --folds mixes them and needs "
                          "one image_dir above both")  # fmt: skip
    folder = run_path(config).with_name(f"{config.name}_folds")
    record: Dict[str, Any] = {"config": str(path), **options._asdict(), "changes": list(changes), "results": []}
    record.pop("resume")
    finished = _finished(folder, record) if options.resume else []
    if not (options.resume and all((folder / f"fold{number}" / "train.json").is_file() for number in range(options.folds))):
        _write_parts(folder, [source.annotations for source in sources.values()], options)
    _write(folder / RECORD, {**record, "results": finished})
    for number in range(options.folds):
        place = folder / f"fold{number}"
        known = next((each for each in finished if each["fold"] == number), None)
        if known is not None:
            _log.info("fold %d of %d is finished already", number, options.folds)
        else:
            _log.info("fold %d of %d, in %s", number, options.folds, place)
            fold = load_config(path, [*changes, *fold_changes(sources, place)])
            state = train(fold, options.resume and any(run_path(fold).glob("*.pdstates")))
            if state.interrupted:
                record["stop"] = state.stop
                return record
            known = {"fold": number, **_result(run_path(fold), state)}
        record["results"].append(known)
        _write(folder / RECORD, {**record, "spread": spread(record["results"])})
    record["spread"] = spread(record["results"])
    text = fold_table(record)
    with atomic_write(folder / TABLE) as stream:
        stream.write(text + "\n")
    _log.info("%d folds:\n%s", options.folds, text)
    _log.info("models: %s; figures: %s and %s", folder / "fold*" / config.name / "best_model.pdparams", folder / RECORD,
              folder / TABLE)  # fmt: skip
    return record


class FoldSource(NamedTuple):
    """A dataset of the config: the prefix of its options, its annotation file and the folder of its images."""

    prefix: str
    annotations: Path
    images: str


def fold_source(config: Config, part: str) -> FoldSource:
    """The one dataset of TrainDataset or EvalDataset.

    Raises:
        ConfigError: there is none with an annotation file, or several.
    """
    section, prefix = config.get(part), part
    if isinstance(section, Mapping) and isinstance(section.get("datasets"), list):
        if len(section["datasets"]) != 1:
            raise ConfigError(f"{config.path}: {part} has {len(section['datasets'])} datasets; --folds divides the images of one")
        section, prefix = section["datasets"][0], f"{part}.datasets.0"
    if not isinstance(section, Mapping) or not isinstance(section.get("anno_path"), str):
        raise ConfigError(f"{config.path}: {part} names no annotation file (anno_path), which --folds divides")
    root = Path(str(section.get("dataset_dir") or ""))
    return FoldSource(prefix, root / section["anno_path"], str(root / str(section.get("image_dir") or "")))


def fold_changes(sources: Mapping[str, FoldSource], place: Path) -> List[str]:
    """Options that make a config train on a fold, with results in the fold's folder."""
    files = {"TrainDataset": place / "train.json", "EvalDataset": place / "val.json"}
    quoted = {part: json.dumps(str(file.absolute())) for part, file in files.items()}
    return [f"{sources[part].prefix}.anno_path={quoted[part]}" for part in files] + [f"save_dir={json.dumps(str(place))}"]


def spread(results: Sequence[Mapping[str, Any]]) -> Dict[str, Dict[str, Dict[str, float]]]:
    """Mean, standard deviation (n - 1), lowest and highest of each figure over the folds, for "last" and "best"."""
    found: Dict[str, Dict[str, Dict[str, float]]] = {}
    for when in ("last", "best"):
        names = [name for name in results[0][when] if all(name in each[when] for each in results)]
        found[when] = {}
        for name in names:
            values = np.array([each[when][name] for each in results], np.float64)
            found[when][name] = {
                "mean": float(values.mean()),
                "sd": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
                "lowest": float(values.min()),
                "highest": float(values.max()),
            }
    return found


def fold_table(record: Mapping[str, Any]) -> str:
    """A Markdown table: a row per fold, then mean and standard deviation; the figures of the last epoch, and of the best one for
    the figure that selects it."""
    results, main = record["results"], record["results"][0]["metric"]
    names = list(record["spread"]["last"])
    header = ["fold", "train", "val", *map(_with_unit, names), f"{_with_unit(main)}, best epoch"]
    rows = [
        [str(each["fold"]), str(each["train_images"]), str(each["val_images"]),
         *(_number(each["last"][name]) for name in names), _number(each["best"].get(main, float("nan")))]
        for each in results
    ]  # fmt: skip
    for label, key in (("mean", "mean"), ("SD", "sd")):
        last = [_number(record["spread"]["last"][name][key]) for name in names]
        best = record["spread"]["best"].get(main, {}).get(key, float("nan"))
        rows.append([label, "", "", *last, _number(best)])
    lines = ["| " + " | ".join(row) + " |" for row in [header, *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(header), *lines[1:]])


def _with_unit(name: str) -> str:
    return f"{name} ({unit_of(name)})" if unit_of(name) else name


def _number(value: float) -> str:
    return f"{value:.3f}"


def _write_parts(folder: Path, files: Sequence[Path], options: FoldsOptions) -> None:
    """`all.json`, and the split files of each fold."""
    paths = list(dict.fromkeys(files))
    content, notes = merge_contents([(str(path), read_coco(path)) for path in paths])
    for note in notes:
        _log.warning("%s", note)
    _write(folder / ALL, content)
    split_file(folder / ALL, folder, by=options.by, folds=options.folds, seed=options.seed, overwrite=True)


def _finished(folder: Path, record: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Results of the folds that an earlier run finished."""
    if not (folder / RECORD).is_file():
        return []
    earlier = read_json(folder / RECORD, "record of the folds", "leave --resume out to begin anew")
    other = [key for key in SAME if earlier.get(key) != record[key]]
    if other:
        raise ConfigError(f"{folder / RECORD} is of a run with {other[0]} {earlier.get(other[0])!r}, not {record[other[0]]!r}: "
                          "continue it with the same options, or leave --resume out to begin anew")  # fmt: skip
    found: List[Dict[str, Any]] = earlier["results"]
    return found


def _result(run: Path, state: TrainingState) -> Dict[str, Any]:
    """Figures of the last and of the best evaluation, and what they belong to."""
    lines = [line for line in read_log(run / LOG_FILE) if line["kind"] == "eval"]
    if not lines:
        raise ConfigError(f"{run} has no evaluation: --folds needs an EvalDataset with figures")
    best = next((line for line in lines if line["epoch"] == state.best_epoch), lines[-1])
    counts = {f"{part}_images": _images(run.parent / f"{part}.json") for part in ("train", "val")}
    return {
        **counts, "metric": state.metric, "best_epoch": state.best_epoch, "last_epoch": lines[-1]["epoch"],
        "weights": str(run / "best_model.pdparams"), "last": _figures(lines[-1]), "best": _figures(best),
    }  # fmt: skip


def _figures(line: Mapping[str, Any]) -> Dict[str, float]:
    return {key: float(value) for key, value in line.items() if key not in BOOKKEEPING and isinstance(value, (int, float))}


def _images(path: Path) -> int:
    return len(read_coco(path)["images"])


def _write(path: Path, content: Mapping[str, Any]) -> None:
    with atomic_write(path) as stream:
        json.dump(content, stream, indent=1 if path.name == RECORD else None, ensure_ascii=False)

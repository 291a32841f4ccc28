"""docs/model_zoo.md from the zoo's data. Imports no Paddle and runs no model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.weights.zoo import ROOT, Zoo, ZooModel, configs_on_disk

COMMAND = "python tools/model_zoo.py"
INTRODUCTION = f"""# Model zoo

Made by `{COMMAND}` from the configs and `ppdet/model_zoo/*.yml`; do not edit. Every config names its paper, recipe
and command in its head.

- **Published** figures are percent, by whom in brackets, with flip test unless a note says otherwise. AP is on COCO val2017, with
  *annotated* boxes or with a *detector's* (those of person AP 56.4): these differ by about two AP and must not be compared.
  Bottom-up models need no boxes. PCKh is on MPII val; its *at .1* is counted at .11, as in every published table.
- **Parameters** leave out running statistics; **MACs** are multiply-adds of convolutions, transposed convolutions (at input
  cells) and linear layers, both counted on the model that each config builds (`--measure`). Papers count "FLOPs" otherwise;
  `tools/model_info.py` shows them side by side.
- **Weights** are PaddleDetection's: `python tools/download_weights.py NAME`, or the URL as `-o weights=URL`. Models without
  any have to be trained; `tools/convert_weights.py` takes some authors' files.
"""

Timing = Mapping[str, float]
Column = Tuple[str, Callable[[ZooModel], str]]


def zoo_page(zoo: Zoo, root: Path = ROOT, timing: Optional[Timing] = None, machine: str = "") -> str:
    """The page as Markdown.

    Args:
        zoo: what `load_zoo` gave.
        root: of the repository, to read the configs' input sizes.
        timing: name -> milliseconds of one image; adds a column.
        machine: what they were measured on.

    Raises:
        ConfigError: a config is not in the zoo, or the zoo names one that is not there.
    """
    check_complete(zoo, root)
    parts = [INTRODUCTION]
    if timing is not None:
        parts.append(f"Times: the network alone, one image, median, {machine}.\n")
    for title, text in zoo.texts.items():
        parts.append(f"## {title}\n\n{text}\n\n{_table(zoo, title, root, timing)}\n")
    parts += [_downloads(zoo), *([_measured(zoo.measured)] if zoo.measured else [])]
    return "\n".join(parts)


def check_complete(zoo: Zoo, root: Path = ROOT) -> None:
    """The zoo and the configs on disk name each other.

    Raises:
        ConfigError: either is missing one.
    """
    there, named = set(configs_on_disk(root)), {model.config for model in zoo.models}
    if there != named:
        lost = "".join(f"\n  {name}: in configs, not in ppdet/model_zoo/zoo.yml" for name in sorted(there - named))
        gone = "".join(f"\n  {name}: in ppdet/model_zoo/zoo.yml, no such file" for name in sorted(named - there))
        raise ConfigError(f"model zoo and configs differ:{lost}{gone}")


def input_size(config_file: Path) -> str:
    """Height x width of a config's network input, without building anything."""
    config = load_config(config_file)
    if "input_wh" in (config.get("codec") or {}):
        width, height = config["codec"]["input_wh"]
        return f"{height}x{width}"
    shape = ((config.get("TestReader") or {}).get("inputs_def") or {}).get("image_shape") or ()
    return f"{shape[-2]}x{shape[-1]}" if len(shape) >= 2 else "-"


def _table(zoo: Zoo, title: str, root: Path, timing: Optional[Timing]) -> str:
    models = [model for model in zoo.models if model.group == title]
    costs: Dict[str, Dict[str, int]] = zoo.costs
    columns: List[Column] = [
        ("config", lambda m: f"[{m.name}](../{m.config})"),
        ("input", lambda m: input_size(root / m.config)),
        ("params (M)", lambda m: _scaled(costs.get(m.name, {}).get("parameters"), 1e6)),
        ("MACs (G)", lambda m: _scaled(costs.get(m.name, {}).get("macs"), 1e9)),
    ]
    if timing is not None:
        columns.append(("ms", lambda m: f"{timing[m.name]:.1f}" if m.name in timing else "-"))
    columns += [column for kinds, *column in _SCORE_COLUMNS if any(kinds(s) for m in models for s in m.scores)]  # type: ignore[misc]
    columns.append(("weights", lambda m: f"[`{m.name}`]({m.weights})" if m.weights else "-"))
    lines = ["| " + " | ".join(name for name, _ in columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(cell(model) for _, cell in columns) + " |" for model in models]
    return "\n".join(lines)


def _is_ap(*boxes: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda score: "AP" in score and score["boxes"] in boxes


def _scores_of(fits: Callable[[Mapping[str, Any]], bool], key: str) -> Callable[[ZooModel], str]:
    return lambda model: ", ".join(_score(score, key) for score in model.scores if fits(score)) or "-"


_SCORE_COLUMNS: Sequence[Tuple[Callable[[Mapping[str, Any]], bool], str, Callable[[ZooModel], str]]] = (
    (_is_ap("annotated", "filtered"), "AP, annotated boxes", _scores_of(_is_ap("annotated", "filtered"), "AP")),
    (_is_ap("detector"), "AP, detector's boxes", _scores_of(_is_ap("detector"), "AP")),
    (_is_ap("none"), "AP, no boxes", _scores_of(_is_ap("none"), "AP")),
    (lambda s: "PCKh" in s, "PCKh, at .1", _scores_of(lambda s: "PCKh" in s, "PCKh")),
    (lambda s: "box" in s, "box AP", _scores_of(lambda s: "box" in s, "box")),
)


def _score(score: Mapping[str, Any], key: str) -> str:
    value = f"{score[key]:.1f}" if key != "PCKh" else f"{score['PCKh']:g} / {score['fine']:g}"
    notes = [score["by"], *(["filtered"] if score.get("boxes") == "filtered" else []), *filter(None, [score.get("note")])]
    return f"{value} ({', '.join(notes)})"


def _scaled(value: Optional[int], unit: float) -> str:
    return "-" if value is None else f"{value / unit:.2f}"


def _downloads(zoo: Zoo) -> str:
    others = [each for each in zoo.downloads.values() if not any(model.name == each.name for model in zoo.models)]
    rows = [f"| [`{each.name}`]({each.url}) | {each.what} |" for each in others]
    return "\n".join(["## Other files", "", "Fetched by the same command.", "", "| name | what |", "|---|---|", *rows, ""])


def _measured(section: Mapping[str, Any]) -> str:
    names = ("AP", "AP50", "AP75", "AR")
    rows = [
        "| " + " | ".join([row["model"], row["boxes"], *(f"{row[name]:.1f}" for name in names)]) + " |" for row in section["rows"]
    ]
    head = ["## Measured here", "", f"{section['data']}.", "", "```", f"python {section['command'].strip()}", "```", ""]
    return "\n".join([*head, "| model | boxes | AP | AP50 | AP75 | AR |", "|---|---|---|---|---|---|", *rows, ""])

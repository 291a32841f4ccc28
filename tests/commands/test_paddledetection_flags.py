"""Every flag of PaddleDetection is accepted and does it, is accepted and says why not, or is refused with the way out."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from ppdet.commands.flags.command_line import make_parser
from ppdet.commands.flags.foreign import NO_EFFECT, REFUSED, SAME, PaddleDetFlag
from ppdet.commands.flags.paddledet_page import SCRIPTS, page
from ppdet.core.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    pytest.param(import_module(module), flag, id=f"{Path(script).stem} {flag.name}")
    for script, (module, flags) in SCRIPTS.items()
    for flag in flags
]
REQUIRED = {
    "train": ["-c", "x.yml"], "eval": ["-c", "x.yml"], "infer": ["-c", "x.yml"], "export": ["-c", "x.yml"],
    "detector": ["--model_dir", "a"], "keypoint": ["--model_dir", "a"],
    "unite": ["--det_model_dir", "a", "--keypoint_model_dir", "b"],
    "mot_unite": ["--mot_model_dir", "a", "--keypoint_model_dir", "b"],
}  # fmt: skip
DIFFERENT_DEFAULTS = {("keypoint", "--use_dark"), ("unite", "--use_dark"), ("mot_unite", "--use_dark")}
"""None here: the model's card decides; true for PaddleDetection's exports."""


def parse(command: ModuleType, *words: str) -> argparse.Namespace:
    return make_parser(command).parse_args([*REQUIRED[command.__name__.rsplit(".", 1)[1]], *words])


def words_of(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


@pytest.mark.parametrize(("command", "flag"), ROWS)
def test_default_values_are_harmless(
    command: ModuleType, flag: PaddleDetFlag, caplog: pytest.LogCaptureFixture
) -> None:
    if flag.default is not None:
        parse(command, flag.name, *words_of(flag.default))
    assert not caplog.records


@pytest.mark.parametrize(("command", "flag"), ROWS)
def test_defaults_are_paddledetections(command: ModuleType, flag: PaddleDetFlag) -> None:
    name = command.__name__.rsplit(".", 1)[1]
    required = [word for word in REQUIRED[name] if word.startswith("-")] + ["--config", "--opt"]
    if flag.effect == SAME and flag.name not in required and (name, flag.name) not in DIFFERENT_DEFAULTS:
        assert getattr(parse(command), flag.name.lstrip("-")) == flag.default


@pytest.mark.parametrize(("command", "flag"), [row for row in ROWS if row.values[1].effect != SAME])
def test_other_values(command: ModuleType, flag: PaddleDetFlag, caplog: pytest.LogCaptureFixture) -> None:
    other = {bool: ["False" if flag.default is True else "yes"], list: ["3", "4"], int: ["7"], float: [".7"]}
    words = other.get(type(flag.default), ["something"])
    if flag.effect == REFUSED:
        with pytest.raises(ConfigError, match=f"^{flag.name} .*: "):
            parse(command, flag.name, *words)
        return
    assert flag.effect == NO_EFFECT
    parse(command, flag.name, *words)
    assert [record.getMessage() for record in caplog.records] == [f"{flag.name} has no effect: {flag.text}"]


@pytest.mark.parametrize("command", [import_module(module) for module, _ in SCRIPTS.values()], ids=lambda each: each.__name__)
@pytest.mark.parametrize("word", ["yes", "True", "1", "ON", "no", "FALSE", "0", "off"])
def test_truth_values_are_the_same_everywhere(command: ModuleType, word: str) -> None:
    switches = [action for action in make_parser(command)._actions if action.const is True and action.nargs == "?"]
    for action in switches:
        if action.help != argparse.SUPPRESS:
            value = vars(parse(command, f"{action.option_strings[-1]}={word}"))[action.dest]
            assert value is (word.lower() in ("yes", "true", "1", "on"))
    assert switches


def test_page_is_up_to_date() -> None:
    text = (ROOT / "docs" / "from_paddledetection.md").read_text(encoding="utf-8")
    assert text == page(), "run python -m ppdet.commands.flags.paddledet_page > docs/from_paddledetection.md"

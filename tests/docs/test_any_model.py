"""docs/any_model.md lists every layout and every key of a card, and its cards are valid."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ppdet.inference.onnx_models import LAYOUTS
from ppdet.inference.onnx_models.settings import SETTINGS_RULE, checked_settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "any_model.md").read_text(encoding="utf-8")


def test_every_layout_is_in_the_table_as_the_code_has_it() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \| .+ \|$", PAGE.split("## Recognised layouts")[1], flags=re.M)
    assert rows == [(each.name, each.made_by, each.outputs) for each in LAYOUTS.values()]


def test_every_key_of_a_card_is_explained() -> None:
    cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE.split("## The card")[1].split("## Recognised")[0], flags=re.M)
    explained = {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}
    (problem,) = SETTINGS_RULE({"no such key": 1}, "card")
    assert explained == set(problem.split("known are ")[1].split(", "))


def test_the_cards_of_the_page_are_valid() -> None:
    cards = re.findall(r"```yaml\n(.+?)```", PAGE, flags=re.S)
    assert [checked_settings(yaml.safe_load(card), "docs")["layout"] for card in cards] == ["yolov5", "simcc"]
    assert all(len(card.strip().splitlines()) == 5 for card in cards)

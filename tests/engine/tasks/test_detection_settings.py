"""The NMS of a detector's card is that of its graph."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.small_configs import write_picodet

from ppdet.core.config.load import load_config
from ppdet.engine.assembly import Assembly
from ppdet.inference.estimators.box_decoding import DEFAULT_NMS
from ppdet.modeling.heads.multiclass_nms import MultiClassNMS


@pytest.mark.parametrize("given", [{}, {"score_threshold": 0.2, "nms_top_k": 50}])
def test_the_card_states_what_the_graph_would_do(tmp_path: Path, given: dict[str, float]) -> None:
    config = load_config(write_picodet(tmp_path))
    head = config[config[config["architecture"]]["head"]]
    head["nms"] = {"name": "MultiClassNMS", **given}
    assembly = Assembly(config)
    card = assembly.task.deployed_form(assembly, assembly.model(), nms=False).card
    assert card.nms == {"name": "MultiClassNMS", **MultiClassNMS(**given).settings()}
    assert card.nms is not None and card.nms["nms_top_k"] == given.get("nms_top_k", -1)  # PaddleDetection's default of the class


def test_a_head_without_nms_gets_the_defaults(tmp_path: Path) -> None:
    config = load_config(write_picodet(tmp_path))
    del config[config[config["architecture"]]["head"]]["nms"]
    assembly = Assembly(config)
    card = assembly.task.deployed_form(assembly, assembly.model(), nms=False).card
    assert card.nms == {"name": "MultiClassNMS", **DEFAULT_NMS}

"""The task of a config, and who may add one."""

from __future__ import annotations

import pytest

from ppdet.codecs import AssociativeEmbeddingCodec, HeatmapCodec
from ppdet.core.errors import ConfigError, ExportError
from ppdet.engine.tasks.table import find_task, register_task, task_of, task_of_kind
from ppdet.engine.tasks.top_down import TopDownTask

CROPS = HeatmapCodec(input_wh=(48, 64), heatmap_wh=(12, 16))
WHOLE = AssociativeEmbeddingCodec(input_wh=(64, 64))


@pytest.mark.parametrize(
    ("architecture", "codec", "kind"),
    [("SimpleBaseline", CROPS, "top_down"), ("HigherHRNet", WHOLE, "bottom_up"), ("PicoDet", None, "detection"),
     ("NetOfSomebodyElse", CROPS, "top_down"), ("NetOfSomebodyElse", WHOLE, "bottom_up")],
)  # fmt: skip
def test_the_architecture_names_the_task_else_the_codec(architecture, codec, kind):
    task = task_of({"architecture": architecture}, codec)
    assert task.kind == kind and task is task_of_kind(kind)


def test_what_no_task_covers():
    assert find_task({"architecture": "FasterRCNN"}) is None
    with pytest.raises(ExportError, match="FasterRCNN cannot be deployed. What can: TopDownHRNet"):
        task_of({"architecture": "FasterRCNN"}, None)
    with pytest.raises(ConfigError, match="no task of kind 'flying'; known are top_down"):
        task_of_kind("flying")


@pytest.mark.parametrize(("architecture", "codec"), [("HigherHRNet", CROPS), ("TopDownHRNet", WHOLE), ("TopDownHRNet", None)])
def test_a_codec_of_another_kind_is_refused(architecture, codec):
    with pytest.raises(ExportError, match=f"{architecture} cannot be deployed with.* it needs one of kind"):
        task_of({"architecture": architecture}, codec)


def test_a_kind_and_an_architecture_have_one_task():
    class Other(TopDownTask):
        """Of a kind that is taken."""

    class Greedy(TopDownTask):
        """Takes an architecture of another task."""

        kind = "greedy"

    with pytest.raises(ConfigError, match="two tasks are of kind 'top_down': TopDownTask and Other"):
        register_task(Other)
    with pytest.raises(ConfigError, match="both name the architecture"):
        register_task(Greedy)
    assert find_task({"architecture": "TopDownHRNet"}).kind == "top_down"
    assert register_task(TopDownTask) is TopDownTask, "importing a module twice is fine"

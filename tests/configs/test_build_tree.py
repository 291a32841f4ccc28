"""Every leaf can really be built, not only checked: model, codec, schedule and transforms of each recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.core.config.load import load_config

pytest.importorskip("paddle")

import paddle  # noqa: E402

from ppdet.engine.assembly import Assembly  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LEAVES = sorted(path for path in (ROOT / "configs").rglob("*.yml") if "_base_" not in path.parts)
#: millions of parameters as the fact sheet counts them, batch norm statistics left out
PARAMETERS = {
    "hrnet_w32_256x192": 28.536,
    "hrnet_w32_384x288": 28.536,
    "dark_hrnet_w48_256x192": 63.596,
    "lite_hrnet_18_256x192_coco": 1.1308,
    "tinypose_128x96": 1.3186,
    "picodet_s_192_lcnet_pedestrian": 1.1687,
    "picodet_s_320_pedestrian": 0.9621,
}


@pytest.mark.parametrize("path", LEAVES, ids=[path.stem for path in LEAVES])
def test_every_recipe_builds(path):
    assembly = Assembly(load_config(path))
    with paddle.LazyGuard():  # every layer, but no numbers in it
        model = assembly.model()
    if path.stem in PARAMETERS:
        statistics = ("_mean", "_variance")
        count = sum(v.size for k, v in model.state_dict().items() if not k.endswith(statistics)) / 1e6
        assert count == pytest.approx(PARAMETERS[path.stem], abs=6e-5 if count < 20 else 6e-4)
    config, builder = assembly.config, assembly.builder
    if "LearningRate" in config:
        curve = builder.build("LearningRate").curve(steps_per_epoch=10)
        assert curve is not None
        builder.build("OptimizerBuilder")
    if assembly.codec is not None:
        assert list(assembly.codec.input_wh) == config["codec"]["input_wh"]
    for reader in ("TrainReader", "EvalReader", "TestReader"):
        section = config.get(reader, {})
        for part in ("sample_transforms", "batch_transforms"):
            assert len(builder.build_list(section.get(part, []))) == len(section.get(part, []))

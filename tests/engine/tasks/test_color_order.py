"""`to_bgr` of NormalizeImage: training, the runtime's preprocessing and a graph that normalises itself agree."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from support.pose_parts import write_config, write_people

from ppdet.core.config.load import load_config
from ppdet.data.transforms.pixels.normalize_image import NormalizeImage
from ppdet.engine.assembly import Assembly
from ppdet.inference.estimators.preprocess import Normalizer
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.modeling.export.normalize import Normalize

SETTINGS = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "is_scale": True}
TEST_READER = """
TestReader:
  inputs_def: {image_shape: [3, 64, 48]}
  sample_transforms:
    - Decode: {}
    - TopDownEvalAffine: {trainsize: [48, 64]}
  batch_transforms:
    - NormalizeImage: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true, to_bgr: true}
    - Permute: {}
"""


def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), np.uint8)


@pytest.mark.parametrize("to_bgr", [False, True])
def test_three_normalisations_are_one(to_bgr: bool) -> None:
    rgb = pixels()
    shown = rgb[..., ::-1] if to_bgr else rgb
    expected = ((shown / 255.0 - SETTINGS["mean"]) / SETTINGS["std"]).transpose(0, 3, 1, 2)
    training = NormalizeImage(**SETTINGS, to_bgr=to_bgr).apply_batch({"image": rgb.copy()})["image"].transpose(0, 3, 1, 2)
    runtime = Normalizer({**SETTINGS, "to_bgr": to_bgr})(rgb)
    graph = Normalize(SETTINGS["mean"], SETTINGS["std"], to_bgr=to_bgr)(
        paddle.to_tensor(rgb.transpose(0, 3, 1, 2).astype(np.float32))
    )
    for given in (training, runtime, graph.numpy()):
        np.testing.assert_allclose(given, expected, atol=2e-6)


def test_pixels_are_not_changed_in_place() -> None:
    rgb = pixels()
    before = rgb.copy()
    NormalizeImage(**SETTINGS, to_bgr=True).normalize(rgb)
    np.testing.assert_array_equal(rgb, before)


@pytest.mark.parametrize("fuse", [False, True])
def test_the_deployed_form_carries_it(tmp_path, fuse: bool) -> None:
    """The card names it, or the graph does it: red pixels reach the network as its last channel, either way."""
    path = write_config(tmp_path, write_people(tmp_path / "people"), TEST_READER)
    config = load_config(path, [f"TestReader.fuse_normalize={fuse}"])
    assembly = Assembly(config)
    seen = {}

    class Spy(paddle.nn.Layer):
        def forward(self, image):
            seen["image"] = image.numpy()
            return {"heatmap": paddle.zeros([image.shape[0], assembly.skeleton.num_keypoints, 16, 12])}

    form = assembly.task.deployed_form(assembly, Spy())
    assert form.card.operation("NormalizeImage") == (None if fuse else {"type": "NormalizeImage", **SETTINGS, "to_bgr": True})
    red = np.zeros((1, 64, 48, 3), np.uint8)
    red[..., 0] = 255
    TopDownEstimator(form.runtime(), form.card).run_crops(red)
    expected = [(0 - 0.485) / 0.229, (0 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    np.testing.assert_allclose(seen["image"][0, :, 0, 0], expected, atol=1e-5)

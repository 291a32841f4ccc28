"""ImageNet weights of a vision transformer start a network of another image size."""

from __future__ import annotations

import numpy as np
import pytest
from support.small_models import vit_pose

from ppdet.core.errors import CheckpointError
from ppdet.engine.weights.checkpoint import load_pretrained, save_pdparams

SIZES = {"embed_dim": 8, "depth": 1, "num_heads": 2}


def test_a_square_position_embedding_is_resized(tmp_path):
    model = vit_pose(img_size=[64, 48], **SIZES)  # 4 x 3 patches
    ramp = np.broadcast_to(np.linspace(0, 1, 6, dtype=np.float32)[:, None, None], (6, 6, 8)).reshape(1, 36, 8)
    weights = {"pos_embed": np.concatenate([np.full((1, 1, 8), 9, np.float32), ramp], axis=1)}
    file = save_pdparams(weights, tmp_path / "mae.pdparams")
    report = load_pretrained(model, file)
    assert "backbone.pos_embed" in report.loaded and not report.shape_mismatches
    embedding = model.backbone.pos_embed.numpy()
    assert (embedding[0, 0] == 9).all()
    rows = embedding[0, 1:].reshape(4, 3, 8)
    np.testing.assert_allclose(rows, np.broadcast_to(rows[:, :1, :1], rows.shape), atol=1e-6)
    np.testing.assert_allclose(rows[:, 0, 0], [0.05, 0.35, 0.65, 0.95], atol=0.03)  # the ramp at the new centres


def test_weights_to_evaluate_are_never_resized(tmp_path):
    small, large = vit_pose(img_size=[64, 64], **SIZES), vit_pose(img_size=[96, 64], **SIZES)
    file = save_pdparams(small.state_dict(), tmp_path / "small.pdparams")
    with pytest.raises(CheckpointError, match="pos_embed"):
        load_pretrained(large, file, strict=True)


def test_another_number_of_keypoints_is_explained(tmp_path):
    from support.small_models import lpn

    file = save_pdparams(lpn("18", keypoints=16).state_dict(), tmp_path / "mpii.pdparams")
    with pytest.raises(CheckpointError, match="trained for 16 keypoints, the config asks for 17"):
        load_pretrained(lpn("18"), file, strict=True)

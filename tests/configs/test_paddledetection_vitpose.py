"""PaddleDetection's ViTPose spellings, in a small config of our own writing: legal, and what they mean."""

from __future__ import annotations

import pytest

pytest.importorskip("paddle")

from ppdet.core.config.load import load_config  # noqa: E402
from ppdet.engine.assembly import Assembly  # noqa: E402

TEXT = """\
num_joints: &num_joints 17
flip_perm: &flip_perm [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10], [11, 12], [13, 14], [15, 16]]
trainsize: &trainsize [48, 64]
metric: KeyPointTopDownCOCOEval
architecture: VitPose_TopDown
VitPose_TopDown:
  backbone: ViT
  head: TopdownHeatmapSimpleHead
  post_process: VitPosePostProcess
  loss: KeyPointMSELoss
  flip_test: True
ViT: {img_size: [64, 48], patch_size: 16, embed_dim: 32, depth: 12, num_heads: 2, ratio: 1, mlp_ratio: 4, qkv_bias: True,
      drop_path_rate: 0.3, epsilon: 0.000001}
TopdownHeatmapSimpleHead:
  in_channels: 32
  num_deconv_layers: 2
  num_deconv_filters: [16, 16]
  num_deconv_kernels: [4, 4]
  out_channels: *num_joints
  shift_heatmap: False
  flip_pairs: *flip_perm
  extra: {final_conv_kernel: 1}
VitPosePostProcess: {use_dark: True}
KeyPointMSELoss: {use_target_weight: true, loss_scale: 1.0}
LearningRate:
  base_lr: 0.0005
  schedulers:
  - !PiecewiseDecay {gamma: 0.1, milestones: [170, 200]}
OptimizerBuilder:
  clip_grad_by_norm: 1.0
  optimizer:
    type: AdamWDL
    betas: [0.9, 0.999]
    weight_decay: 0.1
    num_layers: 12
    layer_decay: 0.75
    filter_bias_and_bn: True
    skip_decay_names: ['pos_embed', 'norm']
    set_param_lr_func: 'layerwise_lr_decay'
TrainReader:
  sample_transforms:
  - TopDownAffine: {trainsize: *trainsize, use_udp: true}
  - ToHeatmapsTopDown_UDP: {hmsize: [12, 16], sigma: 2}
  batch_size: 2
"""


@pytest.fixture
def assemble(tmp_path):
    def build(*options: str) -> Assembly:
        (tmp_path / "vit.yml").write_text(TEXT)
        return Assembly(load_config(tmp_path / "vit.yml", options))

    return build


def test_builds_and_means_udp_with_a_wide_blur(assemble):
    assembly = assemble()
    codec = assembly.codec
    assert (codec.alignment, codec.grid, codec.target, codec.window) == ("udp", "unit", "subpixel", True)
    assert (codec.decoder, codec.blur_kernel, codec.shift_after_flip) == ("dark", 11, 0)
    model = assembly.model()
    assert model.head.final_layer.weight.shape == [17, 16, 1, 1] and model.stride == 4
    assert assembly.builder.build("OptimizerBuilder")(0.1, model)._beta1 == 0.9


def test_its_post_processing_chooses_the_decoder(assemble):
    assert assemble("VitPosePostProcess.use_dark=false").codec.decoder == "quarter"


def test_channels_that_do_not_fit_are_explained(assemble):
    from ppdet.core.errors import ConfigError

    with pytest.raises(ConfigError, match="in_channels is 768, but the backbone gives 32"):
        assemble("TopdownHeatmapSimpleHead.in_channels=768").model()

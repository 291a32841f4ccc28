"""Training with a teacher, on the drawn people of `support.pose_parts` and on planted maps."""

from __future__ import annotations

import json

import numpy as np
import paddle
import pytest
from support.planted_group import write_bottom_up_model
from support.planted_models import planted_codec, planted_person, pose_card, write_pose_model
from support.stick_training import stick_config, stick_weights

from ppdet.codecs import HeatmapCodec
from ppdet.core.errors import ConfigError, PpdetError
from ppdet.engine.assembly import Assembly
from ppdet.engine.teaching.teacher import build_teacher
from ppdet.engine.teaching.teacher_maps import MapResampler, cubic_weights, input_to_input, mixed_target
from ppdet.engine.training.run import build_train_step, train
from ppdet.skeletons import Keypoint, Skeleton


def skeleton(*names):
    return Skeleton("stick", tuple(Keypoint(name) for name in names))


def step_and_batch(config):
    assembly = Assembly(config)
    reader = assembly.reader("Train")
    return build_train_step(assembly, reader), next(iter(reader))


@pytest.mark.parametrize("grid", ["stride", "unit"])
@pytest.mark.parametrize("align", ["affine", "udp"])
@pytest.mark.parametrize("input_wh, cells_wh", [((96, 128), (24, 32)), ((48, 64), (24, 32)), ((96, 96), (32, 32))])
def test_maps_of_another_size_lie_where_the_student_puts_its_targets(grid, align, input_wh, cells_wh):
    """The teacher encodes each keypoint where its own crop shows it; on the student's grid that is the student's target."""
    student = HeatmapCodec((48, 64), (24, 32), sigma=2.0, grid=grid, alignment="affine")
    teacher = HeatmapCodec(input_wh, cells_wh, sigma=2.0, grid=grid, alignment=align)
    xy = np.array([[[20.0, 30.0], [24.3, 41.7], [12.5, 50.25]]])
    center, size, upright = np.array([[50.0, 60.0]]), np.array([[90.0, 120.0]]), np.zeros(1)
    at_student, at_teacher = (codec.crop_at(center, size, upright) for codec in (student, teacher))
    taught, _ = teacher.encode(at_teacher.to_input(at_student.to_image(xy)), np.ones((1, 3)))
    maps = MapResampler(student, teacher).maps(taught)
    assert maps.shape == (1, 3, 32, 24) and maps.dtype == np.float32
    uv, score = student.locate(maps)
    np.testing.assert_allclose(uv / student.cells_per_pixel, xy, atol=0.06)
    np.testing.assert_allclose(score, 1.0, atol=0.15)


def test_maps_of_the_same_codec_are_not_touched():
    codec = planted_codec()
    maps = np.random.default_rng(0).random((2, 3, 16, 12), np.float32)
    assert MapResampler(codec, planted_codec()).maps(maps) is maps or np.array_equal(
        MapResampler(codec, planted_codec()).maps(maps), maps
    )


def test_the_crop_of_a_larger_input_by_literals():
    small, large = HeatmapCodec((48, 64)), HeatmapCodec((96, 128))
    np.testing.assert_allclose(input_to_input(small, large), [[2, 0, 0], [0, 2, 0]], atol=1e-9)
    udp = HeatmapCodec((96, 128), alignment="udp")
    np.testing.assert_allclose(input_to_input(small, udp)[0], [95 / 48, 0, 47.5 - 24 * 95 / 48], atol=1e-9)
    square = HeatmapCodec((64, 64))  # shows 8 more pixels on either side
    np.testing.assert_allclose(input_to_input(small, square), [[1, 0, 8], [0, 1, 0]], atol=1e-9)


def test_cubic_weights_are_exact_for_parabolas():
    places = np.array([2.0, 2.5, 3.3])
    samples = (np.arange(7) - 3.1) ** 2
    np.testing.assert_allclose(cubic_weights(places, 7) @ samples, (places - 3.1) ** 2, atol=1e-5)


def test_labels_and_teacher_make_one_target():
    label, taught = np.full((1, 2, 1, 1), 1.0, np.float32), np.full((1, 2, 1, 1), 0.2, np.float32)
    target, weight = mixed_target(label, np.array([[1.5, 0.0]]), taught, mix=0.25, weight=1.0, unlabelled_weight=0.36)
    np.testing.assert_allclose(target[0, :, 0, 0], [0.8, 0.2], rtol=1e-6)
    np.testing.assert_allclose(weight, [[1.5, 0.6]], rtol=1e-6)  # the losses square it


def test_a_student_with_its_teachers_weights_has_nothing_to_learn(tmp_path):
    """mix: 1 of the same network and weights: the loss is 0, for unlabelled keypoints, too."""
    file, _ = stick_weights(tmp_path)
    config = stick_config(tmp_path, f"teacher={{weights: {file}, mix: 1.0}}", f"pretrain_weights={file}")
    step, batch = step_and_batch(config)
    assert step(batch)["loss"] < 1e-9
    plain, batch = step_and_batch(stick_config(tmp_path, f"pretrain_weights={file}"))
    assert plain(batch)["loss"] > 1e-4


def test_teacher_in_yaml_from_an_export(tmp_path):
    """The planted network's maps are the crop's colours: what the student's target must show at its own resolution."""
    folder = write_pose_model(tmp_path / "planted", card=pose_card(skeleton=skeleton("head", "right_foot", "left_foot")))
    assembly = Assembly(stick_config(tmp_path, f"teacher.model_dir={folder}", "teacher.engine=onnxruntime", "teacher.mix=1.0"))
    reader = assembly.reader("Train")
    teacher = build_teacher(assembly, assembly.model(), reader, steps=10)
    points = np.array([[10.0, 20.0], [30.0, 25.0], [22.0, 50.0]])
    pixels = planted_person((48, 64), points, 8.0)
    normalized = (pixels / 255.0 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    maps = teacher.heatmaps(normalized.transpose(2, 0, 1)[None].astype(np.float32))
    uv, _ = assembly.codec.locate(maps)
    # Keypoints by name: the teacher's feet are in the other order.
    np.testing.assert_allclose(uv[0] / assembly.codec.cells_per_pixel, points[[0, 2, 1]], atol=0.3)


def test_a_run_with_teacher_and_features(tmp_path):
    file, _ = stick_weights(tmp_path)
    features = "features: {layers: [backbone.*, final_conv], weight: 0.1, fade: 0.5}"
    state = train(stick_config(tmp_path, f"teacher={{weights: {file}, {features}}}"))
    assert state.epoch == 2
    lines = [json.loads(line) for line in (tmp_path / "out" / "stick_64x48" / "train_log.jsonl").read_text().splitlines()]
    assert all(line["feature_loss"] > 0 for line in lines)
    assert lines[0]["loss"] > lines[0]["feature_loss"] * 0.1  # both parts


def test_blockwise_features_reach_each_block_alone(tmp_path):
    file, teacher = stick_weights(tmp_path)
    features = "features: {layers: [backbone.first, backbone.second], blockwise: true}"
    step, batch = step_and_batch(stick_config(tmp_path, f"teacher={{weights: {file}, {features}}}"))
    step.model.backbone.first.set_state_dict(teacher.backbone.first.state_dict())
    step.model.train()
    step(batch, update=False)
    own = step.model.backbone
    assert float(own.first.weight.grad.abs().max()) < 1e-6  # equals the teacher: nothing to learn, whatever comes after it
    assert float(own.second.weight.grad.abs().max()) > 1e-4
    assert step.model.final_conv.weight.grad is None or float(step.model.final_conv.weight.grad.abs().max()) == 0
    first = step(batch)["loss"]
    for _ in range(60):
        step.jump_to(0)  # the rate of the first iteration
        last = step(batch)["loss"]
    assert last < 0.5 * first


def test_evaluation_is_not_fed_by_the_teacher(tmp_path):
    file, _ = stick_weights(tmp_path)
    features = "features: {layers: [backbone.second], blockwise: true}"
    step, batch = step_and_batch(stick_config(tmp_path, f"teacher={{weights: {file}, {features}}}"))
    images = paddle.to_tensor(batch["image"])
    step.model.eval()
    before = step.model(images)["heatmap"].numpy()
    step.teacher.prepare(batch, 0)
    np.testing.assert_array_equal(step.model(images)["heatmap"].numpy(), before)


@pytest.mark.parametrize(
    "section, message",
    [
        ("{mix: 0.5}", "needs either weights"),
        ("{weights: a.pdparams, model_dir: b}", "not both"),
        ("{weights: nowhere.pdparams}", "no weight file nowhere.pdparams"),
        ("{weights: FILE, mixx: 0.5}", "no key 'mixx'; did you mean 'mix'"),
        ("{weights: FILE, mix: 1.5}", "mix is a number from 0 to 1, got 1.5"),
        ("{weights: FILE, flip_test: 3}", "flip_test is true or false"),
        ("{weights: FILE, features: {layers: [backbone.third]}}", "no layer 'backbone.third'"),
        ("{weights: FILE, flip_test: true, features: {layers: [backbone.first]}}", "without flip_test"),
        ("{model_dir: CROWD}", "is a bottom-up model; a teacher"),
        ("{model_dir: OTHER}", "lacks head, left_foot, right_foot"),
        ("{model_dir: UNIT}", "lie on the unit grid"),
        ("{model_dir: nothing_here}", "nothing_here"),
        ("yes please", "teacher is a section"),
    ],
)
def test_teachers_that_cannot_teach(tmp_path, section, message):
    file, _ = stick_weights(tmp_path)
    if "CROWD" in section:
        section = section.replace("CROWD", str(write_bottom_up_model(tmp_path / "crowd")))
    if "OTHER" in section:
        section = section.replace("OTHER", str(write_pose_model(tmp_path / "other")))
    if "UNIT" in section:
        card = pose_card(codec=planted_codec(grid="unit"), skeleton=skeleton("head", "left_foot", "right_foot"))
        section = section.replace("UNIT", str(write_pose_model(tmp_path / "unit", card=card)))
    config = stick_config(tmp_path, f"teacher={section.replace('FILE', str(file))}")
    with pytest.raises(PpdetError, match=message):
        train(config)
    assert not (tmp_path / "out" / "stick_64x48").exists()


def test_a_loss_without_weights_cannot_be_taught(tmp_path):
    file, _ = stick_weights(tmp_path)
    config = stick_config(tmp_path, f"teacher.weights={file}", "KeyPointMSELoss={use_target_weight: false}")
    with pytest.raises(ConfigError, match="use_target_weight: true"):
        train(config)


def test_people_without_any_label_are_taught_from_a_detectors_boxes(tmp_path):
    """`use_gt_bbox: false` gives crops without keypoints; the teacher alone makes their targets."""
    file, _ = stick_weights(tmp_path)
    data = tmp_path / "data"
    boxes = [{"image_id": n, "category_id": 1, "bbox": [20, 20, 42, 86], "score": 0.9} for n in (1, 2, 3)]
    (data / "boxes.json").write_text(json.dumps(boxes))
    options = ["TrainDataset.use_gt_bbox=false", f"TrainDataset.bbox_file={data / 'boxes.json'}", f"teacher.weights={file}"]
    step, batch = step_and_batch(stick_config(tmp_path, *options))
    assert len(batch["image"]) == 3 and not batch["target_weight"].any()
    taught = step.teacher.prepare(batch, 0)
    np.testing.assert_allclose(taught["target_weight"] ** 2, 0.4, rtol=1e-5)
    assert step(batch)["loss"] > 0

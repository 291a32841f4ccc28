"""Prediction from weights: same numbers as the pipeline, files where they are said to be, mistakes named."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import paddle
import pytest
from support.pose_parts import write_config, write_people
from support.shared_data import shared
from support.small_configs import write_picodet, write_tinypose

from ppdet.core.config.load import load_config
from ppdet.core.errors import CheckpointError, ConfigError, MediaError
from ppdet.engine.assembly import Assembly
from ppdet.engine.prediction.predictor import PredictOptions, Predictor, find_images, predict
from ppdet.engine.tasks.deployed_form import FrameworkRuntime
from ppdet.engine.tasks.top_down import PosePredictor
from ppdet.engine.weights.checkpoint import save_pdparams
from ppdet.inference.estimators.top_down import TopDownEstimator


@pytest.fixture()
def config(tmp_path: Path) -> Path:
    path = write_config(tmp_path, write_people(tmp_path / "people"))
    paddle.seed(7)  # untrained keypoints lie anywhere: always at the same places
    model = Assembly(load_config(path)).model()
    weights = save_pdparams(model.state_dict(), tmp_path / "w.pdparams")
    path.write_text(path.read_text() + f"weights: {weights}\n")
    return path


def images_of(config: Path) -> list[Path]:
    return find_images(infer_dir=str(config.parent / "people" / "images"))


def test_evaluation_and_prediction_see_the_same_keypoints(config: Path) -> None:
    """One path through the reader, one through the deployed estimator: same image, same box, same keypoints."""
    assembly = Assembly(load_config(config))
    model = assembly.model()
    dataset = assembly.dataset("Eval")
    predictor = PosePredictor(model, assembly.codec, assembly.skeleton, flip_test=True)
    batch = next(iter(assembly.reader("Eval")))
    xy, scores = predictor(batch)
    form = assembly.task.deployed_form(assembly, model)
    estimator = TopDownEstimator(form.runtime(), form.card, flip_test=True)
    for row in range(len(xy)):
        sample = dataset.load(row, np.random.default_rng(0))
        half = sample.size_wh / 1.25 / 2
        box = np.concatenate([sample.center_xy - half, sample.center_xy + half])[None]
        other_xy, other_scores = estimator.estimate(np.asarray(sample.image), box)
        np.testing.assert_allclose(other_xy[0], xy[row], atol=1e-2)
        np.testing.assert_allclose(other_scores[0], scores[row], atol=1e-5)


def test_files(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    status = predict(load_config(config), images_of(config), PredictOptions(out, draw_threshold=-1, save_results=True))
    assert status == 0
    assert {p.name for p in out.iterdir()} == {"1.png", "2.png", "3.png", "keypoint.json"}
    entries = json.loads((out / "keypoint.json").read_text())
    assert [entry["image_id"] for entry in entries] == [1, 2, 3], "the whole image is one person's box"
    assert entries[0]["file_name"] == "1.png" and entries[0]["bbox"] == [0, 0, 160, 120]
    assert len(entries[0]["keypoints"]) == 9
    drawn = [
        (cv2.imread(str(out / name)) != cv2.imread(str(config.parent / "people" / "images" / name))).any()
        for name in ("1.png", "2.png", "3.png")
    ]
    assert any(drawn), "untrained joints may all lie outside one image, hardly outside all"


def test_a_bad_image_is_told_and_the_others_are_done(config: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no image")
    paths = [images_of(config)[0], bad, tmp_path / "absent.png", images_of(config)[1]]
    assert predict(load_config(config), paths, PredictOptions(tmp_path / "out", save_results=True)) == 1
    assert len(json.loads((tmp_path / "out" / "keypoint.json").read_text())) == 2


def test_nothing_is_drawn_when_not_asked(config: Path, tmp_path: Path) -> None:
    predict(load_config(config), images_of(config), PredictOptions(tmp_path / "out", visualize=False))
    assert list((tmp_path / "out").iterdir()) == []


def test_find_images(config: Path, tmp_path: Path) -> None:
    folder = config.parent / "people" / "images"
    assert [p.name for p in find_images(str(folder / "2.png"), str(folder))] == ["2.png"], "one image wins"
    listed = tmp_path / "list.txt"
    listed.write_text("3.png\n\n# not this\n1.png\n")
    assert [p.name for p in find_images(infer_dir=str(folder), infer_list=str(listed))] == ["3.png", "1.png"]
    for arguments in ({}, {"infer_img": "absent.png"}, {"infer_list": "absent.txt"}, {"infer_dir": "absent"}):
        with pytest.raises(MediaError):
            find_images(**arguments)
    listed.write_text("\n")
    with pytest.raises(MediaError, match="names no image"):
        find_images(infer_list=str(listed))


def test_mistakes_are_named(config: Path, tmp_path: Path) -> None:
    paths = images_of(config)
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match="cannot write"):
        predict(load_config(config), paths, PredictOptions(tmp_path / "file" / "out"))
    with pytest.raises(CheckpointError, match="absent"):
        predict(load_config(config, ["weights=absent"]), paths, PredictOptions(tmp_path / "out"))
    with pytest.raises(ConfigError, match="--det_config"):
        predict(load_config(config), paths, PredictOptions(tmp_path / "out"), det_weights="d.pdparams")
    finder = Assembly(load_config(write_picodet(tmp_path)))
    with pytest.raises(ConfigError, match="detector itself"):
        Predictor(finder, finder.model(), PredictOptions(tmp_path / "out"), detector=object())


def test_framework_runtime_checks_its_inputs() -> None:
    import paddle

    runtime = FrameworkRuntime(paddle.nn.ReLU(), ["image"])
    np.testing.assert_array_equal(runtime.run({"image": np.array([-1.0, 2.0], np.float32)})[0], [0, 2])
    with pytest.raises(Exception, match="image"):
        runtime.run({"picture": np.zeros(2, np.float32)})


@pytest.mark.slow
def test_people_are_found_and_posed_with_released_weights(tmp_path: Path) -> None:
    images = shared("data", "coco_person", "images")
    pose = write_tinypose(tmp_path)
    options = [f"weights={shared('data', 'weights', 'tinypose_128x96.pdparams')}"]
    status = predict(
        load_config(pose, options),
        [images / "000000001268.jpg"],
        PredictOptions(tmp_path / "out", save_results=True),
        write_picodet(tmp_path, size=320),
        shared("data", "weights", "picodet_s_320_lcnet_pedestrian.pdparams"),
    )
    entries = json.loads((tmp_path / "out" / "keypoint.json").read_text())
    assert status == 0 and len(entries) >= 3 and {entry["image_id"] for entry in entries} == {1268}


def test_a_bad_video_is_reported_before_anything_is_loaded(tmp_path):
    from ppdet.core.config.load import load_config
    from ppdet.core.errors import MediaError
    from ppdet.engine.prediction.predictor import PredictOptions, predict

    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    config = load_config("configs/keypoint/tiny_pose/tinypose_128x96.yml")
    with pytest.raises(MediaError, match="empty.mp4"):
        predict(config, [], PredictOptions(tmp_path / "out"), video_file=empty)
    assert not (tmp_path / "out").exists()

"""The pipeline on every kind of source, and what the public names load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.planted_models import PlantedDetector, PlantedRuntime, planted_person, pose_card, write_detector, write_pose_model
from support.web_server import serving

from ppdet.core.errors import ConfigError, DataError, MediaError, ModelDirError
from ppdet.image.io import write_image
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult

POINTS = np.array([[198.3, 150.7], [180.25, 190.5], [215.6, 201.9]])
BOX = [160, 120, 160 + 2 * 48 / 1.25, 120 + 2 * 64 / 1.25]


@pytest.fixture
def estimator() -> TopDownEstimator:
    return TopDownEstimator(PlantedRuntime(), pose_card())


@pytest.fixture
def pipeline(estimator: TopDownEstimator) -> PosePipeline:
    return PosePipeline(PlantedDetector([BOX]), estimator)


@pytest.fixture
def image() -> np.ndarray:
    return planted_person((400, 300), POINTS, 16.0)


def test_an_array(pipeline: PosePipeline, image: np.ndarray) -> None:
    result = pipeline(image)
    assert isinstance(result, PoseResult) and result.image_wh == (400, 300) and result.path is None
    np.testing.assert_allclose(result.keypoints[0], POINTS, atol=0.25)
    np.testing.assert_allclose(result.boxes[0], BOX, atol=1e-4)
    assert result.draw(image).shape == image.shape


def test_files_lists_and_folders(pipeline: PosePipeline, image: np.ndarray, tmp_path: Path) -> None:
    for name in ("b.png", "a.png"):
        write_image(tmp_path / name, image)
    assert pipeline(tmp_path / "a.png").path == str(tmp_path / "a.png")
    results = pipeline([image, str(tmp_path / "b.png")])
    assert [result.path for result in results] == [None, str(tmp_path / "b.png")]
    assert [Path(result.path).name for result in pipeline(tmp_path)] == ["a.png", "b.png"]
    for result in results:
        np.testing.assert_allclose(result.keypoints[0], POINTS, atol=0.25)


def test_nobody_is_nobody_and_no_ghost(pipeline: PosePipeline) -> None:
    """Some toolkits take the whole image as a box when the detector finds none."""
    result = pipeline(np.zeros((60, 80, 3), np.uint8))
    assert len(result) == 0 and result.keypoints.shape == (0, 3, 2) and result.to_dict()["people"] == []


def test_only_people_above_the_threshold_get_poses(estimator: TopDownEstimator, image: np.ndarray) -> None:
    assert len(PosePipeline(PlantedDetector([BOX, BOX], labels=[0, 16]), estimator)(image)) == 1
    assert len(PosePipeline(PlantedDetector([BOX], labels=[16]), estimator)(image)) == 0
    assert len(PosePipeline(PlantedDetector([BOX], score=0.4), estimator)(image)) == 0
    assert len(PosePipeline(PlantedDetector([BOX], score=0.4), estimator, det_threshold=0.4 - 1e-3)(image)) == 1


def test_without_detector_the_whole_image_is_the_person(estimator: TopDownEstimator) -> None:
    points = np.array([[100.0, 80.0], [60.0, 150.0], [140.0, 230.0]])
    result = PosePipeline(None, estimator)(planted_person((210, 280), points, 8 * 280 * 1.25 / 64))
    np.testing.assert_allclose(result.keypoints[0], points, atol=4.0)  # a cell is 22 pixels
    np.testing.assert_array_equal(result.boxes, [[0, 0, 210, 280]])


@pytest.mark.parametrize(("box", "warns"), [("given", True), ("extent", True), ("image", False), (None, False)])
def test_whole_images_where_the_model_knows_boxes(
    image: np.ndarray, caplog: pytest.LogCaptureFixture, box: str | None, warns: bool
) -> None:
    card = pose_card(extra={} if box is None else {"box": box})
    pipeline = PosePipeline(None, TopDownEstimator(PlantedRuntime(), card))
    pipeline([image, image])
    assert caplog.text.count(f"was trained on boxes around each person (box: {box} in its card)") == int(warns)
    caplog.clear()
    PosePipeline(PlantedDetector([BOX]), TopDownEstimator(PlantedRuntime(), card))(image)
    assert "was trained on boxes" not in caplog.text


def test_directories_are_loaded(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    detector, keypoint = write_detector(tmp_path / "det"), write_pose_model(tmp_path / "kpt")
    pipeline = PosePipeline(detector, str(keypoint), engine="onnxruntime")
    points = np.array([[100.0, 80.0], [60.0, 150.0], [140.0, 230.0]])
    result = pipeline(planted_person((210, 280), points, 8 * 280 * 1.25 / 64))
    np.testing.assert_allclose(result.keypoints[0], points, atol=4.0)
    np.testing.assert_allclose(result.boxes, [[0, 0, 210, 280]], atol=1e-3)
    with pytest.raises(ModelDirError, match="no detector"):
        PosePipeline(keypoint, keypoint, engine="onnxruntime")
    with pytest.raises(ModelDirError, match="no pose model"):
        PosePipeline(detector, detector, engine="onnxruntime")


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (np.zeros((5, 5), np.uint8), DataError, "grey"),
        (np.zeros((5, 5, 4), np.uint8), DataError, "RGB uint8"),
        (np.zeros((5, 5, 3)), DataError, "float64"),
        (np.zeros((0, 5, 3), np.uint8), DataError, "given shape"),
        ("nothing.jpg", MediaError, "nothing.jpg"),
        ("nothing.mp4", MediaError, "there is no video nothing.mp4"),
        ("nope", MediaError, "there is no file nope"),
        (None, MediaError, "did reading it fail"),
        ("", MediaError, "the source is an empty string"),
        (b"\xff\xd8", MediaError, "given as bytes"),
        (b"", MediaError, "given as bytes is empty"),
        (True, DataError, "of type bool"),
        (2.5, DataError, "of type float"),
        ([[1, 2]], DataError, "item 0 of the list is a list"),
        ([np.zeros((5, 5, 3), np.uint8), None], MediaError, "item 1 of the list is no image"),
        (np.zeros((5, 5, 3), np.float32), DataError, "astype"),
    ],
)
def test_what_is_no_image_is_refused(pipeline: PosePipeline, source: object, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        pipeline(source)


@pytest.mark.parametrize("name", ["det_threshold", "person_threshold"])
def test_a_threshold_is_a_score(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is 4: scores lie between 0 and 1"):
        PosePipeline(**{name: 4})


def test_text_is_no_video(pipeline: PosePipeline, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("FFmpeg shows these letters as a film\n" * 50)
    with pytest.raises(MediaError, match="notes.txt is text, neither an image .* nor a video"):
        pipeline(tmp_path / "notes.txt")


def test_pil_images_are_images(pipeline: PosePipeline, image: np.ndarray) -> None:
    pil = pytest.importorskip("PIL.Image")
    for result in (pipeline(pil.fromarray(image)), *pipeline([pil.fromarray(image).convert("RGBA")])):
        np.testing.assert_allclose(result.keypoints[0], POINTS, atol=0.25)


def test_bytes_iterators_and_urls(pipeline: PosePipeline, image: np.ndarray, tmp_path: Path) -> None:
    encoded = write_image(tmp_path / "a.png", image).read_bytes()
    np.testing.assert_allclose(pipeline(encoded).keypoints[0], POINTS, atol=0.25)
    assert pipeline(encoded).draw().shape == image.shape
    frames = pipeline(each for each in (image, encoded, tmp_path / "a.png"))
    assert not isinstance(frames, list) and [len(result) for result in frames] == [1, 1, 1]
    with pytest.raises(DataError, match="item 0 of the iterator is a list"):
        next(pipeline(iter([[image]])))
    page = (200, {"Content-Type": "text/html"}, b"<html>no image</html>")
    with serving({"/a.png": (200, {"Content-Type": "image/png"}, encoded), "/b.jpg": page}) as (host, _):
        with pytest.raises(MediaError, match=f"http://{host}/b.jpg is a HTML"):
            pipeline(f"http://{host}/b.jpg")
        result = pipeline(f"http://user:S3cret@{host}/a.png?key=S3cret")
        assert result.path == f"http://{host}/a.png?..." and result.draw().shape == image.shape
        assert len(pipeline([f"http://{host}/a.png"])[0]) == 1
    with pytest.raises(MediaError, match="127.0.0.1.* refused") as caught:
        pipeline(f"rtsp://user:S3cret@{host}/live")
    assert "S3cret" not in str(caught.value)
    with pytest.raises(MediaError, match="camera 97 does not open"):
        pipeline("97")


def test_identities_of_ones_own_loop(pipeline: PosePipeline, image: np.ndarray) -> None:
    assert [pipeline.track(image)[0].id for _ in range(3)] == [1, 1, 1]
    assert pipeline.track(np.zeros_like(image), stream="door").track_ids.tolist() == []
    assert pipeline.track(image, stream="door", filter_type="EMA")[0].id == 1
    for _ in range(62):
        pipeline.track(np.zeros_like(image))
    assert pipeline.track(image)[0].id == 2  # nobody for longer than people are remembered
    pipeline.forget()
    assert pipeline.track(image)[0].id == 1
    assert pipeline(image)[0].id is None


def test_a_broken_file_does_not_stop_a_folder(
    pipeline: PosePipeline, image: np.ndarray, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff rubbish")
    with pytest.raises(MediaError, match="none of the 1 images"):
        list(pipeline(tmp_path))
    write_image(tmp_path / "b.png", image)
    assert [Path(result.path).name for result in pipeline(tmp_path)] == ["b.png"]
    assert "a.jpg" in caplog.text and "1 of 2 images" in caplog.text


def test_results_draw_themselves(pipeline: PosePipeline, image: np.ndarray, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_image(tmp_path / name, image)
    expected = pipeline(image).draw(image)
    assert (expected != image).any()
    listed = pipeline([image, tmp_path / "a.png"])
    for result in (pipeline(image), pipeline(tmp_path / "a.png"), *listed, *pipeline(tmp_path)):
        np.testing.assert_array_equal(result.draw(), expected)
    assert pipeline(image).image is image and listed[1].image is None  # files of a list are read again: they may be many
    with pytest.raises(DataError, match="400 x 300 pixels"):
        pipeline(image).draw(image[::2, ::2])
    frame = pipeline.estimate(image, frame_id=3)
    assert frame.image is None and (frame.draw(image) == expected).all()
    with pytest.raises(DataError, match="frame 3 is not kept.*result.draw"):
        frame.draw()


def test_inference_needs_neither_paddle_nor_training_code() -> None:
    code = (
        "import sys\n"
        "sys.modules['paddle'] = None\n"
        "import ppdet\n"
        "from ppdet.inference import *\n"
        "assert ppdet.PosePipeline is PosePipeline and BoxDetector and load_runtime and ModelCard\n"
        "above = ('ppdet.data', 'ppdet.modeling', 'ppdet.metrics', 'ppdet.optimizer', 'ppdet.engine')\n"
        "print([name for name in sys.modules if name.startswith(above)])\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr

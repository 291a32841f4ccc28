"""`ppdet`: its sub-commands, their help, completion, and what it says without Paddle."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.planted_models import planted_person, write_detector, write_pose_model

from ppdet.commands.console.completion import SHELLS
from ppdet.commands.console.completion import main as completion
from ppdet.commands.console.main import COMMANDS, main
from ppdet.image.io import write_image

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("paddle", "cv2", "numpy", "onnxruntime", "openvino", "MNN", "pycocotools", "scipy")
POINTS = np.array([[100.0, 80.0], [60.0, 150.0], [140.0, 230.0]])


def python(code: str, *words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    """Run code with the words as arguments; the toolkit is found wherever the process runs."""
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[1:] = {list(words)!r}; "
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


def without(*packages: str) -> str:
    """Code that makes packages look as if they were not installed, and runs `ppdet`."""
    return (
        f"sys.modules.update(dict.fromkeys({packages!r}))\n"
        "from ppdet.commands.console.main import main\n"
        "raise SystemExit(main())"
    )  # fmt: skip


def test_help_of_every_command_imports_nothing_heavy() -> None:
    code = (
        "from ppdet.commands.console.main import COMMANDS, main\n"
        "for name in COMMANDS:\n"
        "    try:\n"
        "        main([name, '--help'])\n"
        "    except SystemExit as stop:\n"
        "        assert not stop.code, (name, stop.code)\n"
        f"print('HEAVY', sorted(m for m in {HEAVY!r} if m in sys.modules))\n"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("usage: ppdet ") == len(COMMANDS)
    assert done.stdout.strip().endswith("HEAVY []"), done.stdout[-300:]


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    assert "no command 'trian': did you mean train?" in capsys.readouterr().err
    assert main(["quux"]) == 2 and "no command 'quux'; `ppdet --help` lists all" in capsys.readouterr().err
    assert main(["init"]) == 2 and "did you mean dataset init?" in capsys.readouterr().err
    assert main([]) == 2 and main(["--version"]) == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pose", "a.jpg", "--modle", "x"], "--modle x; did you mean '--model'?"),
        (["dataset", "check", "a.json", "--imges=b"], "--imges=b; did you mean '--images'?"),
        (["doctor", "--xyz"], "unrecognized arguments: --xyz"),
    ],
)
def test_an_unknown_flag_names_the_nearest(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    error, advice = capsys.readouterr().err.splitlines()
    assert error.endswith(expected) and advice.endswith(" --help lists the arguments")


def test_a_word_after_smooth_is_a_filter_unless_it_is_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["pose", "a.jpg", "--smooth", "Kalman"])
    assert "'Kalman' is not a filter: give one of OneEuro, EMA, savgol, butterworth" in capsys.readouterr().err
    assert main(["pose", "--smooth", str(tmp_path / "none.mp4")]) == 2
    assert "none.mp4" in capsys.readouterr().err


def test_underscores_are_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["check_config", "--help"])
    assert stop.value.code == 0 and "usage: ppdet check-config" in capsys.readouterr().out


def test_python_m_ppdet(tmp_path: Path) -> None:
    done = python("import runpy; runpy.run_module('ppdet', run_name='__main__')", "--help", cwd=tmp_path)
    assert done.returncode == 0 and all(f"\n  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_knows_commands_flags_and_choices(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert completion([shell]) == 0
    text = capsys.readouterr().out
    for word in ("check-config", "from-labelme", "det_threshold", "OneEuro EMA"):
        assert word in text


def test_bash_completes(tmp_path: Path) -> None:
    assert completion(["bash"]) == 0
    code = "from ppdet.commands.console.main import main; main(['completion', 'bash'])"
    (tmp_path / "ppdet.sh").write_text(python(code).stdout)
    ask = 'source ppdet.sh; COMP_WORDS=(%s); COMP_CWORD=%d; _ppdet; echo "${COMPREPLY[@]}"'
    for words, place, answer in (("ppdet con", 1, "convert-weights"), ("ppdet pose --eng", 2, "--engine"),
                                 ("ppdet zoo l", 2, "list"), ("ppdet pose --filter_type O", 3, "OneEuro")):  # fmt: skip
        done = subprocess.run(["bash", "-c", ask % (words, place)], capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.stdout.strip() == answer, (words, done.stderr)


CONFIG = "configs/keypoint/tiny_pose/tinypose_128x96.yml"


@pytest.mark.parametrize(
    "words",
    [
        ["train", "-c", CONFIG], ["eval", "-c", CONFIG], ["eval", "-c", CONFIG, "--model_dir", "x"],
        ["infer", "-c", CONFIG, "--infer_img", "x.jpg"], ["export", "-c", CONFIG], ["check-config", "-c", CONFIG],
        ["model-info", "-c", CONFIG],
    ],
    ids=" ".join,
)  # fmt: skip
def test_without_paddle_one_line_says_so(words: list[str]) -> None:
    done = python(without("paddle"), *words)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: this command needs PaddlePaddle") and done.stderr.count("\n") == 1


def test_doctor_without_paddle_and_engines() -> None:
    blocked = ("paddle", "onnxruntime", "openvino", "MNN")
    hide = (
        "import importlib.util as u; found = u.find_spec; "
        f"u.find_spec = lambda name, *a: None if name in {blocked!r} else found(name, *a)\n"
    )
    done = python(hide + without(*blocked), "doctor", "--cameras=no")
    assert done.returncode == 1 and not done.stderr, done.stderr
    assert "no engine is installed" in done.stdout and "pip install onnxruntime" in done.stdout
    assert python(without("paddle"), "doctor", "--cameras=no").returncode == 0


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models and an image of one person."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("scene")
    write_detector(folder / "det")
    write_pose_model(folder / "kpt")
    (folder / "images").mkdir()
    write_image(folder / "images" / "a.png", planted_person((210, 280), POINTS, 8 * 280 * 1.25 / 64))
    return folder


RUN = "from ppdet.commands.console.main import main; raise SystemExit(main())"


def test_pose_writes_json_to_stdout_and_nothing_else(scene: Path, tmp_path: Path) -> None:
    models = ["--model", str(scene / "kpt"), "--det", str(scene / "det")]
    done = python(without("paddle"), "pose", str(scene / "images"), *models, "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (image,) = json.loads(done.stdout)
    found = np.array([xy[:2] for xy in image["people"][0]["keypoints"].values()])
    np.testing.assert_allclose(found, POINTS, atol=4.0)
    assert "1 image, 1 person" in done.stderr and not list(tmp_path.iterdir())


def test_pose_draws_and_records(scene: Path, tmp_path: Path) -> None:
    models = ["--model", str(scene / "kpt"), "--det", str(scene / "det"), "--engine", "onnxruntime"]
    done = python(RUN, "pose", str(scene / "images" / "a.png"), *models, cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "output" / "pose" / "a_vis.jpg").is_file(), done.stderr
    done = python(RUN, "pose", str(scene / "images"), *models, "--json", "p.json", "--output_dir", "o", cwd=tmp_path)
    assert done.returncode == 0 and len(json.loads((tmp_path / "p.json").read_text())) == 1
    assert (tmp_path / "o" / "a_vis.jpg").is_file()


def test_a_text_file_named_as_an_image(scene: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no pixels")
    done = python(RUN, "pose", "text.jpg", "--model", str(scene / "kpt"), "--det", str(scene / "det"), cwd=tmp_path)
    assert done.returncode == 1 and "text.jpg is not an image" in done.stderr and "Traceback" not in done.stderr
    assert "0 images, 0 people" in done.stderr and "wrote nothing" in done.stderr


def test_a_switch_does_not_swallow_the_source(scene: Path, tmp_path: Path) -> None:
    models = ["--model", str(scene / "kpt"), "--det", str(scene / "det")]
    done = python(RUN, "pose", *models, "--json=-", "--smooth", str(scene / "images"), "--flip_test=no", cwd=tmp_path)
    assert done.returncode == 0 and len(json.loads(done.stdout)) == 1, done.stderr


def test_detect(scene: Path, tmp_path: Path) -> None:
    done = python(RUN, "detect", str(scene / "images"), "--det", str(scene / "det"), "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        {"image_id": 1, "file_name": "a.png", "category_id": 1, "bbox": [0.0, 0.0, 210.0, 280.0], "score": 0.9}
    ]
    done = python(RUN, "detect", str(scene / "images"), "--det", str(scene / "kpt"), cwd=tmp_path)
    assert done.returncode == 2 and "is a pose model" in done.stderr


@pytest.fixture(scope="module")
def clip(scene: Path) -> Path:
    path = scene / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (210, 280))
    for _ in range(6):
        writer.write(cv2.imread(str(scene / "images" / "a.png")))
    writer.release()
    return path


@pytest.fixture(scope="module")
def web(scene: Path) -> Iterator[str]:
    """The address of a server of the scene's images."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(scene / "images"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_several_kinds_of_sources_at_once(scene: Path, clip: Path, web: str, tmp_path: Path) -> None:
    sources = [str(scene / "images"), str(clip), f"{web}/a.png?size=1"]
    models = ["--model", str(scene / "kpt"), "--det", str(scene / "det")]
    done = python(RUN, "pose", *sources, *models, "--max_frames", "2", "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)
    assert [(entry.get("video"), entry.get("frame")) for entry in records] == [
        (None, None), (None, None), ("clip.mp4", 1), ("clip.mp4", 2)
    ]  # fmt: skip
    assert all(len(entry["people"]) == 1 for entry in records)
    done = python(RUN, "detect", *sources, *models[2:], "--max_frames", "2", "--json", "-", "--output_dir", "o", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [(entry["file_name"], entry["image_id"]) for entry in json.loads(done.stdout)] == [
        ("a.png", 1), ("a.png", 2), ("clip.mp4", 1), ("clip.mp4", 2)
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["a.png", "a_2.png", "clip.mp4"]


@pytest.mark.parametrize("source", ["nowhere", "nowhere.jpg", "nowhere.mp4"])
def test_a_source_that_is_not_there(source: str, tmp_path: Path) -> None:
    done = python(RUN, "pose", source, cwd=tmp_path)
    assert done.returncode == 2 and "there is no " in done.stderr and source in done.stderr and "Traceback" not in done.stderr

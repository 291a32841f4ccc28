"""Tests what this machine can run: the report of `ppdet doctor`."""

from __future__ import annotations

import logging
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

import ppdet
from ppdet.core.errors import PpdetError
from ppdet.core.extras import install_extra
from ppdet.core.shipped import bundled_models_folder, cache_root, configs_folder
from ppdet.inference.files.model_names import bundled_models

PACKAGES = {
    "numpy": "", "opencv-python-headless": "", "pyyaml": "", "tqdm": "",
    "paddlepaddle": f"training, evaluation, export: {install_extra('train')}",
    "pycocotools": "evaluation: pip install pycocotools",
    "paddle2onnx": "export to ONNX: pip install paddle2onnx==2.1.0 'onnx<=1.17'",
    "visualdl": "curves in a browser (--use_vdl): pip install visualdl",
    "pydicom": f"radiographs in DICOM: {install_extra('medical')}",
    "shapely": "zones (--zone): pip install shapely",
    "fastapi": f"the service: {install_extra('serve')}",
}  # fmt: skip
"""Package -> purpose and how to install it; empty for packages that are always needed."""

ALTERNATIVES = {"opencv-python-headless": ("opencv-python", "opencv-contrib-python"), "paddlepaddle": ("paddlepaddle-gpu",)}
CODECS = (("mp4v", ".mp4"), ("avc1", ".mp4"), ("MJPG", ".avi"), ("VP80", ".webm"))
CODEC_SIDE = 64
MOST_CAMERAS = 4
SECONDS_FOR_GPUS = 10
PYTHONS = ((3, 9), (3, 13))


def report(cameras: bool = True) -> int:
    """Print the report.

    Args:
        cameras: also open the cameras.

    Returns:
        0 if at least one engine is installed, else 1.
    """
    sections = [
        ("toolkit", _toolkit()), ("packages", _packages()), ("engines", _engines()), ("video", _codecs()),
        ("cameras", _cameras() if cameras else iter(["not checked"])), ("GPUs", _gpus()), ("models", _models()),
    ]  # fmt: skip
    for title, lines in sections:
        print(title)
        for line in lines:
            print(f"  {line}", flush=True)
    return 0 if _installed_engines() else 1


def _toolkit() -> Iterator[str]:
    low, high = PYTHONS
    fits = low <= sys.version_info[:2] < high
    advice = "" if fits else f" (PaddlePaddle has packages for {low[0]}.{low[1]} to {high[0]}.{high[1] - 1})"
    yield f"ppdet {ppdet.__version__} in {Path(ppdet.__file__).parent}"
    yield f"Python {platform.python_version()}{advice}, {platform.system()} {platform.machine()}, {_cores()} processor cores"
    try:
        yield f"configurations in {configs_folder()}"
    except PpdetError as error:
        yield str(error)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _packages() -> Iterator[str]:
    for name, purpose in PACKAGES.items():
        found = _version(name)
        for other in ALTERNATIVES.get(name, ()):
            if found is None and (version := _version(other)) is not None:
                name, found = other, version
        if found is not None:
            yield f"{name} {found}"
        else:
            yield f"{name}: missing" + (f"; for {purpose}" if purpose else f": pip install {name}")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _installed_engines() -> list[str]:
    from ppdet.inference.runtimes.registry import available_runtimes

    return [each.engine for each in available_runtimes() if each.is_installed()]


def _engines() -> Iterator[str]:
    """Each engine and its precision: as measured with a bundled model if there is one, otherwise as requested."""
    from ppdet.inference.runtimes.registry import available_runtimes

    models = list(bundled_models().values())
    for each in available_runtimes():
        if not each.is_installed():
            yield f"{each.title}: not installed: {each.install}"
            continue
        computes = f"computes in {each.precisions[0]}"
        if models:
            computes = _tried(models[0], each.engine)
        further = f"; --precision {' or '.join(each.precisions[1:])} on request" if len(each.precisions) > 1 else ""
        yield f"{each.title} {each.version()}: {computes}{further}; --device {', '.join(each.devices)}"
    if not _installed_engines():
        yield "no engine is installed, so no model can be run: pip install onnxruntime"


def _tried(model: Path, engine: str) -> str:
    from ppdet.inference.runtimes.registry import load_runtime

    log = logging.getLogger("ppdet")
    level = log.level
    log.setLevel(logging.WARNING)  # the line about the model would stand in the middle of the report
    try:
        return f"computes in {load_runtime(model, engine=engine).precision} ({model.name} loads)"
    except PpdetError as error:
        return f"does not load {model.name}: {error}"
    finally:
        log.setLevel(level)


def _codecs() -> Iterator[str]:
    """Codecs whose videos can be written and read back."""
    try:
        import cv2
        import numpy as np
    except ImportError as error:
        yield f"OpenCV does not import ({error}): pip install opencv-python-headless"
        return
    logs = getattr(cv2, "setLogLevel", None)
    if logs is not None:
        logs(0)
    frame = np.zeros((CODEC_SIDE, CODEC_SIDE, 3), np.uint8)
    good = []
    with tempfile.TemporaryDirectory() as folder, _quiet_stderr():
        for codec, suffix in CODECS:
            path = str(Path(folder) / f"{codec}{suffix}")
            writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*codec), 25.0, (CODEC_SIDE, CODEC_SIDE))
            for _ in range(5):
                writer.write(frame)
            writer.release()
            if cv2.VideoCapture(path).read()[0]:
                good.append(f"{codec} ({suffix})")
    advice = "no video can be written: pip install --force-reinstall opencv-python-headless"
    yield f"writes and reads {', '.join(good)}" if good else advice
    backends = re.search(r"FFMPEG:\s+(\w+)", cv2.getBuildInformation())
    yield f"FFmpeg {'yes' if backends and backends[1] == 'YES' else 'no: streams and most videos cannot be read'}"


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Suppress FFmpeg's messages on missing codecs."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _cameras() -> Iterator[str]:
    try:
        import cv2
    except ImportError:
        yield "not checked: OpenCV is missing"
        return
    numbers = list(range(MOST_CAMERAS))
    if sys.platform.startswith("linux"):
        found = (re.fullmatch(r"video(\d+)", path.name) for path in Path("/dev").glob("video*"))
        numbers = sorted(int(match[1]) for match in found if match)
    any_found = False
    for number in numbers:
        with _quiet_stderr():
            camera = cv2.VideoCapture(number)
            works, frame = camera.read() if camera.isOpened() else (False, None)
            camera.release()
        if works and frame is not None:
            any_found = True
            yield f"camera {number}: {frame.shape[1]} x {frame.shape[0]}"
        elif sys.platform.startswith("linux"):
            yield f"camera {number}: delivers no image: is it in use, or is your user not in the group video?"
    if not any_found:
        yield "none found; images, videos and streams need none"


def _gpus() -> Iterator[str]:
    program = shutil.which("nvidia-smi")
    names: list[str] = []
    if program is not None:
        with suppress(OSError, subprocess.SubprocessError):
            query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
            done = subprocess.run(query, capture_output=True, text=True, timeout=SECONDS_FOR_GPUS, check=True)
            names = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if not names:
        yield "no NVIDIA GPU found; everything runs on the CPU"
        return
    yield from names
    if _version("paddlepaddle-gpu") is None:
        yield "Paddle for GPUs is missing: pip install paddlepaddle-gpu from Paddle's own index (docs/versions.md)"
    if _version("onnxruntime-gpu") is None:
        yield "ONNX Runtime for GPUs is missing: pip install onnxruntime-gpu"


def _models() -> Iterator[str]:
    bundled = bundled_models()
    yield f"bundled: {', '.join(bundled)}" if bundled else f"bundled: none in {bundled_models_folder()}"
    files = [path for path in sorted(cache_root().rglob("*")) if path.is_file()] if cache_root().is_dir() else []
    size = sum(path.stat().st_size for path in files) / 1e6
    yield f"downloaded: {len(files)} files, {size:.0f} MB, in {cache_root()}"
    yield from (f"  {path.name}" for path in files if path.suffix == ".pdparams")
    yield "`ppdet zoo list` names what can be downloaded"

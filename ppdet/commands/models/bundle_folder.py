"""Copies models and the part of the package that runs them into a self-contained folder or zip."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import ppdet
from ppdet.core.errors import ModelDirError, PpdetError
from ppdet.core.logger import get_logger
from ppdet.inference.files.model_names import DETECTOR, POSE, default_model, find_model
from ppdet.inference.model_card import find_card
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.runtimes.model_files import find_model_files
from ppdet.inference.runtimes.registry import available_runtimes

logger = get_logger(__name__)

#: everything below the Paddle line, and the commands that stand on it
PACKAGES = ("core", "skeletons", "geometry", "image", "annotations", "codecs", "visualize", "inference")
COMMANDS = ("__init__.py", "running", "flags", "deployed")
LEFT_OUT = ("inference/runtimes/paddle.py", "visualize/rendered_people",
            *(f"commands/running/{name}.py" for name in ("batch", "batch_job", "doctor", "machine", "serve")))  # fmt: skip
REQUIREMENTS = ("numpy>=1.23", 'opencv-python>=4.7; sys_platform != "linux"',
                'opencv-python-headless>=4.7; sys_platform == "linux"', "pyyaml>=6.0")  # fmt: skip
RUN = '''"""Finds people and their poses with the models of this folder: python run.py photo.jpg --output_dir out

All flags: python run.py --help
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
DEFAULTS = {defaults!r}


def main() -> int:
    os.environ.setdefault("PPDET_ENGINE_RACE", "off")
    from ppdet.commands.running.pose import main as pose

    words = sys.argv[1:]
    given = {{word.split("=")[0] for word in words}}
    for flag, value in DEFAULTS.items():
        if flag not in given:
            words += [flag, str(HERE / value) if value.startswith("models/") else value]
    return pose(words, prog="run.py")


if __name__ == "__main__":
    sys.exit(main())
'''


def make_bundle(output: str, model: str | None, det: str | None, engine: str, precision: str = "fp32") -> Path:
    """Write the bundle completely or not at all.

    Args:
        output: a folder that does not exist yet, or a path that ends in .zip.
        model, det: names or exported folders; None for the models that come with the package, "none" for no detector.
        engine: the only engine that the bundle needs.
        precision: of the network files.

    Returns:
        The folder or zip.

    Raises:
        ModelDirError: a model is unknown, or has no file for the engine.
        PpdetError: the output exists already, or cannot be written.
    """
    target = Path(output)
    if target.exists():
        raise PpdetError(f"--output {target} exists already: remove it, or give another name")
    runtime = next(each for each in available_runtimes() if each.engine == engine)
    models = [(POSE, "--model", default_model(POSE) if model is None else find_model(model, POSE))]
    if det is None or det.lower() != "none":
        models.append((DETECTOR, "--det", default_model(DETECTOR) if det is None else find_model(det, DETECTOR)))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        folder = temporary / target.stem
        folder.mkdir(parents=True)
        defaults = {"--engine": engine, "--det": "none"}
        for role, flag, path in models:
            defaults[flag] = f"models/{role}"
            _copy_model(Path(path), folder / "models" / role, runtime, precision)
        _copy_package(folder)
        (folder / "run.py").write_text(RUN.format(defaults=defaults), encoding="utf-8")
        engine_package = runtime.distribution or runtime.package
        (folder / "requirements.txt").write_text("\n".join([*REQUIREMENTS, engine_package, ""]), encoding="utf-8")
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        _publish(folder, target, temporary)
    except OSError as error:
        raise PpdetError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    packed = f", {target.stat().st_size / 1e6:.1f} MB packed" if target.is_file() else ""
    logger.info("%s written: %.1f MB%s, runs with %s (requirements.txt); start run.py", target, size / 1e6, packed, runtime.title)
    return target


def _copy_model(source: Path, target: Path, runtime: type[Runtime], precision: str) -> None:
    """Copy the card and the files that the engine reads."""
    files = find_model_files(source, precision)
    form = next((form for form in runtime.reads if getattr(files, form) is not None), None)
    if form is None:
        raise ModelDirError(f"{source} has no file that {runtime.title} reads ({', '.join(runtime.reads)}): export it with "
                            f"the target {runtime.engine} as well (--targets), or give another --engine")
    target.mkdir(parents=True)
    graph = getattr(files, form)
    beside = {"ir": [graph.with_suffix(".bin")], "pir": [files.params], "legacy": [files.params]}.get(form, [])
    for path in [find_card(source), graph, *(each for each in beside if each is not None)]:
        shutil.copyfile(path, target / path.name)


def _copy_package(folder: Path) -> None:
    """Copy the packages below the Paddle line and the commands that use nothing else."""
    source, target = Path(ppdet.__file__).parent, folder / "ppdet"
    target.mkdir()
    wanted = [source / "__init__.py", *(source / name for name in PACKAGES), *(source / "commands" / name for name in COMMANDS)]
    for path in wanted:
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            name = file.relative_to(source).as_posix()
            if not name.startswith(LEFT_OUT):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target / name)


def _publish(folder: Path, target: Path, temporary: Path) -> None:
    if target.suffix.lower() != ".zip":
        os.replace(folder, target)
        return
    packed = temporary / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder.parent).as_posix())
    os.replace(packed, target)

"""Names of models: those that come with the package first, then the model zoo, then paths.

`ppdet/model_zoo/bundled/` holds a folder per bundled model. `ppdet/model_zoo/bundled.yml` may name the defaults and short names:

    defaults: {pose: tinypose_128x96, detector: picodet_s_192_person}
    aliases: {tinypose: tinypose_128x96}
"""
from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Union

import yaml

from ppdet.core.errors import EngineError, ModelDirError
from ppdet.core.shipped import PACKAGE, bundled_models_folder
from ppdet.inference.estimators.registry import finds_poses
from ppdet.inference.model_card import CARD_NAMES
from ppdet.inference.onnx_models.loading import load_card

ZOO_FILE = PACKAGE / "model_zoo" / "zoo.yml"
TABLE_NAME = "bundled.yml"
ONNX_SUFFIX = ".onnx"
EXPORT_FOLDER = Path("output_inference")  # where `ppdet export` writes unless told otherwise
POSE, DETECTOR = "pose", "detector"


def bundled_models() -> dict[str, Path]:
    """The folders of the models that come with the package, by name; empty if there are none."""
    folder = bundled_models_folder()
    return {path.name: path for path in sorted(folder.glob("*")) if any((path / name).is_file() for name in CARD_NAMES)}


def default_model(role: str) -> Path:
    """The bundled model for a role.

    Args:
        role: "pose" or "detector".

    Raises:
        ModelDirError: this copy of the package has none.
    """
    named = _table("defaults").get(role)
    fitting = [path for name, path in bundled_models().items() if named in (None, name) and _role(path) == role]
    if not fitting:
        raise ModelDirError(f"this copy of ppdet has no bundled {role} model in {bundled_models_folder()}: give the folder of an "
                            "exported model, or install the package again")
    return fitting[0]


def find_model(model: Union[str, Path], role: str) -> Path:
    """The folder of a model.

    Args:
        model: name of a bundled model, or its beginning up to an underscore ("tinypose" for tinypose_128x96); name of a zoo model
            that was exported into output_inference; or path of an exported model.
        role: "pose" or "detector"; tells apart bundled models whose names begin alike.

    Raises:
        ModelDirError: it is none of these; the message lists the names.
    """
    name, path = str(model), Path(model)
    if path.name != name:
        return path
    bundled = bundled_models()
    name = _table("aliases").get(name, name)
    if name in bundled:
        return bundled[name]
    fitting = [each for each in bundled if each.startswith(f"{name}_") and _role(bundled[each]) == role]
    if len(fitting) == 1:
        return bundled[fitting[0]]
    if fitting:
        raise ModelDirError(f"{name!r} may be {' or '.join(fitting)}: give the name in full")
    if path.exists():
        return path
    zoo = _zoo_models()
    if name in zoo:
        return _exported(name)
    if path.suffix.lower() == ONNX_SUFFIX:
        raise ModelDirError(f"there is no file {name}: check the path of the ONNX file")
    others = [each for each in bundled if each.startswith(f"{name}_")]
    if others:
        what, where = ("detector", "detector (--det)") if role == POSE else ("pose model", "pose model (--model)")
        raise ModelDirError(f"{name!r} stands for {' or '.join(others)}, a {what}: give it as the {where}, and here a "
                            f"{'pose model' if role == POSE else 'detector'}")
    near = get_close_matches(name, dict.fromkeys([*bundled, *zoo]), 3)
    raise ModelDirError(
        f"there is no model {name!r}" + (f" (did you mean {' or '.join(near)}?)" if near else "") + ". Bundled models: "
        + (", ".join(bundled) or "none in this copy") + "; or give the folder of an exported model, or an ONNX file. `ppdet zoo "
        "list` names the models whose weights can be downloaded and exported")


def add_advice(error: ModelDirError, folder: Path) -> ModelDirError:
    """The error of a model that does not load, with what to do if it is a bundled one and its files may be the reason."""
    if not isinstance(error, EngineError) and bundled_models_folder() in folder.parents:
        error.in_context(f"{folder.name} came with the package. If its file is damaged, install ppdet-keypoint again (in a "
                         f"clone: git checkout -- {folder})")
    return error


def _exported(name: str) -> Path:
    folder = EXPORT_FOLDER / name
    if any((folder / card).is_file() for card in CARD_NAMES):
        return folder
    raise ModelDirError(f"{name} is a model of the zoo, whose weights are not part of the package. Download and export it first, "
                        f"which needs Paddle: ppdet zoo download {name}; ppdet export -c {name} --onnx -o weights=FILE. The "
                        f"name then stands for {folder}")


def _zoo_models() -> list[str]:
    """The names of all models in the zoo, which are those of their configs."""
    return [name for group in _yaml(ZOO_FILE).get("groups") or [] for name in group.get("models") or {}]


def _table(part: str) -> dict[str, str]:
    return _yaml(bundled_models_folder().parent / TABLE_NAME).get(part) or {}


def _yaml(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.is_file() else {}


def _role(folder: Path) -> str:
    return POSE if finds_poses(load_card(folder)) else DETECTOR

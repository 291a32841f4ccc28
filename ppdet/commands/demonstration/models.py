"""Finds the detector and the pose model of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Optional
from urllib.parse import urlsplit

from ppdet.core.errors import ModelDirError
from ppdet.inference.estimators.registry import finds_poses
from ppdet.inference.files.model_names import DETECTOR, POSE, default_model
from ppdet.inference.model_card import CARD_NAMES, ModelCard

#: configs, below configs/, whose .pdparams files --weights may hold instead of exported models
DETECTOR_CONFIG = "picodet/application/pedestrian_detection/picodet_s_320_lcnet_pedestrian.yml"
POSE_CONFIG = "keypoint/tiny_pose/tinypose_256x192.yml"
WEIGHT_FILES = tuple(f"{Path(config).stem}.pdparams" for config in (DETECTOR_CONFIG, POSE_CONFIG))


@dataclass(frozen=True)
class DemoModels:
    """Folders of the two exported models."""

    detector: Path
    pose: Path


def find_models(weights: Optional[str], export_dir: Path) -> DemoModels:
    """The models to run.

    Args:
        weights: a folder of exported models, a folder or URL of .pdparams files, or None for the bundled models.
        export_dir: where .pdparams files are exported to.

    Raises:
        PpdetError: the folder is missing or holds neither; .pdparams files were given and Paddle is not installed.
    """
    if weights is None:
        try:
            return DemoModels(default_model(DETECTOR), default_model(POSE))
        except ModelDirError as error:
            raise error.in_context("--weights FOLDER (make demo WEIGHTS=FOLDER) runs the exported models of a folder") from None
    if urlsplit(weights).scheme not in ("http", "https"):
        folder = Path(weights)
        if not folder.is_dir():
            raise ModelDirError(f"there is no folder {weights}: --weights (WEIGHTS=) expects a folder of exported models, or one "
                                f"that holds {' and '.join(WEIGHT_FILES)}; leave it out to run the bundled models")
        if _exported_folders(folder):
            return exported_models(folder)
        missing = [name for name in WEIGHT_FILES if not (folder / name).is_file()]
        if missing:
            raise ModelDirError(f"{folder} holds no exported models (folders with {CARD_NAMES[0]}), and no "
                                f"{' or '.join(missing)}: give a folder with either, or leave --weights (WEIGHTS=) out to run "
                                "the bundled models")
    if find_spec("paddle") is None:
        raise ModelDirError(f"{weights} holds weights (.pdparams), and exporting them needs Paddle, which is not installed here: "
                            "run `make env` first, or leave --weights (WEIGHTS=) out to run the bundled models")
    from ppdet.commands.demonstration.export import export_weights

    return DemoModels(*export_weights(weights, (DETECTOR_CONFIG, POSE_CONFIG), export_dir))


def exported_models(folder: Path) -> DemoModels:
    """The detector and the top-down pose model below a folder.

    Raises:
        ModelDirError: one of them is missing, or there are several.
    """
    cards = [ModelCard.load(each) for each in _exported_folders(folder)]
    found = {
        "detector": [card.model_dir for card in cards if not finds_poses(card)],
        "top-down pose model": [card.model_dir for card in cards if finds_poses(card, in_boxes=True)],
    }
    for kind, places in found.items():
        if len(places) != 1:
            names = ", ".join(str(place.name) for place in places if place) or "none"
            raise ModelDirError(f"the demo expects exactly one exported {kind} (a folder with {CARD_NAMES[0]}) in {folder}; "
                                f"found: {names}")
    detector, pose = (places[0] for places in found.values())
    assert detector is not None and pose is not None  # loaded from folders
    return DemoModels(detector, pose)


def _exported_folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if any((each / name).is_file() for name in CARD_NAMES))

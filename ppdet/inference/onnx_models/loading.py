"""The card of any model: of an exported directory, or of an ONNX file of another toolkit.

Beside an ONNX file `x.onnx` a card may lie as `x.yml`; if it is the only one in its folder, also as one of `CARD_NAMES`.
"""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ppdet.core.config.nodes import plain
from ppdet.core.config.yaml_loader import load_yaml
from ppdet.core.errors import ConfigError, ModelDirError, PpdetError
from ppdet.core.logger import get_logger
from ppdet.inference import model_card
from ppdet.inference.model_card import ModelCard
from ppdet.inference.onnx_models.layouts import LAYOUTS, TOP_DOWN
from ppdet.inference.onnx_models.model import OnnxModelCard, make_card
from ppdet.inference.onnx_models.recognition import Recognised, recognise
from ppdet.inference.onnx_models.settings import OnnxSettings, checked_settings
from ppdet.inference.onnx_models.top_down import has_channels_last_heatmaps, top_down_codec
from ppdet.inference.runtimes.onnx_header import OnnxHeader, read_onnx_header
from ppdet.skeletons import get_skeleton

SUFFIX = ".onnx"
#: of a network whose input is whole pixels from 0 to 255: it normalises them by itself
UNNORMALISED: Mapping[str, Any] = {"scale": 1.0, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
CARD_NAMES = ("detector.yml", "pose.yml", "model.yml", *model_card.CARD_NAMES)


def load_card(place: str | Path) -> ModelCard:
    """The card of a model.

    Args:
        place: directory that was exported by ppdet or PaddleDetection; an ONNX file; or a folder with one ONNX file.

    Raises:
        ModelDirError: it is none of these, a card that does not read or contradicts its network, or an ONNX file whose layout is
            not clear.
    """
    path = Path(place)
    if path.is_file() and path.suffix.lower() == SUFFIX:
        files = [path]
    elif path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix.lower() == SUFFIX and each.is_file())
    elif path.suffix.lower() == SUFFIX:
        raise ModelDirError(f"there is no file {path}: check the path")
    else:
        return ModelCard.load(path)
    folder = path if path.is_dir() else path.parent
    exported = _exported_card(folder)
    if exported is not None and (path.is_dir() or path.stem in ("model", "inference")):
        return exported
    if not files:
        return ModelCard.load(path)
    if len(files) > 1:
        names = ", ".join(each.name for each in files[:5])
        raise ModelDirError(f"{folder} holds {len(files)} ONNX files ({names}): give the path of one of them")
    header = read_onnx_header(files[0])
    card_path = _card_beside(files[0])
    return card_of(header, {} if card_path is None else _stated(card_path), card_path)


def card_of(header: OnnxHeader, stated: Mapping[str, Any], card_path: Path | None = None) -> OnnxModelCard:
    """The card of an ONNX file with what a card states about it.

    Raises:
        ModelDirError: see `load_card`.
    """
    place = card_path or header.path
    _check_channels(header)
    wanted = stated.get("input_wh")
    known: Recognised
    if "layout" in stated:
        known = _found_beside(header, stated)
    else:
        known = recognise(header, None if wanted is None else (int(wanted[0]), int(wanted[1])))
    settings_values = {key: value for key, value in stated.items() if key != "layout"}
    found = dict(known.found)
    if header.input_wh is not None:
        found["input_wh"] = header.input_wh
    _check_input(header, stated, place)
    if header.image_input.dtype == "uint8":
        _check_unnormalised(stated, place, header)
        found.update(UNNORMALISED)
    if "input_wh" not in {**found, **settings_values}:
        raise ModelDirError(f"{header.path}: the graph fixes no input size ({header.image_input}) and nothing else says it: "
                            f"write input_wh: [width, height] into {_card_to_write(header)}")
    settings = OnnxSettings.merged(known.layout, found, settings_values)
    if header.image_input.rank == 3 and not settings.spec.takes_one_image:
        raise ModelDirError(f"{header.path}: its input {header.image_input} takes a single image, which layout {settings.layout} "
                            "does not; export it with an axis for the batch, (N, 3, H, W)")
    if known.doubt and not stated:
        get_logger(__name__).warning("%s: %s", header.path, known.doubt)
    skeleton = None if settings.skeleton is None else _skeleton(settings, place)
    codec = top_down_codec(header, settings) if settings.kind == TOP_DOWN else None
    heatmaps_last = settings.kind == TOP_DOWN and has_channels_last_heatmaps(header, settings.input_wh)
    return make_card(header, settings, "layout" in stated, skeleton=skeleton, codec=codec, has_heatmaps_last=heatmaps_last)


def _exported_card(folder: Path) -> ModelCard | None:
    """The card of an exported directory; None if there is none, or one with a layout of its own."""
    path = next((folder / name for name in model_card.CARD_NAMES if (folder / name).is_file()), None)
    if path is None or _is_short_card(path):
        return None
    return ModelCard.load(folder)


def _is_short_card(path: Path) -> bool:
    """Whether a file is a card of the kind described here: a mapping without PaddleDetection's `Preprocess`."""
    try:
        content = load_yaml(path)
    except PpdetError:
        return False  # `ModelCard.load` says what is wrong
    return isinstance(content, Mapping) and "Preprocess" not in content and "arch" not in content and bool(content)


def _card_beside(file: Path) -> Path | None:
    """The card of an ONNX file, or None."""
    for suffix in (".yml", ".yaml"):
        if file.with_suffix(suffix).is_file():
            return file.with_suffix(suffix)
    if len([each for each in file.parent.iterdir() if each.suffix.lower() == SUFFIX]) > 1:
        return None
    present = [file.parent / name for name in CARD_NAMES if (file.parent / name).is_file()]
    cards = [path for path in present if path.name not in model_card.CARD_NAMES or _is_short_card(path)]
    if len(cards) > 1:
        raise ModelDirError(f"{file} has several cards beside it ({', '.join(path.name for path in cards)}): keep one")
    return cards[0] if cards else None


def _stated(path: Path) -> dict[str, Any]:
    try:
        content = load_yaml(path)
        return checked_settings(plain(content) if content is not None else None, path)
    except TypeError:
        raise ModelDirError(f"{path} holds a `!Tag`; a card is plain data") from None
    except ConfigError as error:
        raise ModelDirError(f"{path} does not read as YAML: {error}") from error


def _found_beside(header: OnnxHeader, stated: Mapping[str, Any]) -> Recognised:
    """What the file tells beside the layout that a card states; labels of metadata, for instance."""
    layout = str(stated["layout"])
    wanted = stated.get("input_wh")
    try:
        known = recognise(header, None if wanted is None else (int(wanted[0]), int(wanted[1])))
    except ModelDirError:
        return Recognised(layout)
    same = known.layout == layout or LAYOUTS[known.layout].kind == LAYOUTS[layout].kind
    keep = ("labels", "input_wh") if known.layout != layout else tuple(known.found)
    return Recognised(layout, {key: value for key, value in known.found.items() if key in keep} if same else {})


def _check_channels(header: OnnxHeader) -> None:
    image = header.image_input
    if image.rank not in (3, 4, None) or not (header.has_channels_last or image.side(-3) in (3, None)):
        raise ModelDirError(f"{header.path}: its input {image} takes no images of three channels, (N, 3, H, W), (N, H, W, 3) "
                            f"or (3, H, W). Seen: {header.describe()}")


def _check_input(header: OnnxHeader, stated: Mapping[str, Any], place: Path) -> None:
    """Refuse a card whose size is not the network's."""
    wanted = stated.get("input_wh")
    if wanted is not None and header.input_wh is not None and tuple(wanted) != header.input_wh:
        raise ModelDirError(f"{place} says input_wh {list(wanted)}, and the network {header.path.name} takes "
                            f"{list(header.input_wh)} (width, height): put the card right")


def _check_unnormalised(stated: Mapping[str, Any], place: Path, header: OnnxHeader) -> None:
    """Refuse a card that normalises pixels whose network takes bytes: fractions and negative numbers would be lost."""
    wrong = [key for key, value in UNNORMALISED.items()
             if key in stated and (tuple(stated[key]) if isinstance(value, tuple) else stated[key]) != value]
    if wrong:
        raise ModelDirError(f"{place} states {', '.join(wrong)}, and the network {header.path.name} takes whole pixels from 0 to "
                            f"255 ({header.image_input}), which it normalises by itself: leave them out of the card")


def _skeleton(settings: OnnxSettings, place: Path) -> Any:
    try:
        return get_skeleton(settings.skeleton)
    except ConfigError as error:
        raise ModelDirError(f"{place}: {error}") from error


def _card_to_write(header: OnnxHeader) -> str:
    return header.path.with_suffix(".yml").name

"""The error of an ONNX file whose layout is not clear: what was seen, and a card of a few lines to start from."""

from __future__ import annotations

from ppdet.core.errors import ModelDirError
from ppdet.inference.onnx_models.layouts import LAYOUTS, Layout
from ppdet.inference.runtimes.onnx_header import OnnxHeader


def refusal(
    header: OnnxHeader, why: str = "its outputs fit no layout that can be told from the others", layout: str = "yolov8"
) -> ModelDirError:
    """The error of a file whose layout is not clear.

    Args:
        header: of the file.
        why: what is not clear.
        layout: the one of the card that is shown as an example.
    """
    card = "".join(f"\n  {line}" for line in _example(LAYOUTS[layout], list(header.input_wh or (640, 640))))
    return ModelDirError(
        f"{header.path}: {why}. Seen: {header.describe()}. Write a card beside it, {header.path.with_suffix('.yml').name}, such "
        f"as{card}\nLayouts: {', '.join(LAYOUTS)}; docs/any_model.md describes each")


def _example(layout: Layout, input_wh: list[int]) -> list[str]:
    """Lines of a card with a layout's usual settings."""
    settings = {"codec": "msra", **layout.defaults} if layout.name == "heatmap" else layout.defaults
    shown = {key: settings[key] for key in ("codec", "resize", "scale", "channels", "mean", "std") if key in settings}
    values = {"layout": layout.name, "input_wh": input_wh, **shown}
    return [f"{key}: {list(value) if isinstance(value, tuple) else f'{value:g}' if isinstance(value, float) else value}"
            for key, value in values.items()]  # fmt: skip

"""Runs an ONNX model of another toolkit on whole images: from images to the network's input and back.

Legend: B batch, H W pixels.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ppdet.core.errors import ModelDirError
from ppdet.core.logger import get_logger
from ppdet.image.letterbox import Letterbox
from ppdet.inference.estimators.onnx_outputs.candidates import Candidates, Outputs
from ppdet.inference.estimators.onnx_outputs.table import decode_outputs
from ppdet.inference.onnx_models.model import OnnxModelCard
from ppdet.inference.onnx_models.settings import INTERPOLATIONS, OnnxSettings
from ppdet.inference.runtimes.base import Runtime

GREY = 114
# Centres and sizes as shares of the input reach 1, and little more for boxes that reach beyond it.
LARGEST_SHARE = 1.5


class OnnxNetwork:
    """A network with the way into it and out of it, as its card says.

    Args:
        runtime: the loaded network.
        card: its card.

    Attributes:
        settings: those of the card, made precise by the first outputs.

    Raises:
        ModelDirError: the network's outputs do not fit the layout, or it wants inputs that nobody can give.
    """

    def __init__(self, runtime: Runtime, card: OnnxModelCard) -> None:
        self.runtime = runtime
        self.place = card.place
        self.settings = card.layout_settings
        self._header = card.file_header
        self._normalization = self.settings.normalization
        self._image_name, self._dtype = self._header.image_input.name, self._header.image_input.dtype
        self._takes_batches = self._header.batch is None and not self.settings.spec.takes_one_image
        self._try(card.layout_is_sure)

    def candidates(self, images: Sequence[np.ndarray]) -> list[tuple[Candidates, Letterbox]]:
        """Boxes after NMS of images of any sizes, in input pixels, and where each image lies in the input.

        Args:
            images: (H, W, 3) RGB uint8 each.

        Raises:
            ModelDirError: outputs that do not fit the layout, or are not finite.
        """
        fits = [self.letterbox(image) for image in images]
        pixels = np.stack([fit.apply(image, self.settings.pad_value, INTERPOLATIONS[self.settings.interpolation])
                           for fit, image in zip(fits, images)])
        return list(zip(self._found(pixels), fits))

    def letterbox(self, image: np.ndarray) -> Letterbox:
        """Where an image lies in the input."""
        settings = self.settings
        width, height = settings.input_wh
        smaller = (width - settings.margin, height - settings.margin) if settings.margin else None
        return Letterbox.fit((image.shape[1], image.shape[0]), settings.input_wh, settings.resize, smaller)

    def _found(self, pixels: np.ndarray) -> list[Candidates]:
        if len(pixels) > 1 and not self._takes_batches:
            return [found for each in pixels for found in self._found(each[None])]
        try:
            return decode_outputs(self._run(pixels))
        except ModelDirError as error:
            raise ModelDirError(f"{self.place}: {error}") from error

    def _run(self, pixels: np.ndarray) -> Outputs:
        """Run the network on (B, H, W, 3) uint8 RGB inputs. A network of a fixed batch gets its input several times."""
        count = len(pixels)
        tensor = self._normalization.planes(pixels).astype(self._dtype)
        fixed = self._header.batch or count
        if fixed > count:
            tensor = np.concatenate([tensor, np.repeat(tensor[-1:], fixed - count, axis=0)])
        arrays = self.runtime.run(self._feeds(tensor))
        outputs = Outputs(dict(zip([each.name for each in self._header.outputs], arrays)), self.settings, len(tensor))
        return outputs if fixed <= count else first_images(outputs, count)

    def _feeds(self, tensor: np.ndarray) -> dict[str, np.ndarray]:
        """Sizes are given as those of the input, so that every graph answers in its pixels."""
        feeds = {self._image_name: tensor[0] if self._header.image_input.rank == 3 else tensor}
        width, height = self.settings.input_wh
        for extra in self._header.inputs:
            known = {"orig_target_sizes": (width, height), "im_shape": (height, width), "scale_factor": (1, 1)}
            if extra.name in feeds:
                continue
            if extra.name not in known:
                raise ModelDirError(f"{self.place}: the network wants the input {extra}: known beside the image are "
                                    f"{', '.join(known)}; export it without that input")
            feeds[extra.name] = np.tile(np.array([known[extra.name]], extra.dtype), (len(tensor), 1))
        return feeds

    def _try(self, layout_is_sure: bool) -> None:
        """Run the network once on grey, which also warms it up, and see whether its outputs fit the layout."""
        if self._dtype not in ("float32", "float16", "float64", "uint8"):
            raise ModelDirError(f"{self.place}: the network's image has type {self._dtype}: expected float32, float16 or uint8; "
                                "export it again")
        width, height = self.settings.input_wh
        outputs = self._run(np.full((1, height, width, 3), GREY, np.uint8))
        if not layout_is_sure:
            outputs = replace(outputs, settings=refined(outputs))
            if outputs.settings.layout != self.settings.layout:
                get_logger(__name__).info("%s: outputs look like layout %s", self.place, outputs.settings.layout)
            self.settings = outputs.settings
            self._normalization = self.settings.normalization
        try:
            self.sample = decode_outputs(outputs)[0]
        except ModelDirError as error:
            raise ModelDirError(f"{self.place}: {error}") from error


def first_images(outputs: Outputs, count: int) -> Outputs:
    """The outputs of the first images of a batch; flat rows name their image and stay."""
    arrays = {name: array[:count] if array.ndim and array.shape[0] == outputs.batch else array
              for name, array in outputs.arrays.items()}
    return Outputs(arrays, outputs.settings, count)


def refined(outputs: Outputs) -> OnnxSettings:
    """Settings whose layout fits the values, where two layouts have the same shapes.

    - YOLOX exported with decode_in_inference gives pixels, which reach the input's size; offsets from cells are a few units.
    - Ultralytics' RT-DETR gives shares of the input, where YOLO's rows are pixels.
    """
    settings = outputs.settings
    array = next(iter(outputs.arrays.values()))
    if array.ndim != 3 or array.size == 0:
        return settings
    largest = float(np.abs(np.nan_to_num(array[..., :2].astype(np.float64))).max())
    if settings.layout == "yolox" and largest > min(settings.input_wh) / 4:
        return replace(settings, layout="yolov5")
    if settings.layout == "yolov8_nms" and 0 < float(np.nan_to_num(array[..., :4]).max()) <= LARGEST_SHARE:
        return replace(settings, layout="rtdetr_rows", resize="stretch")
    return settings

"""Writes images and drawn results for VisualDL, as PaddleDetection's `--use_vdl` does in prediction."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence

from ppdet.core.errors import ConfigError, MediaError
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.image.io import drawn_name, read_image

logger = get_logger(__name__)


def require_visual_dl() -> Any:
    """VisualDL's writer class.

    Raises:
        ConfigError: VisualDL is not installed.
    """
    try:
        from visualdl import LogWriter
    except ImportError as error:
        raise ConfigError(f"--use_vdl needs VisualDL ({error}); pip install visualdl, or leave the flag out") from error
    return LogWriter


def log_images(paths: Sequence[Path], output_dir: str | Path, log_dir: str) -> int:
    """Write the input and the drawn images for VisualDL; view them with ``visualdl --logdir log_dir``.

    Args:
        paths: the images that were predicted.
        output_dir: folder of the drawn images, which have the same names.
        log_dir: VisualDL's folder.

    Returns:
        Number of images written; those without a drawn image are skipped.

    Raises:
        ConfigError: VisualDL is not installed.
    """
    count = 0
    with require_visual_dl()(logdir=log_dir) as writer:
        for number, path in enumerate(paths):
            try:
                drawn = read_image(Path(output_dir) / drawn_name(path.name))
                images = {"original": read_image(path, apply_orientation=True), "result": drawn}
            except MediaError:  # already reported during prediction
                continue
            for name, image in images.items():
                writer.add_image(tag=f"{name}/{path.name}", img=image, step=number)
            count += 1
    logger.info("%s for VisualDL in %s", quantity(count, "image"), log_dir)
    return count

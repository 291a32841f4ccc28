"""Fetch a file of the model zoo by name: cached, resumed after a break, and verified if a checksum is known."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Optional, Union

from ppdet.core.errors import CheckpointError
from ppdet.core.files import atomic_path, sha256_of
from ppdet.core.logger import get_logger
from ppdet.engine.weights.cache import cached_weights
from ppdet.engine.weights.zoo import Zoo, load_zoo

logger = get_logger(__name__)


def download_by_name(name: str, output_dir: Optional[Union[str, Path]] = None, zoo: Optional[Zoo] = None) -> Path:
    """The file called `name`, from the cache or from the web.

    Args:
        name: of a model with weights, or of another file of the zoo.
        output_dir: also copy it there, under its own name; None leaves it in the cache.
        zoo: default the toolkit's.

    Returns:
        Path of the file.

    Raises:
        ConfigError: no such name, or a model without published weights.
        CheckpointError: the server does not give it, it is not the file it should be, or output_dir cannot be written.
    """
    wanted = (load_zoo() if zoo is None else zoo).download(name)
    path = cached_weights(wanted.url, sha256=wanted.sha256)
    digest = sha256_of(path)
    checked = "verified" if wanted.sha256 is not None else "no published checksum to compare with"
    logger.info("%s: %.1f MB, sha256 %s (%s)", name, path.stat().st_size / 1e6, digest, checked)
    return path if output_dir is None else _copy(path, Path(output_dir))


def _copy(path: Path, folder: Path) -> Path:
    final = folder / path.name
    try:
        with atomic_path(final) as temporary:
            shutil.copyfile(path, temporary)
    except OSError as error:
        raise CheckpointError(f"cannot write {final}: {error.strerror or error}; choose another --output_dir") from error
    return final

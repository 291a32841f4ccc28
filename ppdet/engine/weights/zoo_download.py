"""Downloads a file of the model zoo by name, through the cache, and verifies its checksum if known."""

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
    """Get the file called `name` from the cache or the web.

    Args:
        name: name of a model with weights, or of another file of the zoo.
        output_dir: folder to copy the file to under its own name; None leaves it in the cache.
        zoo: by default the toolkit's zoo.

    Returns:
        Path of the file.

    Raises:
        ConfigError: an unknown name, or a model without published weights.
        CheckpointError: the download failed, the checksum differs, or output_dir cannot be written.
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

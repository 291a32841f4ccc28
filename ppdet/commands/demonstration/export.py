"""Exports weight files for the demo. Only this part of it needs Paddle."""

from __future__ import annotations

from pathlib import Path

from ppdet.core.config.load import load_config
from ppdet.core.errors import CheckpointError
from ppdet.core.files import sha256_of
from ppdet.core.logger import get_logger
from ppdet.core.paddle_process import remove_paddle_log_handler
from ppdet.core.shipped import configs_folder
from ppdet.engine.export.exporter import export
from ppdet.engine.weights.cache import cached_weights, is_url


def export_weights(weights: str, configs: tuple[str, ...], export_dir: Path) -> list[Path]:
    """Export `{weights}/{name of the config}.pdparams` for each config; return the folders.

    An earlier export of the same file, identified by its digest, is reused.

    Args:
        weights: folder or URL.
        configs: paths below the configs folder.
        export_dir: parent of the exported folders.

    Raises:
        PpdetError: a file is missing, cannot be downloaded, or does not fit its config.
    """
    remove_paddle_log_handler()
    paths = [(configs_folder() / config, _weight_file(weights, f"{Path(config).stem}.pdparams")) for config in configs]
    return [_exported(config, file, export_dir) for config, file in paths]  # check all files before the first export


def _weight_file(weights: str, name: str) -> Path:
    if is_url(weights):
        return cached_weights(f"{weights.rstrip('/')}/{name}")
    path = Path(weights) / name
    if not path.is_file():
        raise CheckpointError(f"there is no file {path}")
    return path


def _exported(config: Path, file: Path, export_dir: Path) -> Path:
    folder = export_dir / sha256_of(file)[:12]
    done = folder / config.stem
    if (done / "infer_cfg.yml").is_file():
        get_logger(__name__).info("%s was exported before: %s", file, done)
        return done
    return Path(export(load_config(str(config), [f"weights={file}"]), folder, onnx=True))

"""Floor 0: errors, files, logging, configs. Imports nothing from the floors above."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "CheckpointError": "errors",
        "ConfigError": "errors",
        "DataError": "errors",
        "ExportError": "errors",
        "Mark": "problem",
        "MediaError": "errors",
        "ModelDirError": "errors",
        "PpdetError": "errors",
        "Problem": "problem",
        "atomic_path": "files",
        "atomic_write": "files",
        "get_logger": "logger",
        "read_regular_file": "files",
        "run_command": "command",
        "sample_rng": "seeding",
        "seed_everything": "seeding",
    },
)

"""The output folder of a command, checked before the work starts."""
from __future__ import annotations

import tempfile
from pathlib import Path

from ppdet.core.errors import MediaError


class OutputFolder:
    """A writable folder, and the file names that this run has used in it.

    Args:
        path: created if it does not exist.

    Raises:
        MediaError: it cannot be created or written to.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._used: set[Path] = set()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise MediaError(f"cannot write to the output folder {self.path}: {error.strerror or error}; choose another "
                             "--output_dir") from error

    def file(self, name: str, source: str | Path | None = None) -> Path:
        """A path in the folder that overwrites neither the input nor an earlier result of this run.

        Args:
            name: wanted file name.
            source: input of the result; its suffix distinguishes results with the same stem (a.jpg and a.png).

        Raises:
            MediaError: the result would overwrite its own input.
        """
        path = self.path / name
        if path in self._used and source is not None:
            path = path.with_name(f"{path.stem}_{Path(source).suffix.lstrip('.')}{path.suffix}")
        number = 2
        while path in self._used:
            path = path.with_name(f"{Path(name).stem}_{number}{path.suffix}")
            number += 1
        if source is not None and path.exists() and Path(source).exists() and path.samefile(source):
            raise MediaError(f"the result would overwrite the input {source}: choose another --output_dir")
        self._used.add(path)
        return path

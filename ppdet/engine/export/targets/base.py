"""The interface of the targets of an export."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import ClassVar

from ppdet.core.errors import ExportError
from ppdet.engine.export.targets.job import ExportJob


class Target(ABC):
    """One format that an export may contain.

    Attributes:
        name: the value of `--targets`.
        files: what it writes, for the help.
        packages: Python packages that writing needs.
        install: how to get them.
        precisions: values of `--precision` for which it has a file.
        order: of writing; a target that takes what another one wrote has a higher number.
        suppression: whether its graph may hold a detector's suppression as ONNX writes it.
    """

    name: ClassVar[str]
    files: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ()
    install: ClassVar[str] = ""
    precisions: ClassVar[tuple[str, ...]] = ("fp32",)
    order: ClassVar[int] = 0
    suppression: ClassVar[bool] = False

    def require(self, job: ExportJob) -> None:
        """Check before any work that the target can be written.

        Raises:
            ExportError: a package is missing; the message says how to get it.
        """
        missing = [package for package in self.packages if find_spec(package) is None]
        if missing:
            raise ExportError(f"the target {self.name} needs {' and '.join(missing)}: {self.install}, or leave the target out")

    @abstractmethod
    def write(self, job: ExportJob, precision: str) -> None:
        """Write the files of one precision into the job's folder.

        Raises:
            ExportError: a conversion failed.
        """

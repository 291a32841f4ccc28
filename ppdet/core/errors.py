"""Errors a user can act on. Commands print them without a traceback and exit with status 2."""

from __future__ import annotations

from collections.abc import Iterable

from ppdet.core.problem import Problem


class PpdetError(Exception):
    """Base of all errors caused by the user's input, as opposed to bugs of the toolkit.

    The message says what was given, what was expected and what to do next.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.context: list[str] = []

    def in_context(self, text: str) -> PpdetError:
        """Add a line such as "while building HRNet (file.yml:12)" below the message; returns the error itself."""
        self.context.append(text)
        return self

    def __str__(self) -> str:
        return "\n  ".join([super().__str__(), *self.context])


class ConfigError(PpdetError):
    """A config or an ``-o`` option is wrong. Carries all problems that were found.

    Args:
        problems: one message, or all the problems.
    """

    def __init__(self, problems: str | Iterable[Problem]) -> None:
        self.problems: list[Problem] = [Problem(problems)] if isinstance(problems, str) else list(problems)
        lines = [f"{p.mark}: {p.message}" if p.mark else p.message for p in self.problems]
        if len(lines) > 1:
            lines = [f"{len(lines)} problems in the config:"] + [f"  {line}" for line in lines]
        super().__init__("\n".join(lines))


class DataError(PpdetError):
    """A dataset, an annotation file or a label is invalid."""


class CheckpointError(PpdetError):
    """A weight file cannot be read or does not match the model."""


class ModelDirError(PpdetError):
    """A folder is not an exported model, or its infer_cfg.yml is invalid."""


class EngineError(ModelDirError):
    """An engine is not installed, or lacks the wanted device or precision. The model's files are not the reason."""


class ExportError(PpdetError):
    """A model cannot be exported as requested."""


class MediaError(PpdetError):
    """An image or a video cannot be read or written."""

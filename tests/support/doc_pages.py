"""Reads README and docs for tests: code blocks, command lines, links and names."""

from __future__ import annotations

import argparse
import re
import runpy
import shlex
import sys
from pathlib import Path
from typing import Iterator, NamedTuple
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("README*.md"), ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


class Block(NamedTuple):
    """A fenced block: where it begins, its language and its text."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """Blocks of these languages on all pages."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"^( *)```(\w+)\n(.*?)^\1```", text, flags=re.M | re.S):
            if match[2] in languages:
                found.append(Block(page, text[: match.start()].count("\n") + 1, match[2], match[3]))
    return found


def command_lines(block: Block) -> list[list[str]]:
    """Words of each command of a shell block: comments, prompts, assignments and loops taken off, here-documents left out."""
    text = re.sub(r"<<'?(\w+)'?\n.*?^\1$", "", block.text, flags=re.M | re.S)
    lines = []
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if block.language == "console" and not line.startswith("$ "):
            continue
        words = shlex.split(line.removeprefix("$ "), comments=True)
        while words and re.fullmatch(r"[A-Za-z_]+=.*", words[0]):
            words = words[1:]
        ends = [words.index(word) for word in ("|", ">", ">>", "&&", ";", "2>") if word in words]
        words = words[: min(ends)] if ends else words
        if words:
            lines.append(words)
    return lines


class Parsed(BaseException):
    """Raised in place of running a command, once its own parser has accepted the words."""

    def __init__(self, namespace: argparse.Namespace) -> None:
        super().__init__()
        self.namespace = namespace


def parse_only(run: object, words: list[str]) -> argparse.Namespace:
    """The arguments that a command's own parser reads from `words`; the command does not run.

    Args:
        run: path of a script, or a function that takes the words.
        words: after the command's name.

    Raises:
        AssertionError: the parser refuses them.
    """
    real = argparse.ArgumentParser.parse_args

    def parse_and_stop(parser: argparse.ArgumentParser, args: object = None, namespace: object = None) -> argparse.Namespace:
        raise Parsed(real(parser, args, namespace))

    messages: list[str] = []
    argv = [str(run), *words]
    try:
        with mock.patch.object(argparse.ArgumentParser, "parse_args", parse_and_stop), mock.patch.object(
            argparse.ArgumentParser, "error", lambda parser, message: _refuse(messages, message)
        ), mock.patch.object(sys, "argv", argv), mock.patch.object(sys, "path", list(sys.path)):
            if isinstance(run, Path):
                runpy.run_path(str(run), run_name="__main__")
            else:
                run(words)  # type: ignore[operator]
    except Parsed as parsed:
        return parsed.namespace
    except SystemExit as ended:
        raise AssertionError(f"{' '.join(argv)}: {messages or ended.code}") from None
    raise AssertionError(f"{' '.join(argv)}: no arguments were parsed")


def _refuse(messages: list[str], message: str) -> None:
    messages.append(message)
    raise SystemExit(2)


def mentioned_paths(text: str) -> Iterator[str]:
    """Paths of files of the repository that a text mentions."""
    in_folder = r"(?:tools|deploy|ppdet|tests|configs|docs)/[\w/.-]+\.(?:py|yml|md)"
    for match in re.finditer(rf"(?<![\w/.{{}}$-])({in_folder}|requirements[\w-]*\.txt)\b", text):
        yield match[1]


def mentioned_modules(text: str) -> Iterator[str]:
    """Dotted names of the package that a text mentions."""
    yield from re.findall(r"(?<![\w/\"'-])ppdet(?:\.\w+)+", text)  # not a file's name, nor an entry point's in quotes

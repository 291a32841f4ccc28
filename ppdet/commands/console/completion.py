"""Print a completion script made from the commands' own flags: eval "$(ppdet completion bash)"

    bash: eval "$(ppdet completion bash)"                                      in ~/.bashrc
    zsh:  eval "$(ppdet completion zsh)"                                       in ~/.zshrc, after compinit
    fish: ppdet completion fish > ~/.config/fish/completions/ppdet.fish
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import Optional, Sequence

from ppdet.commands.console.main import COMMANDS, command_module
from ppdet.commands.flags.command_line import make_parser, run_module

SHELLS = ("bash", "zsh", "fish")


@dataclass
class Words:
    """Possible words after a command: flags with help and choices, and sub-commands with help."""

    flags: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    subcommands: dict[str, str] = field(default_factory=dict)


def words_of(parser: argparse.ArgumentParser) -> Words:
    """The words of a parser and of its sub-commands."""
    words = Words()
    for action in parser._actions:  # argparse has no public way to list them
        if isinstance(action, argparse._SubParsersAction):
            words.subcommands.update({each.dest: each.help or "" for each in action._choices_actions})
            for sub in action.choices.values():
                inner = words_of(sub)
                words.flags.update(inner.flags)
                words.choices.update(inner.choices)
            continue
        if action.help == argparse.SUPPRESS:
            continue
        text = (action.help or "").split(" (default")[0].replace("%%", "%")
        for name in action.option_strings:
            words.flags[name] = text
            if action.choices is not None:
                words.choices[name] = [str(choice) for choice in action.choices]
        if not action.option_strings and action.choices is not None:
            words.subcommands.update({str(choice): "" for choice in action.choices})
    return words


def script(shell: str) -> str:
    """The completion script for a shell."""
    words = {name: words_of(make_parser(command_module(name))) for name in COMMANDS}
    if shell == "fish":
        return _fish(words)
    text = _bash(words)
    return "autoload -U +X bashcompinit && bashcompinit\n" + text if shell == "zsh" else text


def _bash(words: dict[str, Words]) -> str:
    choices = [
        f'    "{name} {flag}") COMPREPLY=($(compgen -W "{" ".join(values)}" -- "$cur")); return;;'
        for name, each in words.items() for flag, values in each.choices.items()
    ]  # fmt: skip
    flags = [f'    {name}) flags="{" ".join(each.flags)}"; subs="{" ".join(each.subcommands)}";;' for name, each in words.items()]
    return "\n".join([
        "_ppdet() {",
        '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" command="${COMP_WORDS[1]}" flags="" subs=""',
        "  COMPREPLY=()",
        f'  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$cur")); return; fi',
        '  case "$command $prev" in', *choices, "  esac",
        '  case "$command" in', *flags, "  esac",
        '  case "$cur" in -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")); return;; esac',
        '  if [ "$COMP_CWORD" -eq 2 ] && [ -n "$subs" ]; then COMPREPLY=($(compgen -W "$subs" -- "$cur")); fi',
        "}",
        "complete -o default -F _ppdet ppdet",
    ])  # fmt: skip


def _fish(words: dict[str, Words]) -> str:
    lines = [f"complete -c ppdet -n __fish_use_subcommand -a {name} -d {_quoted(text)}" for name, text in COMMANDS.items()]
    for name, each in words.items():
        start = f"complete -c ppdet -n '__fish_seen_subcommand_from {name}'"
        lines += [f"{start} -a {sub} -d {_quoted(text)}" for sub, text in each.subcommands.items()]
        for flag, text in each.flags.items():
            kind = f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
            values = f" -x -a {_quoted(' '.join(each.choices[flag]))}" if flag in each.choices else ""
            lines.append(f"{start} {kind}{values} -d {_quoted(text)}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", choices=SHELLS, help="for which shell")


def run(args: argparse.Namespace) -> None:
    """Print the script."""
    print(script(args.shell))


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)

"""Every command of this project with its options, and every target of the Makefile."""

import re

import click

from reference.markdown import code, join, section, table
from reference.project import ROOT

_TARGET = re.compile(r"^([a-z][a-z-]*):.*?(?:## (.*))?$", re.MULTILINE)
_VARIABLE = re.compile(r"\$\(([A-Z_]+)\)")
_SET = re.compile(r"^(?:export |define )?([A-Z_]+) *(?::?=|$)", re.MULTILINE)
_OF_MAKE = {"CURDIR", "MAKEFILE_LIST"}


def write_commands() -> str:
    """Return a table of the commands, and a section for each."""
    found = sorted(commands().items())
    rows = [
        (f"[`kedro {name}`](#kedro-{name})", (each.help or "").partition("\n")[0])
        for name, each in found
    ]
    return join([table(("command", "what it does"), rows), *(_write_command(*n) for n in found)])


def commands() -> dict[str, click.Command]:
    """Return the project's own commands by name."""
    from grocery_demand.cli import cli

    return dict(cli.commands)


def _write_command(name: str, command: click.Command) -> str:
    about, _, examples = _strip_marks(command.help or "").partition("Examples:\n")
    arguments = _arguments(command)
    usage = "Arguments: " + code(" ".join(arguments)) if arguments else ""
    listed = "\n".join(line.strip() for line in examples.splitlines() if line.strip())
    shown = f"```\n{listed}\n```" if listed else ""
    rows = [
        (code(", ".join(option.opts + option.secondary_opts)), help_of(option), _default(option))
        for option in command.params
        if isinstance(option, click.Option)
    ]
    options = table(("option", "what it does", "default"), rows) if rows else ""
    return section(2, f"kedro {name}", _write_about(about), usage, shown, options)


def _arguments(command: click.Command) -> list[str]:
    context = click.Context(command)
    return [a.make_metavar(context) for a in command.params if isinstance(a, click.Argument)]


def _write_about(text: str) -> str:
    """Return a help text; lines that are indented are a list and keep their ends."""
    paragraphs = re.split(r"\n{2,}", text.strip())
    shown = [f"```\n{p}\n```" if p.startswith("  ") else p for p in paragraphs]
    return "\n\n".join(shown)


def _strip_marks(text: str) -> str:
    return text.replace("\b\n", "")


def help_of(option: click.Option) -> str:
    """Return what an option's help says, in one line."""
    return " ".join((option.help or "").split())


def _default(option: click.Option) -> str:
    shown = option.show_default and option.default not in (None, False, "")
    return code(option.default) if shown else ""


def write_targets() -> str:
    """Return a table of the Makefile's targets."""
    return table(("target", "what it does"), ((code(f"make {n}"), h) for n, h in targets().items()))


def targets() -> dict[str, str]:
    """Return the help of each target by name."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return {name: told for name, told in _TARGET.findall(text) if told}


def make_variables() -> set[str]:
    """Return the variables that a person may give to make: those that it does not set itself."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(_VARIABLE.findall(text)) - set(_SET.findall(text)) - _OF_MAKE

"""What `--help` says of each of the project's commands."""

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from grocery_demand.cli import COMMANDS, cli

NAMES = [command.name for command in COMMANDS]
LONGEST_THAT_IS_NOT_CUT = 59
"""Of a description in `kedro --help`, in a terminal of 80 columns."""


def help_of(*arguments: str) -> str:
    outcome = CliRunner().invoke(cli, [*arguments, "--help"], prog_name="kedro")
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def examples_of(name: str) -> list[str]:
    told = help_of(name).partition("Examples:\n")[2].partition("\n\n")[0]
    return [line.strip() for line in told.splitlines()]


def parse(words: list[str]) -> None:
    """Raise a `click.UsageError` if the command does not take these words."""
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None, words
    command.make_context(words[0], list(words[1:]))


def test_every_command_of_the_project_is_tested_here():
    assert sorted(cli.commands) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_command_is_described_by_one_sentence_that_fits_the_list_of_commands(name):
    description = (cli.commands[name].help or "").partition("\n")[0]
    assert re.fullmatch(r"[A-Z`].{19,}\.", description), description
    assert description.count(". ") == 0
    assert len(description) <= LONGEST_THAT_IS_NOT_CUT
    assert description in help_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_in_a_commands_help_is_a_line_that_it_understands(name):
    examples = examples_of(name)
    assert examples
    for example in examples:
        typed = re.sub(r"^[A-Z_]+=\S+ ", "", re.split(r" >+ ", example)[0])
        program, *words = shlex.split(typed)
        assert (program, words[0]) == ("kedro", name)
        parse(words)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_of_a_command_says_what_it_is_for(name):
    options = [one for one in cli.commands[name].params if isinstance(one, click.Option)]
    silent = [option.opts[0] for option in options if not option.help]
    assert silent == []


def test_the_list_of_commands_cuts_no_description():
    assert "..." not in help_of().partition("Commands:")[2]

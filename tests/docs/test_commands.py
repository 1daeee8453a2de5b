"""Commands in pages exist: targets, commands, options, pipelines, parameters, environments."""

import re
import warnings
from functools import cache
from itertools import pairwise
from pathlib import Path

import click
import pytest
from reference.commands import make_variables
from reference.parameters import grouped

from make_targets import ROOT, make_targets
from pages import MORE, find_commands, find_pages, read_page, split_commands

ENVIRONMENTS = {path.name for path in (ROOT / "conf").iterdir() if path.is_dir()}
CATALOG = (ROOT / "conf/base/catalog.yml").read_text(encoding="utf-8")


@cache
def kedro() -> click.Group:
    """Return kedro as it is in this project, with its plugins."""
    from kedro.framework.cli.cli import KedroCLI

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KedroCLI(ROOT)


@cache
def parameter_names() -> set[str]:
    """Return what `--params` may name: parameters, whole groups, and places in the catalog."""
    names = {p.name for parameters in grouped().values() for p in parameters} | set(grouped())
    return names | set(re.findall(r"runtime_params:(\w+)", CATALOG))


@cache
def pipeline_names() -> set[str]:
    from grocery_demand.pipeline_registry import register_pipelines

    return set(register_pipelines())


def fault_of(words: list[str]) -> str:
    """Return what is wrong with a command; nothing if it exists or is none of ours."""
    program, *arguments = words
    if Path(program).name == "kedro":
        return fault_of_kedro(arguments)
    if Path(program).name == "make":
        return fault_of_make(arguments)
    return ""


def fault_of_make(arguments: list[str]) -> str:
    """Return what is wrong with a call of make; a sentence that begins with its name is none."""
    if not all(re.fullmatch(r"[a-z][a-z-]*|[A-Z_]+=.*|…", word) for word in arguments):
        return ""
    for word in arguments:
        name, given, value = word.partition("=")
        if given and name not in make_variables():
            return f"the Makefile knows no {name}"
        if name == "PARAMS":
            return fault_of_parameters(value)
        if re.fullmatch(r"[a-z][a-z-]*", word) and word not in make_targets():
            return f"there is no target {word}"
    return ""


def fault_of_kedro(arguments: list[str]) -> str:
    """Parse a command as kedro would, without running it."""
    command: click.Command = kedro()
    context = click.Context(command, info_name="kedro")
    while isinstance(command, click.Group):
        if not arguments or arguments[0].startswith("-") or is_left_open(arguments[0]):
            return ""
        found = command.get_command(context, arguments[0])
        if found is None:
            return f"there is no command {arguments[0]}"
        command, arguments = found, arguments[1:]
    filled = [fill_in(word) for word in arguments if word != MORE]
    try:
        parsed = command.make_context(command.name, [*filled], parent=context).params
    except click.exceptions.Exit:
        return ""
    except click.ClickException as error:
        if MORE in arguments and isinstance(error, click.MissingParameter | click.BadOptionUsage):
            return ""
        return error.format_message()
    return fault_of_values(parsed, filled)


def fault_of_values(parsed: dict[str, object], arguments: list[str]) -> str:
    """Return what is wrong with the values of options that click leaves to the program."""
    names = [str(parsed.get("pipeline") or ""), *str(parsed.get("pipelines") or "").split(",")]
    names = [re.sub(r"[^\w]", "", name) for name in names]
    unknown = [n for n in names if n not in ("", "None", "1") and n not in pipeline_names()]
    if unknown:
        return f"there is no pipeline {unknown[0]}"
    environment = parsed.get("env")
    if environment not in (None, "1", *ENVIRONMENTS):
        return f"there is no environment {environment}"
    given = [v for o, v in pairwise(arguments) if o == "--params"]
    return "".join(fault_of_parameters(value) for value in given)


def fault_of_parameters(text: str) -> str:
    names = re.findall(r"(?:^|,)([\w.]+)[=:]", text)
    unknown = [name for name in names if name not in parameter_names()]
    return f"there is no parameter {unknown[0]}" if unknown else ""


def is_left_open(word: str) -> bool:
    """Whether a word stands for others, as NAME and … do."""
    return "…" in word or re.fullmatch(r"[A-Z][A-Z_]*", word) is not None


def fill_in(word: str) -> str:
    return "1" if is_left_open(word) else word


@pytest.mark.parametrize("path", find_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist(path):
    found = {f"line {n}: {' '.join(w)}": fault_of(w) for n, w in find_commands(read_page(path))}
    assert {place: fault for place, fault in found.items() if fault} == {}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("make tidy", "there is no target tidy"),
        ("make smoke ADDRESS=x", "the Makefile knows no ADDRESS"),
        ("make train PARAMS=training.modle=x", "there is no parameter training.modle"),
        ("kedro mumble", "there is no command mumble"),
        ("kedro run --pipeline trian", "there is no pipeline trian"),
        ("kedro run --pipelines forecast,reprot", "there is no pipeline reprot"),
        ("kedro run --params gate.bar=1", "there is no parameter gate.bar"),
        ("kedro daily --env porduction", "there is no environment porduction"),
        ("cd x && kedro serve --prot 80", "No such option '--prot'"),
        ("kedro challenger canray", "'canray' is not one of"),
    ],
)
def test_a_command_with_a_mistake_is_found(line, fault):
    assert fault in " ".join(map(fault_of, split_commands(line)))


@pytest.mark.parametrize(
    "line",
    [
        "make release PARAMS=training.model=random_forest",
        "kedro run --pipeline NAME",
        "kedro challenger canary --version N",
        "EVENTS_URL=… kedro serve --port 8080  # then http://127.0.0.1:8080",
        "kedro viz run",
        "kedro jupyter lab",
        "make one with: kedro run",
    ],
)
def test_a_command_that_exists_is_none(line):
    assert [fault_of(words) for words in split_commands(line)] == [""]

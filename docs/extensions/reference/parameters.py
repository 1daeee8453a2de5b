"""Every parameter: its default from conf/base, what it means, and where it counts."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reference.docstrings import attributes, first_sentence
from reference.markdown import code, codes, join, section, table
from reference.project import ROOT, configuration, pipelines

_FILE = ROOT / "conf/base/parameters.yml"
_GLOBALS = ROOT / "conf/base/globals.yml"
_PREFIX = "params:"
_LINE = re.compile(r"^( *)([\w-]+):(?: (?P<value>[^#]*))?(?:# (?P<comment>.*))?$")
_GOES_ON = re.compile(r"^ +# (.*)$")


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        name: As given to `--params`.
        default: Its value in conf/base.
        meaning: What it is, with its unit.
    """

    name: str
    default: Any
    meaning: str


def write_parameters() -> str:
    """Return a section for each group of parameters."""
    kinds = kinds_of_groups()
    users = _users_of_groups()
    parts = []
    for group, found in grouped().items():
        about = first_sentence(kinds[group]) if group in kinds else ""
        used = f"Used by {codes(users[group])}." if group in users else ""
        rows = [(code(p.name), code(_shown(p.default)), p.meaning) for p in found]
        body = table(("parameter", "default", "meaning"), rows)
        parts.append(section(2, code(group), f"{about} {used}".strip(), body))
    return join(parts)


def write_globals() -> str:
    """Return a table of what differs between environments."""
    notes = comments_of(_GLOBALS.read_text(encoding="utf-8"))
    rows = [
        (code(name), code(_shown(value)), notes.get(name, ""))
        for name, value in configuration()["globals"].items()
    ]
    return table(("name", "in conf/base", "meaning"), rows)


def grouped() -> dict[str, list[Parameter]]:
    """Return the parameters of each group in `parameters.yml`."""
    notes = comments_of(_FILE.read_text(encoding="utf-8"))
    kinds = kinds_of_groups()
    found: dict[str, list[Parameter]] = {}
    for group, values in configuration()["parameters"].items():
        told = attributes(kinds[group]) if group in kinds else {}
        found[group] = [
            Parameter(name, value, told.get(name.rpartition(".")[2]) or notes.get(name, ""))
            for name, value in _flatten(group, values)
        ]
    return found


def kinds_of_groups() -> dict[str, type]:
    """Return the class that checks each group: the type that nodes give to `params:GROUP`."""
    found: dict[str, type] = {}
    for pipeline in pipelines().values():
        for node in pipeline.nodes:
            hints = inspect.signature(node.func).parameters.values()
            for dataset, hint in zip(node.inputs, hints, strict=False):
                if dataset.startswith(_PREFIX) and inspect.isclass(hint.annotation):
                    found[dataset.removeprefix(_PREFIX)] = hint.annotation
    return {group: kind for group, kind in found.items() if kind is not dict}


def comments_of(text: str) -> dict[str, str]:
    """Return the comments beside the keys of a YAML file, by the keys' path joined by dots.

    A comment may go on in the lines below, if these hold nothing else.
    """
    found: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    name = ""
    for line in text.splitlines():
        entry, goes_on = _LINE.match(line), _GOES_ON.match(line)
        if entry:
            depth = len(entry[1])
            path = [(at, key) for at, key in path if at < depth] + [(depth, entry[2])]
            name = ".".join(key for _, key in path)
            if entry["comment"]:
                found[name] = entry["comment"]
        elif goes_on and name in found:
            found[name] += " " + goes_on[1]
        else:
            name = ""
    return found


def _flatten(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        yield name, value
        return
    for key, inner in value.items():
        yield from _flatten(f"{name}.{key}", inner)


def _users_of_groups() -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    for name, pipeline in pipelines().items():
        for source in sorted(pipeline.inputs()):
            if source.startswith(_PREFIX):
                users.setdefault(source.removeprefix(_PREFIX), []).append(name)
    return users


def _shown(value: Any) -> str:
    return '""' if value == "" else str(value)

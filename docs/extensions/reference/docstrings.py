"""What docstrings of the code say, in pieces."""

import inspect
import re

_ENTRY = re.compile(r"^ {4}(\w+): ")


def first_sentence(of: object) -> str:
    """Return the first paragraph of a docstring in one line; empty if there is none."""
    text = inspect.getdoc(of) or ""
    return " ".join(text.partition("\n\n")[0].split())


def attributes(kind: type) -> dict[str, str]:
    """Return what a class says of its attributes, by name, as written under `Attributes:`."""
    text = inspect.getdoc(kind) or ""
    _, _, listed = text.partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in listed.splitlines():
        entry = _ENTRY.match(line)
        if entry:
            name = entry[1]
            found[name] = line[entry.end() :]
        elif line.startswith(" " * 8) and name:
            found[name] += " " + line.strip()
        elif line.strip():
            break
    return found

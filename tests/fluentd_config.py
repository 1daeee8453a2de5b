"""Fluentd's configuration file, read strictly, and the route that an event takes through it."""

import re
from dataclasses import dataclass, field
from typing import Self

_OPENING = re.compile(r"<(\w+)(?: +([^>]*?))? *>")
_PARAMETER = re.compile(r"(@?\w+) +(\S.*)")


@dataclass
class Section:
    """A section: `<name argument> … </name>`.

    Attributes:
        name: Such as `match`.
        argument: Such as the tags that it matches.
        parameters: Its own parameters.
        sections: The sections in it.
    """

    name: str = ""
    argument: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    sections: list[Self] = field(default_factory=list)

    def all(self, name: str) -> list[Self]:
        """Return the sections of a name, in their order."""
        return [section for section in self.sections if section.name == name]

    def route(self, tag: str) -> Self | None:
        """Return the output that takes an event: the first whose patterns fit its tag."""
        fitting = (
            match
            for match in self.all("match")
            if any(fits(pattern, tag) for pattern in match.argument.split())
        )
        return next(fitting, None)


def parse(text: str) -> Section:
    """Return the file as a section; raise a ValueError at the first line that is none of it."""
    stack = [Section()]
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()  # noqa: PLW2901
        if not line or line.startswith("#"):
            continue
        if line.startswith("</"):
            if len(stack) == 1 or line != f"</{stack[-1].name}>":
                raise ValueError(f"line {number}: {line} closes nothing")
            stack.pop()
        elif opening := _OPENING.fullmatch(line):
            section = Section(opening[1], opening[2] or "")
            stack[-1].sections.append(section)
            stack.append(section)
        elif (parameter := _PARAMETER.fullmatch(line)) and len(stack) > 1:
            if parameter[1] in stack[-1].parameters:
                raise ValueError(f"line {number}: {parameter[1]} is said twice")
            stack[-1].parameters[parameter[1]] = parameter[2]
        else:
            raise ValueError(f"line {number}: {line}")
    if len(stack) > 1:
        raise ValueError(f"<{stack[-1].name}> is not closed")
    return stack[0]


def fits(pattern: str, tag: str) -> bool:
    """Return whether a pattern matches a tag: `*` is one part of it, `**` any number of parts."""
    parts = []
    for part in pattern.split("."):
        if not re.fullmatch(r"\*\*|[\w*-]+", part):
            raise ValueError(f"{pattern} is more than this reader knows")
        parts.append(".*" if part == "**" else re.escape(part).replace(r"\*", "[^.]*"))
    return re.fullmatch(r"\.".join(parts), tag) is not None

"""What the Makefile offers, for tests of files that call it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def make_targets() -> set[str]:
    """Return the targets of the Makefile that are described, and so meant to be typed."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):(?!=).*##", text, re.MULTILINE))


def targets_called(command: str) -> list[str]:
    """Return the targets that `make …` in a shell line names; options and variables are none."""
    found = []
    for call in re.findall(r"\bmake\s+([^|>&;\n]*)", command):
        found += [word for word in call.split() if re.fullmatch(r"[a-z][a-z-]*", word)]
    return found

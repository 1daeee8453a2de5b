"""Pieces of Markdown."""

import math
from collections.abc import Iterable, Sequence
from typing import Any


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table; numbers stand at the right, as the header's second column and later ones."""
    lines = [list(header), ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def facts(pairs: Iterable[tuple[str, Any]]) -> str:
    """Return a table of two columns: what, and its value."""
    lines = [("", ""), ("---", "---"), *pairs]
    return "\n".join(f"| {_cell(name)} | {_cell(value)} |" for name, value in lines)


def bullets(sentences: Iterable[str]) -> str:
    """Return a list."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def number(value: float | None, form: str = ".4f") -> str:
    """Return a number in a form, a dash for none."""
    return "–" if value is None or not math.isfinite(value) else format(value, form)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")

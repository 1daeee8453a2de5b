"""Pieces of Markdown pages."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; cells may hold Markdown, line breaks in them become spaces."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_to_cell, line)) + " |" for line in lines)


def code(text: object) -> str:
    """Return a text as code; nothing for an empty one."""
    return f"`{text}`" if str(text) else ""


def codes(texts: Iterable[object]) -> str:
    """Return texts as code, separated by commas."""
    return ", ".join(code(text) for text in texts)


def section(level: int, title: str, *parts: str) -> str:
    """Return a heading and what stands under it."""
    return "\n\n".join(["#" * level + " " + title, *filter(None, parts)])


def join(parts: Iterable[str]) -> str:
    """Return sections one after the other."""
    return "\n\n".join(parts)


def _to_cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")

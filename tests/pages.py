"""The project's pages as tests read them: links, headings, blocks of code, commands."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from make_targets import ROOT

_FOLDERS = (
    "docs/**/*.md",
    "benchmarks/**/*.md",
    "notebooks/*.ipynb",
    "notebooks/*.md",
    "data/01_raw/sample/*.md",
)
_SHELL = ("", "bash", "sh", "shell", "console")
MORE = "…"
"""What stands for words that are left out."""

_PUNCTUATION = frozenset("();<>|&")


@dataclass(frozen=True)
class Link:
    """A link of a page.

    Attributes:
        line: Where it stands.
        target: Where it leads.
    """

    line: int
    target: str


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        line: Where it begins.
        language: As named behind the fence; empty for none.
        text: What stands in it.
    """

    line: int
    language: str
    text: str


def find_pages() -> list[Path]:
    """Return all pages that people read."""
    found = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    for pattern in _FOLDERS:
        # What pip installed for the benchmarks has pages, too.
        found += [path for path in sorted(ROOT.glob(pattern)) if ".venv" not in path.parts]
    return found


def read_page(path: Path) -> str:
    """Return a page's Markdown; of a notebook that of its cells of text."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


@cache
def _tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def find_links(text: str) -> list[Link]:
    """Return the links and pictures of a page that lead to files of the project."""
    found = []
    for token in _tokens(text):
        for child in token.children or ():
            target = child.attrs.get("href") or child.attrs.get("src")
            if target and not re.match(r"[a-z]+:", str(target)):
                found.append(Link(_line_of(token), str(target)))
    return found


def find_anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    tokens = _tokens(text)
    titles = [after for before, after in pairwise(tokens)
              if before.type == "heading_open"]  # fmt: skip
    plain = ["".join(c.content for c in title.children or ()) for title in titles]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in plain}


def find_blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [
        Block(_line_of(token), token.info.strip().partition(" ")[0], token.content)
        for token in _tokens(text)
        if token.type == "fence"
    ]


def find_commands(text: str) -> Iterator[tuple[int, list[str]]]:
    """Return the words of each command in a page: in blocks of shell lines and within sentences.

    A sentence may speak of a command without all that it needs: `MORE` stands for the rest.
    """
    for block in find_blocks(text):
        if block.language in _SHELL:
            for number, line in enumerate(block.text.replace("\\\n", " ").splitlines()):
                for words in split_commands(line.strip().removeprefix("$ ")):
                    yield block.line + number + 1, words
    for token in _tokens(text):
        for child in token.children or ():
            if child.type == "code_inline":
                for words in split_commands(child.content):
                    yield _line_of(token), [*words, MORE]


def split_commands(line: str) -> list[list[str]]:
    """Return the words of each simple command of a shell line; none if it is no shell line.

    What stands after two spaces is what a program says of a command, or a comment.
    """
    lexer = shlex.shlex(re.split(r"\s{2,}", line)[0], posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, "#"
    try:
        tokens = list(lexer)
    except ValueError:
        return []
    found: list[list[str]] = [[]]
    for token in tokens:
        if set(token) <= _PUNCTUATION:
            found.append([])
        elif found[-1] or not re.match(r"[A-Za-z_]+=", token):
            found[-1].append(token)
    return [words for words in found if words]


def read_tables(text: str) -> dict[str, list[str]]:
    """Return the rows of all tables of a page, by each code that stands in their first cell."""
    rows: dict[str, list[str]] = {}
    cells: list[Token] = []
    for token in _tokens(text):
        if token.type == "tr_open":
            cells = []
        elif token.type == "inline":
            cells.append(token)
        elif token.type == "tr_close" and cells:
            for name in (c for c in cells[0].children or () if c.type == "code_inline"):
                rows[name.content] = [cell.content for cell in cells[1:]]
    return rows


def _line_of(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0

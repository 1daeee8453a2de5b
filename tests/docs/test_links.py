"""Links within the project lead somewhere. `make docs LINKS=check` asks those to the web."""

from pathlib import Path

import pytest

from make_targets import ROOT
from pages import find_anchors, find_blocks, find_links, find_pages, read_page


def dead_links(path: Path, text: str) -> list[str]:
    """Return the links of a page that lead nowhere, with their lines."""
    dead = []
    for link in find_links(text):
        name, _, anchor = link.target.partition("#")
        target = (path.parent / name).resolve() if name else path
        there = target.exists()
        if there and anchor and target.suffix == ".md":
            there = anchor in anchors_of(target, text if target == path else None)
        if not there:
            dead.append(f"line {link.line}: {link.target}")
    return dead


def anchors_of(path: Path, text: str | None = None) -> set[str]:
    from generated_text import fill_in

    return find_anchors(fill_in(read_page(path) if text is None else text))


@pytest.mark.parametrize("path", find_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    assert dead_links(path, read_page(path)) == []


def test_a_dead_link_is_found():
    text = "# A page\n\n[x](gone.md), [y](#a-page), [z](#no-page), [w](glossary.md#nothing)"
    found = dead_links(ROOT / "docs/sample.md", text)
    assert found == ["line 3: gone.md", "line 3: #no-page", "line 3: glossary.md#nothing"]


def test_every_page_is_in_the_contents_of_the_site():
    """Sphinx says so, too, but only when the site is built."""
    blocks = find_blocks((ROOT / "docs/index.md").read_text(encoding="utf-8"))
    lines = [line for b in blocks if b.language == "{toctree}" for line in b.text.splitlines()]
    entries = [line for line in lines if line and not line.startswith(":")]
    for page in sorted((ROOT / "docs").glob("**/*.md")):
        name = str(page.relative_to(ROOT / "docs").with_suffix(""))
        matches = [entry for entry in entries if Path(name).match(entry)]
        assert matches or name == "index", name

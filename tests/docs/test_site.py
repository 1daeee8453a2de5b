"""The site as `make docs` builds it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from make_targets import ROOT
from pages import find_pages


def build(source: Path, out: Path) -> subprocess.CompletedProcess:
    """Build a site as the Makefile does."""
    options = ["--quiet", "--fail-on-warning", "--fresh-env", "--conf-dir", source / "docs"]
    folders = ["--doctree-dir", out / "doctrees", source, out / "site"]
    command = [sys.executable, "-m", "sphinx", "-b", "html", *options, *folders]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("docs")
    built = build(ROOT, out)
    assert built.returncode == 0, built.stderr
    return out / "site"


@pytest.fixture(scope="module")
def html(site) -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}


def test_every_page_is_there(site):
    left_out = {ROOT / "README.md", ROOT / "data/01_raw/sample/README.md"}
    for page in set(find_pages()) - left_out:
        assert (site / page.relative_to(ROOT)).with_suffix(".html").is_file(), page


def test_the_sites_own_address_leads_to_the_first_page(site, html):
    first = re.search(r'url=([^"]+)"', html[site / "index.html"])
    assert first is not None
    assert "you want to" in html[site / first[1]]


def test_nothing_is_loaded_from_elsewhere(html):
    loaded = re.compile(r'<(?:script|img|iframe|link)[^>]* (?:src|href)="((?:https?:)?//[^"]+)"')
    assert {address for text in html.values() for address in loaded.findall(text)} == set()


def test_nothing_tells_of_this_machine(site):
    said = [path for path in site.rglob("*") if path.is_file() and str(ROOT).encode() in
            path.read_bytes()]  # fmt: skip
    assert said == []


def test_formulas_are_drawn_without_scripts(site, html):
    gate = html[site / "docs/explanation/gate.html"]
    assert gate.count("<math") > 10
    assert "\\frac" not in gate


def test_tables_of_the_reference_are_filled_in(site, html):
    pages = [text for path, text in html.items() if path.parent == site / "docs/reference"]
    assert len(pages) >= 10
    assert not [text for text in pages if "generated:" in text]
    assert "training.max_training_rows" in html[site / "docs/reference/parameters.html"]


def test_pages_with_mistakes_are_not_built(tmp_path):
    mistakes = {
        "[gone](other.md)": "other.md",
        "[gone](#nowhere)": "nowhere",
        "```math\n\\nonsense\n```": "nonsense",
        "```{toctree}\nno-page\n```": "no-page",
    }
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("*.md"))
    text = "\n\n".join(["# A site", *mistakes])
    (tmp_path / "docs/index.md").write_text(text, encoding="utf-8")
    built = build(tmp_path, tmp_path / "out")
    assert built.returncode != 0
    assert [told for told in mistakes.values() if told not in built.stderr] == []

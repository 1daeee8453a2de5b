"""Leads from the site's own address to its first page, which lies in docs/ as its source does."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="refresh" content="0; url={first}"></head>
<body><a href="{first}">{title}</a></body></html>
"""


def write_start_page(app: "Sphinx", failure: Exception | None) -> None:
    """Write index.html, which leads on."""
    if failure is None and app.builder.format == "html":
        first = app.builder.get_target_uri(app.config.root_doc)
        page = _PAGE.format(title=app.config.html_title, first=first)
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app: "Sphinx") -> dict[str, Any]:
    """Write it when all other pages are written."""
    app.connect("build-finished", write_start_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

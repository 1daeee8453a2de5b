"""Leaves patterns that no page matches out of the first page's tables of contents."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def leave_out_unmatched(text: str, root: Path, folder: Path) -> str:
    """Return a page without the lines that are a pattern of pages and match none.

    Args:
        text: The page.
        root: Where patterns that begin with `/` are meant from.
        folder: Where others are meant from.
    """
    kept = []
    for line in text.split("\n"):
        is_pattern = line.endswith("*") and " " not in line
        within = root if line.startswith("/") else folder
        if not is_pattern or any(within.glob(line.lstrip("/") + ".*")):
            kept.append(line)
    return "\n".join(kept)


def setup(app: "Sphinx") -> dict[str, Any]:
    """Read the first page so."""

    def on_read(_: "Sphinx", page: str, source: list[str]) -> None:
        if page == app.config.root_doc:
            root = Path(app.srcdir)
            source[0] = leave_out_unmatched(source[0], root, (root / page).parent)

    app.connect("source-read", on_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

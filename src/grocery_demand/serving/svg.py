"""Parts of SVG pictures."""

from collections.abc import Iterable, Sequence
from html import escape


def tag(name: str, kind: str, inner: str = "", **attributes: float | str) -> str:
    """Return an element; `inner` has to be escaped already."""
    shown = "".join(
        f' {key}="{value if isinstance(value, str) else f"{value:.1f}"}"'
        for key, value in attributes.items()
    )
    kind = f' class="{kind}"' if kind else ""
    return f"<{name}{kind}{shown}>{inner}</{name}>"


def join(points: Sequence[tuple[float, float]]) -> str:
    """Return points as polylines and polygons take them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def picture(title: str, parts: Iterable[str], width: int, height: int) -> str:
    """Return the whole picture; its title is told to those who do not see it."""
    told = escape(title)
    inner = tag("title", "", told) + "".join(parts)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{told}">{inner}</svg>'

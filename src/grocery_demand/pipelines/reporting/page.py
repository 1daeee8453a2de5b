"""The report as one web page that needs no network: the model card, then the figures."""

from collections.abc import Iterable
from html import escape

import plotly.graph_objects as go
from markdown_it import MarkdownIt

_STYLE = """
body { font: 15px/1.5 sans-serif; color: #333; max-width: 1100px; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0 }
td, th { border-bottom: 1px solid #ddd; padding: .25em .75em; text-align: left }
blockquote { border-left: 4px solid #e69f00; margin: 1em 0; padding: .1em 1em; background: #fdf6e6 }
code, pre { background: #f4f4f4; overflow-wrap: anywhere }
pre { padding: .75em; overflow-x: auto }
"""
_CONFIG = {"displaylogo": False, "responsive": True}


def build_page(title: str, model_card: str, figures: Iterable[go.Figure]) -> str:
    """Return the page as HTML with plotly's program inside, the same text for the same inputs."""
    parts = [
        figure.to_html(
            full_html=False,
            include_plotlyjs=position == 0,
            div_id=f"figure-{position + 1}",
            config=_CONFIG,
        )
        for position, figure in enumerate(figures)
    ]
    # Without raw HTML: words of the data stand in the card.
    card = MarkdownIt("commonmark", {"html": False}).enable("table").render(model_card)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join([card, "<h1>Figures</h1>", *parts])
        + "\n</body>\n</html>\n"
    )

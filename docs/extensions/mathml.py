"""Formulas as MathML, which browsers draw by themselves: no script from elsewhere, no TeX."""

from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)


def write_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a sentence."""
    translator.body.append(_draw(node, as_block=False))
    raise nodes.SkipNode


def write_block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula in a line of its own."""
    translator.body.append(f'<div class="formula">{_draw(node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def _draw(node: nodes.Element, *, as_block: bool) -> str:
    """Return a formula as MathML; as it was written, with a warning, if it cannot be read."""
    try:
        return str(tex2mathml(node.astext(), as_block=as_block))
    except MathError as error:
        logger.warning("A formula cannot be read: %s", error, location=node)
        return f"<code>{escape(node.astext())}</code>"


def setup(app: "Sphinx") -> dict[str, Any]:
    """Make it the way formulas are written."""
    app.add_html_math_renderer("mathml", (write_inline, None), (write_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}

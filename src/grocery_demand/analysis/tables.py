"""Tables of the notebooks: readable numbers, and a caption that says what they are."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from grocery_demand.core.panel import Panel

SIMULATED = "simulated data"

_CAPTION: Any = {
    "selector": "caption",
    "props": "text-align: left; padding-bottom: 0.4em; font-weight: bold; white-space: nowrap",
}  # fmt: skip


def note_of_data(panel: Panel) -> str:
    """Return what has to stand beside every number of simulated sales; nothing for real ones."""
    return SIMULATED if panel.simulated else ""


def show_table(
    table: pd.DataFrame | pd.Series,
    caption: str,
    note: str = "",
    formats: Mapping[str, str] | None = None,
) -> Styler:
    """Return a table as notebooks show it.

    Args:
        table: What to show; a plain index is left out.
        caption: What it is.
        note: What has to be known of the data, see `note_of_data`.
        formats: By column, how numbers are written, as in `{:.1%}`.
    """
    frame = table.reset_index() if isinstance(table, pd.Series) else table
    dates = dict.fromkeys(frame.select_dtypes("datetime"), "{:%Y-%m-%d}")
    written: Any = dates | dict(formats or {})
    styler = frame.style.format(written, na_rep="–", precision=3, escape="html")
    if isinstance(frame.index, pd.RangeIndex):
        styler = styler.hide(axis="index")
    styler = styler.set_caption(" · ".join(part for part in (caption, note) if part))
    # Names and dates are read from the left, numbers from the right; so are their headings.
    words = [i for i, kind in enumerate(frame.dtypes) if not pd.api.types.is_numeric_dtype(kind)]
    left: list[Any] = [
        {"selector": f"th.col{i}, td.col{i}", "props": "text-align: left"} for i in words
    ]
    return styler.set_table_styles([_CAPTION, *left])

"""The look that all figures share: colours that colour-blind people can tell apart, small JSON."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

INK = "#333333"
GRID = "#e6e6e6"
MUTED = "#8c8c8c"
BLUE = "#0072b2"
ORANGE = "#e69f00"
VERMILION = "#d55e00"

MODEL_COLOUR = BLUE
BASELINE_MARKS = {
    "moving_average": {"color": ORANGE, "symbol": "diamond"},
    "seasonal_naive": {"color": MUTED, "symbol": "square"},
}
"""Colour and symbol of each baseline (colours after Okabe and Ito 2008)."""

DATE_FORMAT = "%Y-%m-%d"

_LEGEND_TOP = 68
"""Pixels above the legend: title and subtitle."""

_AXIS = {
    "gridcolor": GRID,
    "linecolor": MUTED,
    "zeroline": False,
    "automargin": True,
    "title": {"standoff": 8},
}


def new_figure(title: str, subtitle: Iterable[str], height: int) -> go.Figure:
    """Return an empty figure in the common look.

    Args:
        title: What it shows.
        subtitle: Parts of the line below; empty ones are left out.
        height: In pixels.
    """
    line = " · ".join(part for part in subtitle if part)
    return go.Figure(
        layout={
            # A name keeps plotly from writing its whole default template into the JSON.
            "template": "none",
            "title": {
                "text": title,
                "subtitle": {"text": line, "font": {"size": 12, "color": MUTED}},
                "font": {"size": 18},
                "x": 0,
                "xref": "container",
                "y": 1,
                "yanchor": "top",
                "yref": "container",
                "pad": {"t": 16, "l": 20},
            },
            "font": {"family": "sans-serif", "size": 12, "color": INK},
            "paper_bgcolor": "white",
            "plot_bgcolor": "white",
            "height": height,
            "margin": {"l": 70, "r": 30, "t": 110, "b": 60},
            "legend": {
                "orientation": "h",
                "x": 0.015,
                "xref": "container",
                "y": 1 - _LEGEND_TOP / height,
                "yref": "container",
                "yanchor": "top",
                "traceorder": "normal",
            },
            "hoverlabel": {"align": "left"},
        }
    )


def style_axes(figure: go.Figure) -> go.Figure:
    """Give all axes the common look; called when they are all there."""
    figure.update_xaxes(_AXIS)
    figure.update_yaxes(_AXIS)
    return figure


def to_days(dates: Iterable[Any]) -> list[str]:
    """Return ISO dates."""
    return list(np.datetime_as_string(np.asarray(dates, "datetime64[D]")))


def to_numbers(values: Any, decimals: int = 2) -> list[float | None]:
    """Return plain rounded numbers, None for NaN."""
    rounded = np.asarray(values, float).round(decimals)
    return [None if np.isnan(value) else float(value) for value in rounded]


def in_words(name: str) -> str:
    """Return a column's or model's name as it stands in a sentence."""
    return name.replace("_", " ")


def span_of(dates: pd.Series) -> str:
    """Return first and last date."""
    return f"{dates.min():{DATE_FORMAT}} … {dates.max():{DATE_FORMAT}}"

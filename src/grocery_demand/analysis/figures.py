"""Figures of sales and of the event log, in the look of the reports."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio

from grocery_demand.figure_style import (
    BLUE,
    DATE_FORMAT,
    INK,
    MUTED,
    ORANGE,
    VERMILION,
    new_figure,
    style_axes,
    to_days,
    to_numbers,
)

if pio.renderers.default == "plotly_mimetype":
    # JupyterLab knows plotly's own type of output; pages made of notebooks know HTML only.
    pio.renderers.default = "plotly_mimetype+notebook"

BAR_HEIGHT, FRAME_HEIGHT = 22, 190
_USUAL_DAYS = 7
"""Days from which on their bars fill the width."""

_COLOURS = (BLUE, VERMILION, ORANGE, MUTED, INK)


def draw_days(
    totals: pd.DataFrame, missing: pd.DataFrame, title: str, subtitle: Iterable[str]
) -> go.Figure:
    """Draw the units of each day, and mark the days without any row.

    Args:
        totals: One row per day: date, units.
        missing: The days to mark: date.
        title: What it shows.
        subtitle: Parts of the line below.
    """
    figure = new_figure(title, subtitle, 420)
    days = totals.assign(units=totals["units"].where(totals["rows"] > 0))
    line = {"color": BLUE, "width": 1}
    figure.add_scatter(
        x=to_days(days["date"]), y=to_numbers(days["units"]), mode="lines", line=line, name="units"
    )
    mark = {"color": VERMILION, "size": 9, "symbol": "x"}
    zero = [0] * len(missing)
    figure.add_scatter(
        x=to_days(missing["date"]),
        y=zero,
        mode="markers",
        marker=mark,
        name="no row at all",
        cliponaxis=False,
    )
    figure.update_yaxes(title_text="units sold a day", rangemode="tozero", tickformat=",d")
    figure.update_xaxes(tickformat=DATE_FORMAT, nticks=10)
    return style_axes(figure)


def draw_bars(
    values: pd.Series,
    title: str,
    subtitle: Iterable[str],
    unit: str,
    *,
    as_percent: bool = False,
    reference: float | None = None,
) -> go.Figure:
    """Draw one bar per entry, the first on top.

    Args:
        values: By name; NaN is left blank.
        title: What it shows.
        subtitle: Parts of the line below.
        unit: What the axis measures.
        as_percent: Whether values are shares, shown as percent.
        reference: Value from which the bars begin and where a line stands; 0 by default.
    """
    figure = new_figure(title, subtitle, FRAME_HEIGHT + BAR_HEIGHT * len(values))
    base = reference or 0.0
    form = "%{text}<extra></extra>"
    whole = bool((values.dropna() % 1 == 0).all())
    texts = [f"{v:.1%}" if as_percent else f"{v:,.0f}" if whole else f"{v:,.2f}" for v in values]
    figure.add_bar(
        x=to_numbers(values.to_numpy(float) - base, 4), y=[str(name) for name in values.index],
        base=base, orientation="h", marker_color=BLUE, text=texts, hovertemplate=form,
        textposition="auto", cliponaxis=False, showlegend=False,
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    figure.update_xaxes(title_text=unit, tickformat=".0%" if as_percent else None)
    if reference is not None:
        figure.add_vline(reference, line={"color": INK, "width": 1})
    return without_legend(style_axes(figure))


def draw_histogram(
    shares: Mapping[str, np.ndarray], title: str, subtitle: Iterable[str], unit: str, counted: str
) -> go.Figure:
    """Draw how many of each group have which share, in steps of 5 %.

    Args:
        shares: Values from 0 to 1, by name of the group.
        title: What it shows.
        subtitle: Parts of the line below.
        unit: What the values measure.
        counted: What is counted.
    """
    figure = new_figure(title, subtitle, 400)
    edges = np.linspace(0, 1, 21)
    for colour, (name, values) in zip(_COLOURS, shares.items(), strict=False):
        counts, _ = np.histogram(values, edges)
        centres = to_numbers((edges[:-1] + edges[1:]) / 2, 3)
        figure.add_bar(x=centres, y=counts.tolist(), name=name, marker_color=colour)
    figure.update_layout(barmode="stack", bargap=0.05)
    figure.update_xaxes(title_text=unit, tickformat=".0%")
    figure.update_yaxes(title_text=counted, tickformat=",d")
    return style_axes(figure)


def draw_heatmap(
    table: pd.DataFrame, title: str, subtitle: Iterable[str], *, middle: float = 1.0
) -> go.Figure:
    """Draw a table of factors as colours: blue below the middle, red above.

    Args:
        table: Factors; rows and columns are named.
        title: What it shows.
        subtitle: Parts of the line below.
        middle: The factor that has no colour.
    """
    values = table.to_numpy(float)
    reach = float(np.nanmax(np.abs(values - middle), initial=0.1))
    figure = new_figure(title, subtitle, FRAME_HEIGHT + BAR_HEIGHT * len(table))
    figure.add_heatmap(
        z=[to_numbers(row) for row in values], x=list(table.columns),
        y=[str(name) for name in table.index], zmin=middle - reach, zmax=middle + reach,
        colorscale=[[0, BLUE], [0.5, "white"], [1, VERMILION]], xgap=1, ygap=1,
        text=[[f"{v:.2f}" for v in row] for row in values], texttemplate="%{text}",
        hovertemplate="%{y}, %{x}: %{text}<extra></extra>", colorbar={"title": "factor"},
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(side="top")
    return without_legend(style_axes(figure), top=110).update_layout(margin_b=20)


def draw_requests(by_day: pd.DataFrame, title: str, subtitle: Iterable[str]) -> go.Figure:
    """Draw the questions of each day: within the horizon, beyond it, refused.

    Args:
        by_day: One row per day: date, requests, long_range, refused.
        title: What it shows.
        subtitle: Parts of the line below.
    """
    figure = new_figure(title, subtitle, 400)
    parts = {
        "within the horizon": by_day["requests"] - by_day["long_range"],
        "long range": by_day["long_range"],
        "refused": by_day["refused"],
    }
    width = 0.8 * min(len(by_day) / _USUAL_DAYS, 1)
    for colour, (name, values) in zip((BLUE, ORANGE, VERMILION), parts.items(), strict=True):
        figure.add_bar(
            x=by_day["date"].tolist(), y=values.astype(int).tolist(), name=name,
            marker_color=colour, width=width,
        )  # fmt: skip
    figure.update_layout(barmode="stack")
    figure.update_xaxes(type="category", title_text="day (UTC)")
    figure.update_yaxes(title_text="questions", tickformat=",d")
    return style_axes(figure)


def without_legend(figure: go.Figure, top: int = 80) -> go.Figure:
    """Take back the room that a legend would need."""
    return figure.update_layout(margin_t=top, showlegend=False)

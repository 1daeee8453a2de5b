"""Figures of models: trials, runs, single forecasts."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from grocery_demand.analysis.figures import BAR_HEIGHT, FRAME_HEIGHT, without_legend
from grocery_demand.core.intervals import INTERVAL, INTERVAL_LEVEL
from grocery_demand.core.one_forecast import ForecastInParts
from grocery_demand.core.panel import SERIES_KEY, Panel
from grocery_demand.figure_style import (
    BASELINE_MARKS,
    BLUE,
    DATE_FORMAT,
    GRID,
    INK,
    MUTED,
    VERMILION,
    new_figure,
    style_axes,
    to_days,
    to_numbers,
)

_BAND = "rgba(0,114,178,0.18)"
_SALES_SHOWN = 56


def draw_changes(summary: pd.DataFrame, title: str, subtitle: Iterable[str]) -> go.Figure:
    """Draw the change of the error by each trial with its interval.

    Args:
        summary: See `core.feature_trials.summarise_trials`.
        title: What it shows.
        subtitle: Parts of the line below.
    """
    figure = new_figure(title, subtitle, FRAME_HEIGHT + 60 * len(summary))
    reach = {
        "type": "data", "symmetric": False, "color": INK,
        "array": to_numbers(summary["high"] - summary["change"], 5),
        "arrayminus": to_numbers(summary["change"] - summary["low"], 5),
    }  # fmt: skip
    figure.add_scatter(
        x=to_numbers(summary["change"], 5), y=summary["trial"].tolist(), error_x=reach,
        mode="markers", marker={"color": BLUE, "size": 12}, showlegend=False,
        text=summary["finding"].tolist(), hovertemplate="%{y}: %{x:+.2%}, %{text}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(0, line={"color": INK, "width": 1})
    figure.update_xaxes(title_text="change of NWRMSLE (left is better)", tickformat="+.1%")
    figure.update_yaxes(type="category", range=[len(summary) - 0.5, -0.5])
    return without_legend(style_axes(figure))


def draw_runs(runs: pd.DataFrame, title: str, subtitle: Iterable[str]) -> go.Figure:
    """Draw the NWRMSLE of each run on the holdout, beside the moving average's on the same rows.

    Args:
        runs: See `datasets.training_runs`, with `label`.
        title: What it shows.
        subtitle: Parts of the line below.
    """
    figure = new_figure(title, subtitle, FRAME_HEIGHT + 2 * BAR_HEIGHT * len(runs))
    own = {"color": BLUE, "symbol": "circle", "size": 13}
    average = BASELINE_MARKS["moving_average"] | {"size": 9}
    for name, column, mark in (
        ("moving average", "baseline_moving_average_nwrmsle", average),
        ("the run's model", "nwrmsle", own),
    ):
        values = runs.get(column, pd.Series(np.nan, runs.index))
        figure.add_scatter(
            x=to_numbers(values, 4), y=runs["label"].tolist(), mode="markers", name=name,
            marker=mark, hovertemplate="%{y}: %{x:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="NWRMSLE on the holdout (lower is better)", tickformat=".3f")
    figure.update_yaxes(type="category", range=[len(runs) - 0.5, -0.5])
    return style_axes(figure)


def draw_parts(parts: ForecastInParts, title: str, subtitle: Iterable[str]) -> go.Figure:
    """Draw how a forecast comes about: from recent weeks, driver by driver, to the forecast.

    Args:
        parts: See `core.one_forecast`.
        title: What it shows.
        subtitle: Parts of the line below.
    """
    table = parts.drivers
    reached = np.concatenate([[parts.usual], table["units"]])
    names = ["recent weeks, that weekday", *table["driver"], "forecast"]
    heights = [parts.usual, *np.diff(reached), parts.units["point"]]
    texts = [f"{parts.usual:.1f}", *(f"{f - 1:+.1%}" for f in table["factor"])]
    figure = new_figure(title, subtitle, 480)
    figure.add_waterfall(
        x=names, y=to_numbers(heights, 3), text=[*texts, f"{parts.units['point']:.1f}"],
        measure=["absolute", *["relative"] * len(table), "total"], textposition="outside",
        increasing_marker_color=BLUE, decreasing_marker_color=VERMILION,
        totals_marker_color=MUTED, connector_line={"color": GRID, "width": 1},
        hovertemplate="%{x}: %{y:.2f} units<extra></extra>", showlegend=False, cliponaxis=False,
    )  # fmt: skip
    figure.update_yaxes(title_text="units", rangemode="tozero")
    figure.update_xaxes(tickangle=-35)
    return without_legend(style_axes(figure))


def draw_forecast(
    panel: Panel, row: int, forecasts: pd.DataFrame, title: str, subtitle: Iterable[str]
) -> go.Figure:
    """Draw the recent sales of a series, its forecasts and their intervals.

    Args:
        panel: Sales.
        row: Position of the series.
        forecasts: Forecasts; rows of other series are left out.
        title: What it shows.
        subtitle: Parts of the line below.
    """
    key = panel.series.iloc[row][SERIES_KEY]
    own = forecasts[(forecasts[SERIES_KEY] == key).all(axis=1)].sort_values("date")
    days = np.arange(max(panel.n_days - _SALES_SHOWN, 0), panel.n_days)
    figure = new_figure(title, subtitle, 420)
    dates = to_days(own["date"])
    low, high = (to_numbers(own[name]) for name in INTERVAL)
    figure.add_scatter(
        x=[*dates, *dates[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=_BAND,
        line={"width": 0}, name=f"{INTERVAL_LEVEL:.0%} interval", hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=to_days(panel.start_date + days), y=to_numbers(panel.units[row, days]), name="sales",
        mode="lines+markers", line={"color": INK, "width": 1}, marker={"size": 4},
    )  # fmt: skip
    figure.add_scatter(
        x=dates, y=to_numbers(own["point"]), name="forecast", mode="lines+markers",
        line={"color": BLUE, "width": 2},
    )  # fmt: skip
    figure.update_yaxes(title_text="units a day", rangemode="tozero")
    figure.update_xaxes(tickformat=DATE_FORMAT, nticks=10)
    return style_axes(figure)

"""Figures over time: sales beside the holdout forecast and the coming days' forecast."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from grocery_demand.core.forecast_table import select_series, sum_points
from grocery_demand.core.intervals import INTERVAL
from grocery_demand.core.metrics import bias
from grocery_demand.core.panel import SERIES_KEY, Panel
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.table_parts import Table
from grocery_demand.figure_style import (
    DATE_FORMAT,
    INK,
    MODEL_COLOUR,
    VERMILION,
    new_figure,
    style_axes,
    to_days,
    to_numbers,
)
from grocery_demand.pipelines.reporting.examples import Example
from grocery_demand.pipelines.reporting.subject import Subject

SALES = "Sales"
HOLDOUT = "Forecast of the holdout"
COMING = "Forecast of the coming days"

_COLOURS = {HOLDOUT: MODEL_COLOUR, COMING: VERMILION}
_BANDS = {HOLDOUT: "rgba(0,114,178,0.18)", COMING: "rgba(213,94,0,0.18)"}
_COLUMNS = 2
_TOTAL_DAYS = 112


def draw_examples(
    panel: PanelParts,
    holdout: pd.DataFrame,
    forecasts: Table,
    examples: list[Example],
    subject: Subject,
) -> go.Figure:
    """Draw some series: recent sales, and the two forecasts with their 80 % bands."""
    n_rows = max(-(-len(examples) // _COLUMNS), 1)
    titles = [_name_series(example) for example in examples]
    parts = ("Units a day", "band: 80 % interval", *_name_models(subject), subject.data_note)
    figure = new_figure("Forecast against sales", parts, 120 + 230 * n_rows)
    gaps = {"vertical_spacing": 0.3 / n_rows, "horizontal_spacing": 0.08}
    make_subplots(n_rows, _COLUMNS, subplot_titles=titles, figure=figure, **gaps)
    coming = _select_forecasts(forecasts, examples) if examples else pd.DataFrame()
    for position, example in enumerate(examples):
        place = {"row": position // _COLUMNS + 1, "col": position % _COLUMNS + 1}
        for trace in _example_traces(panel.cutoff, holdout, coming, example):
            figure.add_trace(trace.update(showlegend=position == 0), **place)
        figure.update_yaxes(title_text="units", rangemode="tozero", **place)
    figure.update_annotations(font_size=13)
    figure.update_xaxes(tickformat=DATE_FORMAT, nticks=6)
    return style_axes(figure)


def _select_forecasts(forecasts: Table, examples: list[Example]) -> pd.DataFrame:
    keys = [(example.store_nbr, example.item_nbr) for example in examples]
    return select_series(forecasts, pd.DataFrame(keys, columns=SERIES_KEY, dtype=int))


def draw_totals(
    panel: PanelParts, holdout: pd.DataFrame, forecasts: Table, subject: Subject
) -> go.Figure:
    """Draw the units of all series together, with the sums of the two point forecasts."""
    days = np.arange(max(panel.n_days - _TOTAL_DAYS, 0), panel.n_days)
    sold = np.sum(panel.map(_add_up_units, days[0]), axis=0)
    lack = bias(holdout["unit_sales"].to_numpy(), holdout["point"].to_numpy())
    note = f"holdout forecast {lack:+.0%} against sales"
    parts = ("Units a day", note, *_name_models(subject), subject.data_note)
    figure = new_figure("Total sales of all series", parts, 460)
    figure.add_trace(_line(SALES, to_days(panel.start_date + days), sold, INK))
    for name, table in ((HOLDOUT, holdout), (COMING, forecasts)):
        total = sum_points(table)
        figure.add_trace(_line(name, to_days(total.index), total, _COLOURS[name]))
    figure.update_yaxes(title_text="units", rangemode="tozero", tickformat=",d")
    figure.update_xaxes(tickformat=DATE_FORMAT, nticks=10)
    return style_axes(figure)


def _name_models(subject: Subject) -> Iterable[str]:
    if subject.champion_is_scored:
        return (f"both forecasts by {subject.scored}",)
    return (f"holdout by {subject.scored}", f"coming days by {subject.champion}, the champion")


def _add_up_units(part: Panel, first_day: int) -> np.ndarray:
    return part.units[:, first_day:].sum(axis=0, dtype=float)


def _name_series(example: Example) -> str:
    key = f"store {example.store_nbr}, item {example.item_nbr}"
    return f"{example.role}: {key} ({example.family})"


def _example_traces(
    cutoff: np.datetime64, holdout: pd.DataFrame, coming: pd.DataFrame, example: Example
) -> list[go.Scatter]:
    days = np.arange(1 - len(example.units), 1)
    key = pd.Series({"store_nbr": example.store_nbr, "item_nbr": example.item_nbr})
    sold = _line(SALES, to_days(cutoff + days), example.units, INK)
    traces = [sold]
    for name, table in ((HOLDOUT, holdout), (COMING, coming)):
        rows = table[(table[SERIES_KEY] == key).all(axis=1)].sort_values("date")
        dates = to_days(rows["date"])
        traces += [_band(name, dates, rows), _line(name, dates, rows["point"], _COLOURS[name])]
    return traces


def _line(name: str, dates: list[str], values: Any, colour: str) -> go.Scatter:
    return go.Scatter(
        x=dates,
        y=to_numbers(values),
        name=name,
        mode="lines",
        line={"color": colour, "width": 1.5 if name == SALES else 2},
        legendgroup=name,
    )


def _band(name: str, dates: list[str], rows: pd.DataFrame) -> go.Scatter:
    lower, upper = (to_numbers(rows[name]) for name in INTERVAL)
    return go.Scatter(
        x=dates + dates[::-1],
        y=upper + lower[::-1],
        name=f"{name}, band",
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=_BANDS[name],
        hoverinfo="skip",
        legendgroup=name,
    )

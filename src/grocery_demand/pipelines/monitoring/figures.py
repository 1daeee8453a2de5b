"""Figures of what monitoring found; each says so where it has nothing to show yet."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from grocery_demand.figure_style import (
    BASELINE_MARKS,
    DATE_FORMAT,
    INK,
    MODEL_COLOUR,
    MUTED,
    VERMILION,
    in_words,
    new_figure,
    style_axes,
    to_days,
    to_numbers,
)

_STATE_COLOURS = {"ok": MODEL_COLOUR, "watch": "#e69f00", "alarm": VERMILION, "unknown": MUTED}
_PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
_MOST_BARS = 30
_NOTHING = "Nothing to show yet."


def draw_live_error(live_windows: pd.DataFrame, monitoring_summary: dict[str, Any]) -> go.Figure:
    """Draw the error of each window of days beside the baselines, the promise and the bar."""
    figure = _begin("Live error", monitoring_summary, "NWRMSLE of the 7 days up to each day", 440)
    if live_windows.empty:
        return _say_nothing(figure)
    dates = to_days(live_windows["date"])
    figure.add_trace(_line("this model", dates, live_windows["nwrmsle"], MODEL_COLOUR, 3))
    for name, mark in BASELINE_MARKS.items():
        figure.add_trace(_line(in_words(name), dates, live_windows[name], mark["color"]))
    figure.add_trace(_line("promised", dates, live_windows["promised"], INK, dash="dot"))
    figure.add_trace(_line("bar", dates, live_windows["bar"], VERMILION, dash="dash"))
    figure.update_yaxes(title_text="NWRMSLE", rangemode="tozero")
    figure.update_xaxes(tickformat=DATE_FORMAT, nticks=10)
    return style_axes(figure)


def draw_totals(outputs: pd.DataFrame, monitoring_summary: dict[str, Any]) -> go.Figure:
    """Draw what was sold and what is forecast, all monitored series together."""
    figure = _begin("Sold and forecast", monitoring_summary, "Units a day", 420)
    dates = to_days(outputs["date"])
    figure.add_trace(_line("sold", dates, outputs["sold"], INK))
    figure.add_trace(_line("forecast", dates, outputs["forecast"], VERMILION))
    figure.update_yaxes(title_text="units", rangemode="tozero", tickformat=",d")
    figure.update_xaxes(tickformat=DATE_FORMAT, nticks=10)
    return style_axes(figure)


def draw_drift(sales_drift: pd.DataFrame, monitoring_summary: dict[str, Any]) -> go.Figure:
    """Draw how far each column of the sales has moved, as a share of its threshold."""
    figure = _begin(
        "Drift of sales", monitoring_summary, "Index / threshold; above 1 it moved", 420
    )
    return _draw_ratios(figure, sales_drift, "column")


def draw_skew(feature_skew: pd.DataFrame, monitoring_summary: dict[str, Any]) -> go.Figure:
    """Draw how far each served feature lies from training's, as a share of its threshold."""
    told = "PSI / threshold of features as served; above 1 it moved"
    figure = _begin("Training–serving skew", monitoring_summary, told, 720)
    return _draw_ratios(figure, feature_skew.rename(columns={"psi": "value"}), "feature")


def draw_explanations(shares: pd.DataFrame, monitoring_summary: dict[str, Any]) -> go.Figure:
    """Draw what forecasts rest on, week by week."""
    told = "Share of the sum of contributions"
    figure = _begin("What forecasts rest on", monitoring_summary, told, 480)
    if shares.empty:
        return _say_nothing(figure)
    for i, (driver, rows) in enumerate(shares.groupby("driver", sort=False)):
        colour = _PALETTE[i % len(_PALETTE)]
        figure.add_trace(_line(str(driver), list(rows["week"]), rows["share"], colour))
    figure.update_yaxes(title_text="share", rangemode="tozero", tickformat=".0%")
    figure.update_xaxes(tickformat=DATE_FORMAT)
    return style_axes(figure)


def draw_fairness(fairness: pd.DataFrame, monitoring_summary: dict[str, Any]) -> go.Figure:
    """Draw the bias of each slice with its interval, the furthest from zero on top."""
    told = "Bias as a share of the units sold, with intervals over series and days"
    figure = _begin("Bias by slice", monitoring_summary, told, 760)
    known = fairness.dropna(subset=["bias", "bias_low"])
    if known.empty:
        return _say_nothing(figure)
    rows = known.reindex(known["bias"].abs().sort_values().index).tail(_MOST_BARS)
    labels = [f"{r.slice} {r.value} ({r.series} series)" for r in rows.itertuples()]
    figure.add_trace(
        go.Scatter(
            x=to_numbers(rows["bias"], 4),
            y=labels,
            mode="markers",
            marker={"color": [_STATE_COLOURS[state] for state in rows["state"]], "size": 9},
            error_x={
                "array": to_numbers(rows["bias_high"] - rows["bias"], 4),
                "arrayminus": to_numbers(rows["bias"] - rows["bias_low"], 4),
                "color": MUTED,
            },
        )
    )
    figure.update_xaxes(title_text="bias", tickformat="+.0%")
    return style_axes(figure)


def draw_usage(usage: pd.DataFrame, monitoring_summary: dict[str, Any]) -> go.Figure:
    """Draw the questions to the web app by day."""
    figure = _begin("Questions to the web app", monitoring_summary, "By day (UTC)", 380)
    days = usage[usage["kind"] == "date"]
    if days.empty:
        return _say_nothing(figure)
    for name, colour in (("requests", MODEL_COLOUR), ("refused", VERMILION), ("failed", INK)):
        heights = to_numbers(days[name].astype(float))
        bars = go.Bar(x=list(days["value"]), y=heights, name=name, marker={"color": colour})
        figure.add_trace(bars)
    figure.update_layout(barmode="stack")
    figure.update_yaxes(title_text="questions")
    figure.update_xaxes(type="category")
    return style_axes(figure)


def _draw_ratios(figure: go.Figure, table: pd.DataFrame, name: str) -> go.Figure:
    known = table.dropna(subset=["value", "threshold"]) if len(table) else table
    if known.empty:
        return _say_nothing(figure)
    ratios = (known["value"] / known["threshold"]).sort_values().tail(_MOST_BARS)
    rows = known.loc[ratios.index]
    figure.add_trace(
        go.Bar(
            x=to_numbers(ratios, 3),
            y=[in_words(column) for column in rows[name]],
            orientation="h",
            marker={"color": [_STATE_COLOURS[state] for state in rows["state"]]},
        )
    )
    figure.add_vline(x=1, line={"color": VERMILION, "dash": "dash"})
    figure.update_xaxes(title_text="of the threshold", rangemode="tozero")
    return style_axes(figure)


def _begin(title: str, summary: dict[str, Any], told: str, height: int) -> go.Figure:
    note = "simulated sales" if summary["simulated"] else ""
    whose = f"version {summary['model_version']}, sales up to {summary['cutoff']}"
    return new_figure(title, (told, whose, note), height)


def _say_nothing(figure: go.Figure) -> go.Figure:
    figure.add_annotation(text=_NOTHING, showarrow=False, font={"color": MUTED, "size": 16})
    return style_axes(figure)


def _line(
    name: str, dates: list[str], values: Any, colour: str, width: int = 2, dash: str = "solid"
) -> go.Scatter:
    return go.Scatter(
        x=dates,
        y=to_numbers(values, 5),
        name=name,
        mode="lines",
        line={"color": colour, "width": width, "dash": dash},
    )

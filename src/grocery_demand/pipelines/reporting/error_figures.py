"""Figures of errors: by step, family and store, the intervals' calibration, the features."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from grocery_demand.core.intervals import INTERVAL_LEVEL, LEVELS, QUANTILES
from grocery_demand.figure_style import (
    BASELINE_MARKS,
    MODEL_COLOUR,
    MUTED,
    in_words,
    new_figure,
    span_of,
    style_axes,
    to_numbers,
)
from grocery_demand.pipelines.reporting.subject import Subject

_METRIC = "NWRMSLE, lower is better"
_CATEGORIES = {"type": "category", "tickmode": "linear", "ticksuffix": " "}
_CALIBRATION_TITLES = [
    "Days with units below … up to the quantile",
    "Coverage by family (square: days without a sale)",
    "Coverage by day ahead",
]
_TOP_FEATURES = 20
_BAR_HEIGHT = 20
_FRAME_HEIGHT = 190
_UNSOLD_MARK = {"color": MUTED, "symbol": "square-open"}
_NO_LEGEND = {"showlegend": False, "margin": {"t": 80}}


def draw_error_by_step(scores: pd.DataFrame, holdout: pd.DataFrame, subject: Subject) -> go.Figure:
    """Draw the error of each day ahead, as a line for the model and each baseline."""
    figure = new_figure("Error by day ahead", _subtitle(_METRIC, holdout, subject), 460)
    rows = select_slice(scores, "step").astype({"value": int}).sort_values("value")
    for model in models_in_order(rows, subject):
        points = rows[rows["model"] == model]
        figure.add_trace(
            go.Scatter(
                x=points["value"].tolist(),
                y=to_numbers(points["nwrmsle"], 4),
                name=in_words(model),
                mode="lines+markers",
                line={"color": _mark(model)["color"], "width": 2},
                marker=_mark(model) | {"size": 8},
                hovertemplate="day %{x}: %{y:.4f}",
            )
        )
    figure.update_xaxes(title_text="days ahead", dtick=max(1, rows["value"].max() // 16))
    figure.update_yaxes(title_text="NWRMSLE", rangemode="tozero")
    return style_axes(figure)


def draw_error_by_slice(
    scores: pd.DataFrame, holdout: pd.DataFrame, subject: Subject, slice_name: str, word: str
) -> go.Figure:
    """Draw the error of each value of a slice, the worst on top, baselines as markers.

    Args:
        scores: One row per evaluation, model, slice and value.
        holdout: The forecasts that were scored.
        subject: Whose scores they are.
        slice_name: The slice, as `family`.
        word: What a value of it is, as `store`.
    """
    rows = select_slice(scores, slice_name)
    order = rows[rows["model"] == subject.scored_model].sort_values("nwrmsle")["value"].tolist()
    height = _FRAME_HEIGHT + _BAR_HEIGHT * len(order)
    subtitle = _subtitle(_METRIC, holdout, subject)
    figure = new_figure(f"Error by {word}", subtitle, height)
    for model in models_in_order(rows, subject):
        by_value = rows[rows["model"] == model].set_index("value").loc[order]
        figure.add_trace(_slice_trace(by_value, model))
    figure.update_xaxes(title_text="NWRMSLE", rangemode="tozero")
    prefix = f"{word} " if all(value.isdigit() for value in order) else ""
    figure.update_yaxes(_CATEGORIES, tickprefix=prefix)
    return style_axes(figure)


def draw_calibration(scores: pd.DataFrame, holdout: pd.DataFrame, subject: Subject) -> go.Figure:
    """Draw the observed share below each quantile, and the coverage by step and family.

    Beside a family's coverage stands its share of days without a sale: where zero belongs to each
    interval, they cover no less.
    """
    by_family = _own(scores, "family", subject).sort_values("coverage")
    subtitle = _subtitle("Of the 80 % interval", holdout, subject)
    height = max(620, _FRAME_HEIGHT + _BAR_HEIGHT * len(by_family))
    figure = new_figure("Calibration of the intervals", subtitle, height)
    make_subplots(
        2,
        2,
        specs=[[{}, {"rowspan": 2}], [{}, None]],
        subplot_titles=_CALIBRATION_TITLES,
        horizontal_spacing=0.08,
        vertical_spacing=0.18,
        figure=figure,
    )
    _add_quantiles(figure, holdout)
    by_step = _own(scores, "step", subject).astype({"value": int}).sort_values("value")
    steps, shares = by_step["value"].tolist(), to_numbers(by_step["coverage"], 4)
    figure.add_trace(_dots(x=steps, y=shares, mode="lines+markers"), row=2, col=1)
    families, shares = by_family["value"].tolist(), to_numbers(by_family["coverage"], 4)
    figure.add_trace(_dots(x=shares, y=families, mode="markers"), row=1, col=2)
    unsold = _dots(x=to_numbers(by_family["zero_share"], 4), y=families, mode="markers")
    figure.add_trace(unsold.update(marker=_UNSOLD_MARK), row=1, col=2)
    _label_calibration(figure)
    figure.update_annotations(font_size=13)
    return style_axes(figure.update_layout(_NO_LEGEND | {"margin": {"t": 105}}))


def draw_importance(importance: pd.DataFrame, subject: Subject) -> go.Figure:
    """Draw the features that the model gains most from, the first on top."""
    top = importance.head(_TOP_FEATURES)[::-1]
    parts = (f"{len(top)} of {len(importance)} features", f"of {subject.scored}", subject.data_note)
    height = _FRAME_HEIGHT + _BAR_HEIGHT * len(top)
    figure = new_figure("What the model gains from each feature", parts, height)
    shares = to_numbers(top["importance"], 4)
    names = top["feature"].tolist()
    bars = go.Bar(x=shares, y=names, orientation="h", marker_color=MODEL_COLOUR)
    figure.add_trace(bars.update(hovertemplate="%{y}: %{x:.1%}<extra></extra>"))
    figure.update_xaxes(title_text="share of all gain", tickformat=".0%", rangemode="tozero")
    figure.update_yaxes(_CATEGORIES)
    return style_axes(figure.update_layout(_NO_LEGEND))


def select_slice(scores: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the holdout's rows of a slice, of all models."""
    return scores[(scores["evaluation"] == "holdout") & (scores["slice"] == name)]


def models_in_order(scores: pd.DataFrame, subject: Subject) -> list[str]:
    """Return the models that have scores: the scored one, then the baselines."""
    known = scores["model"].unique()
    others = [name for name in BASELINE_MARKS if name != subject.scored_model]
    return [name for name in (subject.scored_model, *others) if name in known]


def _own(scores: pd.DataFrame, name: str, subject: Subject) -> pd.DataFrame:
    rows = select_slice(scores, name)
    return rows[rows["model"] == subject.scored_model]


def _subtitle(what: str, holdout: pd.DataFrame, subject: Subject) -> tuple[str, ...]:
    return what, f"holdout {span_of(holdout['date'])}", subject.scored, subject.data_note


def _mark(model: str) -> dict[str, Any]:
    return BASELINE_MARKS.get(model, {"color": MODEL_COLOUR, "symbol": "circle"})


def _slice_trace(rows: pd.DataFrame, model: str) -> go.Bar | go.Scatter:
    contents = {
        "x": to_numbers(rows["nwrmsle"], 4),
        "y": rows.index.tolist(),
        "name": in_words(model),
        "customdata": rows["rows"].tolist(),
        "hovertemplate": "%{y}: %{x:.4f} (%{customdata:,} rows)",
    }
    if model in BASELINE_MARKS:
        return go.Scatter(contents, mode="markers", marker=_mark(model) | {"size": 9})
    return go.Bar(contents, orientation="h", marker_color=MODEL_COLOUR, width=0.7)


def _add_quantiles(figure: go.Figure, holdout: pd.DataFrame) -> None:
    """Draw, for each level, the range from the share below the quantile to the share up to it.

    Units are whole numbers and often zero, so that many rows equal a quantile; it is calibrated
    where the range meets the diagonal.
    """
    actual = holdout["unit_sales"].to_numpy()
    quantiles = [holdout[name].to_numpy() for name in QUANTILES]
    below = to_numbers([np.mean(actual < quantile) for quantile in quantiles], 4)
    up_to = to_numbers([np.mean(actual <= quantile) for quantile in quantiles], 4)
    diagonal = {"mode": "lines", "line": {"color": MUTED, "dash": "dash"}, "hoverinfo": "skip"}
    figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1], **diagonal), row=1, col=1)
    for level, low, high in zip(LEVELS, below, up_to, strict=True):
        ends = _dots(x=[level, level], y=[low, high], mode="lines+markers")
        figure.add_trace(ends, row=1, col=1)


def _dots(**contents: Any) -> go.Scatter:
    marker = {"color": MODEL_COLOUR, "size": 8}
    return go.Scatter(contents, marker=marker, line={"color": MODEL_COLOUR, "width": 2})


def _label_calibration(figure: go.Figure) -> None:
    shares: dict[str, Any] = {"tickformat": ".0%", "range": [0, 1.02]}
    figure.update_xaxes(shares, title_text="level of the quantile", row=1, col=1)
    figure.update_yaxes(shares, title_text="share of days", row=1, col=1)
    figure.update_xaxes(title_text="days ahead", row=2, col=1)
    figure.update_yaxes(shares, title_text="coverage", row=2, col=1)
    figure.update_xaxes(shares, title_text="coverage", row=1, col=2)
    # On the outer side, where long names find room.
    figure.update_yaxes(_CATEGORIES, side="right", row=1, col=2)
    line = {"line": {"color": MUTED, "dash": "dash"}}
    figure.add_hline(INTERVAL_LEVEL, row=2, col=1, **line)
    figure.add_vline(INTERVAL_LEVEL, row=1, col=2, **line)

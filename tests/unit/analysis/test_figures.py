"""Figures show what they are given, name their axes, and carry the note on the data."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from grocery_demand.analysis import figures, model_figures
from grocery_demand.core.feature_trials import NO_DIFFERENCE
from grocery_demand.core.one_forecast import ForecastInParts

NOTE = ["parts", "", "simulated data"]
DAYS = pd.DataFrame(
    {"date": pd.date_range("2016-12-24", periods=3), "rows": [2, 0, 1], "units": [9.0, 0.0, 4.0]}
)


def subtitle_of(figure: go.Figure) -> str:
    return figure.layout.title.subtitle.text


def test_a_day_without_rows_is_a_gap_and_a_mark():
    figure = figures.draw_days(DAYS, DAYS[1:2], "Units", NOTE)
    line, mark = figure.data
    assert list(line.y) == [9.0, None, 4.0]
    assert list(mark.x) == ["2016-12-25"]
    assert subtitle_of(figure) == "parts · simulated data"


@pytest.mark.parametrize(("reference", "lengths"), [(None, [1.5, 0.5]), (1.0, [0.5, -0.5])])
def test_bars_begin_at_the_reference(reference, lengths):
    values = pd.Series([1.5, 0.5], index=["EGGS", 7])
    figure = figures.draw_bars(values, "Uplift", NOTE, "factor", reference=reference)
    bar = figure.data[0]
    assert list(bar.x) == lengths
    assert list(bar.y) == ["EGGS", "7"]
    assert list(bar.text) == ["1.50", "0.50"]
    assert bar.base == (reference or 0)
    assert figure.layout.xaxis.title.text == "factor"


def test_bars_of_shares_are_labelled_in_percent():
    bar = figures.draw_bars(pd.Series({"a": 0.126}), "t", [], "share", as_percent=True).data[0]
    assert list(bar.text) == ["12.6%"]


def test_a_histogram_counts_every_value_of_every_group():
    groups = {"a": np.array([0.0, 0.04, 1.0]), "b": np.array([0.5])}
    figure = figures.draw_histogram(groups, "t", NOTE, "share", "series")
    assert [sum(bar.y) for bar in figure.data] == [3, 1]
    assert figure.data[0].y[0] == 2
    assert figure.data[0].y[-1] == 1
    assert figure.layout.yaxis.title.text == "series"


def test_the_colours_of_a_heatmap_are_even_about_its_middle():
    table = pd.DataFrame([[0.5, 1.2]], index=["EGGS"], columns=["Mon", "Tue"])
    heat = figures.draw_heatmap(table, "t", NOTE).data[0]
    assert (heat.zmin, heat.zmax) == (0.5, 1.5)
    assert [list(row) for row in heat.z] == [[0.5, 1.2]]


def test_questions_of_a_day_are_split_without_counting_twice():
    by_day = pd.DataFrame(
        {"date": ["2026-01-01"], "requests": [10], "long_range": [3], "refused": [2]}
    )
    bars = {bar.name: list(bar.y) for bar in figures.draw_requests(by_day, "t", NOTE).data}
    assert bars == {"within the horizon": [7], "long range": [3], "refused": [2]}


def test_the_interval_of_a_change_is_drawn_about_it():
    summary = pd.DataFrame(
        {"trial": ["idea"], "change": [0.01], "low": [-0.01], "high": [0.04],
         "finding": [NO_DIFFERENCE]}
    )  # fmt: skip
    dot = model_figures.draw_changes(summary, "t", NOTE).data[0]
    assert (dot.error_x.array[0], dot.error_x.arrayminus[0]) == (0.03, 0.02)


def test_runs_stand_beside_the_moving_average():
    runs = pd.DataFrame({"label": ["version 1"], "nwrmsle": [0.58],
                         "baseline_moving_average_nwrmsle": [0.63]})  # fmt: skip
    values = {dots.name: list(dots.x) for dots in model_figures.draw_runs(runs, "t", NOTE).data}
    assert values == {"moving average": [0.63], "the run's model": [0.58]}


def test_the_bars_of_a_forecast_lead_from_recent_weeks_to_it():
    drivers = pd.DataFrame(
        {"driver": ["correction on average", "promotion"], "move": [0.1, 0.2],
         "factor": [1.1, 1.2], "units": [5.0, 8.0]}
    )  # fmt: skip
    parts = ForecastInParts(1, 2, "2017-06-01", True, False, 4.0, {"point": 8.0}, drivers)
    bars = model_figures.draw_parts(parts, "t", NOTE).data[0]
    assert list(bars.y) == [4.0, 1.0, 3.0, 8.0]
    assert list(bars.measure) == ["absolute", "relative", "relative", "total"]
    assert list(bars.text) == ["4.0", "+10.0%", "+20.0%", "8.0"]


def test_forecasts_of_other_series_are_left_out(panel):
    key = panel.series.iloc[2]
    columns = {"point": [3.0, 9.0], "interval_low": [1.0, 7.0], "interval_high": [6.0, 12.0]}
    forecasts = pd.DataFrame(
        {"store_nbr": [key["store_nbr"]] * 2, "item_nbr": [key["item_nbr"], -1],
         "date": [pd.Timestamp(panel.cutoff + 1)] * 2} | columns
    )  # fmt: skip
    band, sales, forecast = model_figures.draw_forecast(panel, 2, forecasts, "t", NOTE).data
    assert list(forecast.y) == [3.0]
    assert list(band.y) == [6.0, 1.0]
    assert sales.y[-1] == pytest.approx(panel.units[2, -1], abs=0.005)

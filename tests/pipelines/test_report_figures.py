"""The figures of a report: JSON that plotly reads back, with the numbers that were made."""

import json

import numpy as np
import plotly.io
import pytest

from grocery_demand.pipelines.reporting.examples import choose_examples
from reports import FIGURES, holdout_scores, trace_of


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_figure_is_json_that_plotly_reads_back(made, name):
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    written = made[name].to_json()
    json.loads(written, parse_constant=refuse)
    again = plotly.io.from_json(written)
    assert json.loads(again.to_json()) == json.loads(written)
    assert len(again.data) >= 1
    assert all(len(trace.x) > 0 for trace in again.data)
    assert again.layout.title.text


def test_the_error_of_each_day_ahead_is_drawn_beside_the_baselines(made, parts):
    figure = made["error_by_step_figure"]
    for name, model in (
        ("lightgbm", "lightgbm"),
        ("moving average", "moving_average"),
        ("seasonal naive", "seasonal_naive"),
    ):
        trace, scores = trace_of(figure, name), holdout_scores(parts, "step", model)
        assert list(trace.x) == list(range(1, 17))
        expected = [scores.loc[str(step), "nwrmsle"] for step in range(1, 17)]
        assert list(trace.y) == pytest.approx(expected, abs=1e-4)
    assert len(figure.data) == 3


@pytest.mark.parametrize("slice_name", ["family", "store_nbr"])
def test_the_error_of_each_family_and_store_is_drawn_the_worst_on_top(made, parts, slice_name):
    figure = made[f"error_by_{slice_name.removesuffix('_nbr')}_figure"]
    scores = holdout_scores(parts, slice_name).sort_values("nwrmsle")
    bars = trace_of(figure, "lightgbm")
    assert list(bars.y) == list(scores.index)
    assert list(bars.x) == pytest.approx(list(scores["nwrmsle"]), abs=1e-4)
    assert list(bars.customdata) == list(scores["rows"])
    baseline = holdout_scores(parts, slice_name, "moving_average").loc[scores.index, "nwrmsle"]
    assert list(trace_of(figure, "moving average").x) == pytest.approx(list(baseline), abs=1e-4)


def test_total_sales_are_drawn_with_both_forecasts(made, parts, panel):
    figure = made["total_sales_figure"]
    sales = dict(zip(trace_of(figure, "Sales").x, trace_of(figure, "Sales").y, strict=True))
    assert len(sales) == 112
    for day in (panel.n_days - 112, panel.n_days - 1):
        sold = sum(float(series[day]) for series in panel.units)
        assert sales[str(panel.date_of(day))] == pytest.approx(sold, abs=0.01)
    for name, table in (
        ("Forecast of the holdout", parts["holdout_forecasts"]),
        ("Forecast of the coming days", parts["forecasts"]),
    ):
        trace = trace_of(figure, name)
        for date, total in zip(trace.x, trace.y, strict=True):
            expected = table.loc[table["date"] == date, "point"].sum()
            assert total == pytest.approx(expected, abs=0.01)
        assert len(trace.x) == 16


def test_the_examples_show_sales_and_forecasts_of_their_series(made, parts, panel):
    figure = made["forecast_examples_figure"]
    largest = choose_examples(panel)[0]
    key = panel.series.iloc[largest.row]
    assert figure.layout.annotations[0].text == (
        f"Largest: store {key['store_nbr']}, item {key['item_nbr']} ({key['family']})"
    )
    sales, _, _, band, coming = figure.data[:5]
    np.testing.assert_allclose(sales.y, panel.units[largest.row, -56:], atol=0.01)
    own = parts["forecasts"].query(
        f"store_nbr == {key['store_nbr']} and item_nbr == {key['item_nbr']}"
    )
    assert (coming.name, len(coming.x)) == ("Forecast of the coming days", 16)
    np.testing.assert_allclose(coming.y, own["point"], atol=0.01)
    upper_then_lower = [*own["interval_high"], *own["interval_low"][::-1]]
    np.testing.assert_allclose(band.y, upper_then_lower, atol=0.01)


def test_calibration_draws_the_shares_of_days_and_the_coverage(made, parts):
    figure = made["interval_calibration_figure"]
    holdout = parts["holdout_forecasts"]
    _, *quantiles, by_step, by_family, unsold = figure.data
    for trace, level in zip(quantiles, (0.1, 0.5, 0.9), strict=True):
        pairs = list(zip(holdout["unit_sales"], holdout[f"quantile_{level}"], strict=True))
        below = sum(actual < quantile for actual, quantile in pairs) / len(pairs)
        up_to = sum(actual <= quantile for actual, quantile in pairs) / len(pairs)
        assert list(trace.x) == [level, level]
        assert list(trace.y) == pytest.approx([below, up_to], abs=1e-4)
    assert list(by_step.x) == list(range(1, 17))
    for trace, score in ((by_family, "coverage"), (unsold, "zero_share")):
        drawn = dict(zip(trace.y, trace.x, strict=True))
        expected = dict(holdout_scores(parts, "family")[score])
        assert drawn == pytest.approx(expected, abs=1e-4)


def test_the_twenty_features_with_the_largest_gain_are_drawn_the_first_on_top(made, parts):
    (bars,) = made["feature_importance_figure"].data
    top = parts["feature_importance"].head(20)
    assert list(bars.y)[::-1] == list(top["feature"])
    assert list(bars.x)[::-1] == pytest.approx(list(top["importance"]), abs=1e-4)


def test_figures_of_real_data_name_the_model_only(made):
    for name in FIGURES:
        subtitle = made[name].layout.title.subtitle.text
        assert "version 3 (lightgbm), the champion" in subtitle
        assert "Simulated" not in subtitle

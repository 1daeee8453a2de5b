from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from calm_sales import N_DAYS, calm_panel
from grocery_demand.core.metrics import log1p_units
from grocery_demand.core.monitoring.outputs import check_outputs, sum_by_day
from grocery_demand.core.monitoring.promise import Promise, make_promise

ROWS = np.arange(120)


@pytest.fixture(scope="module")
def panel():
    return calm_panel()


def forecasts(panel, factor: float = 1.0) -> pd.DataFrame:
    """Every series as much as it sold in the four weeks before, but for a factor."""
    mean = panel.units[:, -28:].mean(axis=1)
    steps = np.tile(np.arange(1, 17), len(mean))
    dates = panel.cutoff + steps.astype("timedelta64[D]")
    keys = panel.series[["store_nbr", "item_nbr"]].iloc[np.repeat(ROWS, 16)]
    return keys.reset_index(drop=True).assign(
        step=steps, date=dates.astype("datetime64[ms]"), point=np.repeat(mean, 16) * factor
    )


def promise_of(table: pd.DataFrame, bias: float = 0.0) -> Promise:
    edges = np.quantile(log1p_units(table["point"].to_numpy()), np.linspace(0.1, 0.9, 9))
    return Promise(0.5, 0.8, [], [], [], list(edges), bias)


@pytest.mark.parametrize(
    ("factor", "bias", "state"),
    [(1.0, 0.0, "ok"), (2.0, 0.0, "alarm"), (0.5, 0.0, "alarm"), (0.5, -0.5, "ok")],
)
def test_totals_lie_within_what_past_weeks_did_but_for_the_known_bias(panel, factor, bias, state):
    table = forecasts(panel, factor)
    totals, _ = check_outputs(panel, ROWS, table, promise_of(table, bias), 0.25)
    assert totals.state == state


def test_the_bias_of_the_first_steps_counts_where_it_is_known(panel):
    promise = replace(promise_of(forecasts(panel), bias=-0.5), near_bias=0.0)
    table = forecasts(panel, 0.5)
    assert check_outputs(panel, ROWS, table, promise, 0.25)[0].state == "alarm"
    known = replace(promise, near_bias=-0.5, bias=0.0)
    assert check_outputs(panel, ROWS, table, known, 0.25)[0].state == "ok"


def test_sizes_that_the_backtest_never_had_are_watched(panel):
    promise = promise_of(forecasts(panel))
    states = [
        check_outputs(panel, ROWS, forecasts(panel, factor), promise, 0.25)[1].state
        for factor in (1.0, 3.0)
    ]
    assert states == ["ok", "watch"]


def test_forecasts_of_which_many_are_alike_look_like_themselves(panel):
    table = forecasts(panel)
    table["point"] = table["point"].where(table["item_nbr"] % 3 > 0, 2.5).round(1)
    compared = table.assign(
        cutoff=table["date"], unit_sales=1.0, seasonal_naive=1.0, moving_average=1.0,
        interval_low=0.5, interval_high=2.0,
    )  # fmt: skip
    described = replace(panel, series=panel.series.assign(type="A", city="Quito", cluster=1))
    promise = make_promise(described, compared, compared.head(0))
    states = [
        check_outputs(panel, ROWS, table.assign(point=table["point"] * factor), promise, 0.25)[1]
        for factor in (1, 3)
    ]
    assert states[0].value == pytest.approx(0, abs=1e-9)
    assert [check.state for check in states] == ["ok", "watch"]


def test_few_weeks_of_sales_leave_totals_unknown(panel):
    young = panel.until(28 + 7 * 8 - 2)
    totals = check_outputs(young, ROWS, forecasts(young), None, 0.25)[0]
    assert totals.state == "unknown"


def test_sales_of_the_last_days_alone_leave_totals_unknown(panel):
    units = panel.units.copy()
    units[:, :-5] = 0
    new = replace(panel, units=units)
    assert check_outputs(new, ROWS, forecasts(new), None, 0.25)[0].state == "unknown"


def test_only_the_chosen_series_count(panel):
    rows, table = np.arange(10), forecasts(panel)
    by_day = sum_by_day(panel, rows, table)
    assert by_day["sold"].head(28).to_numpy() == pytest.approx(panel.units[:10, -28:].sum(axis=0))
    chosen = table[table["step"] == 3].head(10)
    assert by_day["forecast"].iloc[30] == pytest.approx(chosen["point"].sum())


def test_forecasts_that_begin_on_another_day_are_unknown(panel):
    stale = forecasts(panel.until(N_DAYS - 3))
    assert [c.state for c in check_outputs(panel, ROWS, stale, None, 0.25)] == ["unknown"]


def test_days_sold_and_forecast_follow_each_other(panel):
    table = sum_by_day(panel, ROWS, forecasts(panel))
    assert len(table) == 28 + 16
    assert table["sold"].head(28).to_numpy() == pytest.approx(panel.units[:, -28:].sum(axis=0))
    assert table["sold"].tail(16).isna().all()
    assert table["forecast"].head(28).isna().all()
    assert table["date"].is_monotonic_increasing


def test_a_day_of_wrong_units_does_not_widen_the_band(panel):
    units = panel.units.copy()
    units[:48, -100] *= 1000
    wrong = replace(panel, units=units)
    states = [
        check_outputs(wrong, ROWS, forecasts(wrong, factor), None, 0.25)[0].state
        for factor in (1.0, 2.0)
    ]
    assert states == ["ok", "alarm"]

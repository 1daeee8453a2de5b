from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from calm_sales import N_DAYS, calm_panel
from grocery_demand.core.metrics import log1p_units
from grocery_demand.core.monitoring.outputs import check_outputs, sum_by_day
from grocery_demand.core.monitoring.promise import Promise, make_promise
from grocery_demand.core.panel import Panel

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


def state_of(panel: Panel, table: pd.DataFrame, wrong_days: tuple[str, ...] = ()) -> str:
    return check_outputs(panel, ROWS, table, None, 0.25, wrong_days)[0].state


def sell_more(panel: Panel, day: int, factor: float) -> Panel:
    units = panel.units.copy()
    units[:, day] *= factor
    return replace(panel, units=units)


def forecast_more(table: pd.DataFrame, step: int, factor: float) -> pd.DataFrame:
    return table.assign(point=table["point"].where(table["step"] != step, table["point"] * factor))


@pytest.mark.parametrize("factor", [4.0, 8.0, 12.0])
@pytest.mark.parametrize("days_before", [364, 365, 366])
def test_a_peak_of_a_year_ago_may_be_forecast_again(panel, factor, days_before):
    table = forecast_more(forecasts(panel), 4, factor)
    peaked = sell_more(panel, panel.n_days + 3 - days_before, factor)
    assert state_of(panel, table) == "alarm"
    assert state_of(peaked, table) == "ok"
    low = table.assign(point=table["point"] * 0.75)
    promise = promise_of(table, bias=-0.25)
    assert check_outputs(peaked, ROWS, low, promise, 0.25)[0].state == "ok"


def test_a_peak_grows_with_sales(panel):
    grown = sell_more(panel, panel.n_days + 3 - 365, 8.0)
    grown.units[:, -70:] *= 2
    assert state_of(grown, forecast_more(forecasts(grown), 4, 8.0)) == "ok"


def test_more_than_the_peak_of_a_year_ago_or_another_date_is_an_alarm(panel):
    peaked = sell_more(panel, panel.n_days + 3 - 365, 4.0)
    assert state_of(peaked, forecast_more(forecasts(panel), 4, 12.0)) == "alarm"
    assert state_of(peaked, forecast_more(forecasts(panel), 7, 8.0)) == "alarm"


@pytest.mark.parametrize("factor", [0.5, 2.0])
@pytest.mark.parametrize("days_before", [100, 365])
def test_a_peak_of_the_past_hides_no_wrong_week(panel, factor, days_before):
    peaked = sell_more(panel, panel.n_days + 3 - days_before, 8.0)
    table = forecasts(panel, factor)
    assert state_of(peaked, table) == "alarm"


def without_sales(panel: Panel, days: slice) -> Panel:
    units, open_days = panel.units.copy(), panel.open_days.copy()
    units[:, days], open_days[:, days] = 0, False
    return replace(panel, units=units, open_days=open_days)


@pytest.mark.parametrize("days", [slice(-300, -295), slice(-130, -60), slice(-12, -5)])
def test_days_without_any_sale_hide_no_change_and_raise_none(panel, days):
    gap = without_sales(panel, days)
    states = [state_of(gap, forecasts(panel, factor)) for factor in (0.4, 1.0, 2.0)]
    assert states == ["alarm", "ok", "alarm"]


def test_wrong_days_hide_no_change_and_raise_none(panel):
    low = panel.units.copy()
    low[:, [-9, -8, -7]] = 0
    wrong = replace(panel, units=low)
    days = tuple(str(panel.date_of(panel.n_days - n)) for n in (7, 8, 9))
    states = [state_of(wrong, forecasts(panel, factor), days) for factor in (0.4, 1.0, 2.0)]
    assert states == ["alarm", "ok", "alarm"]
    check = check_outputs(wrong, ROWS, forecasts(panel), None, 0.25, days)[0]
    assert days[0] in check.detail


def test_a_date_closed_a_year_ago_may_be_forecast_as_closed(panel):
    closed = without_sales(panel, slice(panel.n_days + 3 - 365, panel.n_days + 4 - 365))
    for factor in (0.0, 12.0):
        assert state_of(closed, forecast_more(forecasts(panel), 4, factor)) == "ok"
    for factor in (0.5, 2.0):
        assert state_of(closed, forecasts(panel, factor)) == "alarm"


def test_a_weekday_that_is_always_closed_counts_as_it_is(panel):
    shut = panel
    for day in range(3, panel.n_days, 7):
        shut = without_sales(shut, slice(day, day + 1))
    step = next(s for s in range(1, 8) if (panel.n_days + s - 1) % 7 == 3)
    states = []
    for factor in (0.5, 1.0, 2.0):
        table = forecasts(panel, factor)
        for each in (step, step + 7):
            table = forecast_more(table, each, 0.0)
        states.append(state_of(shut, table))
    assert states == ["alarm", "ok", "alarm"]


def test_too_few_days_with_sales_of_late_leave_totals_unknown(panel):
    assert state_of(without_sales(panel, slice(-25, None)), forecasts(panel)) == "unknown"

import numpy as np
import pandas as pd
import pytest

from calm_sales import N_DAYS, calm_panel
from grocery_demand.core.metrics import log1p_units
from grocery_demand.core.monitoring.outputs import check_outputs, sum_by_day
from grocery_demand.core.monitoring.promise import Promise

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


def test_sizes_that_the_backtest_never_had_are_watched(panel):
    promise = promise_of(forecasts(panel))
    states = [
        check_outputs(panel, ROWS, forecasts(panel, factor), promise, 0.25)[1].state
        for factor in (1.0, 3.0)
    ]
    assert states == ["ok", "watch"]


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

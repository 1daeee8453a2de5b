import numpy as np
import polars as pl
import pytest
from scipy import stats

from grocery_demand.core import metrics
from grocery_demand.core.monitoring.fairness import check_fairness, measure_fairness
from grocery_demand.core.monitoring.group_scores import add_errors
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.sample import SLICES
from live_rows import START, make_live

PARAMETERS = MonitoringParameters()


def promise_to_all(bias: float | None) -> Promise:
    """A backtest of the same bias in each slice that `make_live` has."""
    slices = [
        {"slice": name, "value": value, "nwrmsle": 0.5, "bias": bias, "bias_spread": 0.0}
        for name in SLICES
        for value in make_live(n_days=1)[name].unique().sort()
    ]
    return Promise(0.5, 0.8, [], [], slices, [])


EVEN = promise_to_all(0.0)


def state_of(table: pl.DataFrame, family: str) -> str:
    return table.filter(slice="family", value=family)["state"].item()


def test_a_slice_whose_forecasts_are_far_too_high_is_found():
    live = make_live(n_series=240, n_days=28, FAMILY2=1.8)
    table = measure_fairness(live, EVEN, PARAMETERS)
    assert state_of(table, "FAMILY2") == "alarm"
    check = check_fairness(table)[0]
    assert check.state == "alarm"
    assert "FAMILY2" in check.detail


@pytest.mark.parametrize("seed", range(12))
def test_noise_alone_makes_no_slice_unfair(seed):
    table = measure_fairness(make_live(n_series=240, n_days=28, seed=seed), EVEN, PARAMETERS)
    assert set(table["state"]) == {"ok"}


def test_a_slice_of_few_series_is_watched_at_most():
    table = measure_fairness(make_live(n_series=60, n_days=28, FAMILY2=3.0), EVEN, PARAMETERS)
    assert table.filter(slice="family", value="FAMILY2")["series"].item() == 10
    assert state_of(table, "FAMILY2") == "watch"


def test_a_slice_of_fewer_than_five_series_has_no_intervals():
    live = make_live(n_series=30, n_days=28)
    keys = live.filter(family="FAMILY2")["item_nbr"].unique().sort()
    for n_series, is_known in ((4, False), (5, True)):
        few = live.filter(pl.col("item_nbr").is_in(keys[:n_series].implode()))
        table = measure_fairness(few, EVEN, PARAMETERS)
        (row,) = table.filter(slice="family", value="FAMILY2").to_dicts()
        bounds = [row[f"{name}_{side}"] for name in ("bias", "skill") for side in ("low", "high")]
        assert row["series"] == n_series
        assert np.isfinite(bounds).all() == is_known
        assert np.isfinite(bounds).any() == is_known
        assert np.isfinite(row["bias"])


def test_scores_are_those_of_the_slice():
    live = make_live(n_series=60, n_days=28)
    found = measure_fairness(live, EVEN, PARAMETERS).filter(slice="type", value="A").to_dicts()[0]
    rows = live.filter(type="A")
    actual, point = rows["unit_sales"].to_numpy(), rows["point"].to_numpy()
    assert found["rows"] == len(rows)
    assert found["nwrmsle"] == pytest.approx(
        metrics.nwrmsle(actual, point, rows["weight"].to_numpy())
    )
    assert found["bias"] == pytest.approx(metrics.bias(actual, point))
    assert found["bias_low"] < found["bias"] < found["bias_high"]
    assert found["skill_low"] < found["skill"] < found["skill_high"]


def test_a_day_that_moves_a_whole_slice_widens_its_interval():
    calm = make_live(n_series=240, n_days=14)
    first = pl.col("date") == calm["date"].min()
    moved = calm.with_columns(
        unit_sales=pl.when(first).then(pl.col("unit_sales") * 3).otherwise(pl.col("unit_sales"))
    ).with_columns(error=pl.col("point") - pl.col("unit_sales"))
    widths = [
        (row := measure_fairness(live, EVEN, PARAMETERS).filter(slice="type").to_dicts()[0])[
            "bias_high"
        ]
        - row["bias_low"]
        for live in (calm, moved)
    ]
    assert widths[1] > 2 * widths[0]


def test_less_than_a_week_says_nothing():
    table = measure_fairness(make_live(n_days=6), EVEN, PARAMETERS)
    assert table.is_empty()
    assert check_fairness(table)[0].state == "unknown"


def with_sales(live: pl.DataFrame, factor: np.ndarray | pl.Expr) -> pl.DataFrame:
    """Return the same forecasts beside sales that are higher by a factor."""
    return add_errors(live.with_columns(unit_sales=pl.col("unit_sales") * factor))


def test_intervals_of_all_slices_hold_the_true_bias_as_often_as_they_say():
    """Days move all series by 15 % either way, beside each series' own noise of 40 %."""
    n_days, noise, of_days = 14, 0.4, 0.15
    true = np.exp(-(noise**2 + of_days**2) / 2) - 1
    missed = 0
    for seed in range(60):
        live = make_live(n_series=120, n_days=n_days, noise=noise, seed=seed)
        moved = np.exp(np.random.default_rng(1000 + seed).normal(0, of_days, n_days))
        day = (live["date"] - START).dt.total_days().to_numpy()
        table = measure_fairness(with_sales(live, pl.Series(moved[day])), EVEN, PARAMETERS)
        missed += ((table["bias_low"] > true) | (table["bias_high"] < true)).any()
        assert "alarm" not in set(table["state"])
    assert missed <= 3


@pytest.mark.parametrize(("factor", "state"), [(1.05, "ok"), (1.3, "alarm"), (0.75, "alarm")])
def test_a_bias_beyond_what_is_allowed_is_found_where_noise_is_small(factor, state):
    live = make_live(n_series=240, n_days=28, noise=0.05, FAMILY1=factor)
    assert state_of(measure_fairness(live, EVEN, PARAMETERS), "FAMILY1") == state


def promise_of(
    bias: float | None, spread: float | None = 0.0, others: float | None = 0.0
) -> Promise:
    """A backtest that knows one family, and the bias of all rows."""
    slices = [
        {"slice": "family", "value": "FAMILY1", "nwrmsle": 0.5, "bias": bias, "bias_spread": spread}
    ]
    return Promise(0.5, 0.8, [], [], slices, [], others)


@pytest.mark.parametrize(
    ("promise", "state"),
    [
        (promise_of(0.30), "ok"),
        (promise_of(0.02), "alarm"),
        (promise_of(0.02, spread=0.3), "ok"),
        (promise_of(None, spread=None), "watch"),
        (promise_of(None, spread=None, others=0.3), "ok"),
        (promise_of(None, spread=None, others=None), "unknown"),
    ],
)
def test_a_slice_is_held_against_its_own_bias_in_the_backtest(promise, state):
    live = make_live(n_series=240, n_days=28, noise=0.2, FAMILY1=1.3)
    table = measure_fairness(live, promise, PARAMETERS)
    assert state_of(table, "FAMILY1") == state


def test_a_slice_that_the_backtest_did_not_have_is_held_against_the_bias_of_all():
    live = make_live(n_series=240, n_days=28, noise=0.2, FAMILY1=1.3, FAMILY2=1.3)
    states = {}
    for bias in (0.0, 0.3):
        table = measure_fairness(live, promise_of(0.3, others=bias), PARAMETERS)
        states[bias] = {f: state_of(table, f) for f in ("FAMILY1", "FAMILY2", "FAMILY3")}
        promised = table.filter(slice="family").sort("value").select("promised_bias").to_series()
        assert promised.is_nan().to_list() == [True, False, True, True, True, True]
    assert states == {
        0.0: {"FAMILY1": "ok", "FAMILY2": "watch", "FAMILY3": "ok"},
        0.3: {"FAMILY1": "ok", "FAMILY2": "ok", "FAMILY3": "watch"},
    }


def test_without_a_promise_no_bias_is_judged():
    table = measure_fairness(make_live(n_series=240, n_days=28, FAMILY2=1.3), None, PARAMETERS)
    assert set(table["state"]) == {"unknown"}
    check = check_fairness(table)[0]
    assert (check.state, check.mend) == ("unknown", "")
    assert "family FAMILY2 (+" in check.detail


def test_the_error_that_the_backtest_had_stands_beside_the_slices():
    table = measure_fairness(make_live(n_series=60, n_days=28), promise_of(0.0), PARAMETERS)
    found = dict(table.filter(slice="family").select("value", "promised_nwrmsle").iter_rows())
    assert found["FAMILY1"] == 0.5
    assert np.isnan(found["FAMILY2"])


def test_a_slice_worse_than_the_moving_average_is_an_alarm_though_its_bias_is_small():
    live = make_live(n_series=240, n_days=28)
    mine = pl.col("family") == "FAMILY3"
    wrong = pl.col("point") * (1 + 0.9 * (-1.0) ** pl.int_range(pl.len()))
    spoilt = live.with_columns(
        point=pl.when(mine).then(wrong).otherwise(pl.col("point")),
        moving_average=pl.when(mine).then(pl.col("point")).otherwise(pl.col("moving_average")),
    )
    table = measure_fairness(add_errors(spoilt), EVEN, PARAMETERS)
    found = table.filter(slice="family", value="FAMILY3").to_dicts()[0]
    assert found["state"] == "alarm"
    assert found["skill_high"] < 0
    assert abs(found["bias"]) < PARAMETERS.max_slice_bias + 0.1
    assert set(table.filter(slice="family")["state"]) == {"ok", "alarm"}


def test_a_slice_that_sold_nothing_has_no_bias_and_is_not_called_unfair():
    sold = pl.when(pl.col("family") == "FAMILY0").then(0.0).otherwise(1.0)
    table = measure_fairness(with_sales(make_live(n_series=240), sold), EVEN, PARAMETERS)
    found = table.filter(slice="family", value="FAMILY0").to_dicts()[0]
    assert np.isnan([found[name] for name in ("bias", "bias_low", "bias_high")]).all()
    assert found["state"] == "unknown"
    told = check_fairness(table.filter(value="FAMILY0"))[0].detail
    assert "family FAMILY0 (nothing sold)" in told


def test_one_series_alone_has_no_interval():
    table = measure_fairness(make_live(n_series=1, n_days=10), EVEN, PARAMETERS)
    assert set(table["series"]) == {1}
    assert table["bias_low"].is_nan().all()
    assert set(table["state"]) == {"unknown"}


def test_no_sales_are_unknown():
    table = measure_fairness(make_live().clear(), EVEN, PARAMETERS)
    assert [check.state for check in check_fairness(table)] == ["unknown"]


def test_the_interval_is_that_of_two_ways_of_clustering():
    live = make_live(n_series=120, n_days=14, noise=0.7, seed=3)
    found = measure_fairness(live, EVEN, PARAMETERS).filter(slice="family", value="FAMILY1")
    rows = live.filter(family="FAMILY1").to_pandas()
    bias = rows["error"].sum() / rows["unit_sales"].sum()
    rest = rows["error"] - bias * rows["unit_sales"]
    by_series, by_day = [rows["store_nbr"], rows["item_nbr"]], [rows["date"]]
    each = []
    for keys in (by_series, by_day, [*by_series, *by_day]):
        sums = rest.groupby(keys).sum()
        each.append((sums**2).sum() * len(sums) / (len(sums) - 1))
    variance = max(each[0] + each[1] - each[2], each[0], each[1])
    half = (found["bias_high"] - found["bias_low"])[0] / 2
    n_slices = len(measure_fairness(live, EVEN, PARAMETERS))
    level = 1 - (1 - PARAMETERS.confidence) / n_slices
    times = half * rows["unit_sales"].sum() / np.sqrt(variance)
    assert times == pytest.approx(stats.t.ppf((1 + level) / 2, 13), rel=1e-6)

import polars as pl
import pytest

from grocery_demand.core import metrics
from grocery_demand.core.monitoring.fairness import check_fairness, measure_fairness
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from live_rows import make_live

PARAMETERS = MonitoringParameters()


def state_of(table: pl.DataFrame, family: str) -> str:
    return table.filter(slice="family", value=family)["state"].item()


def test_a_slice_whose_forecasts_are_far_too_high_is_found():
    live = make_live(n_series=240, n_days=28, FAMILY2=1.8)
    table = measure_fairness(live, None, PARAMETERS)
    assert state_of(table, "FAMILY2") == "alarm"
    check = check_fairness(table)[0]
    assert check.state == "alarm"
    assert "FAMILY2" in check.detail


@pytest.mark.parametrize("seed", range(12))
def test_noise_alone_makes_no_slice_unfair(seed):
    table = measure_fairness(make_live(n_series=240, n_days=28, seed=seed), None, PARAMETERS)
    assert set(table["state"]) == {"ok"}


def test_a_slice_of_few_series_is_watched_at_most():
    table = measure_fairness(make_live(n_series=60, n_days=28, FAMILY2=3.0), None, PARAMETERS)
    assert table.filter(slice="family", value="FAMILY2")["series"].item() == 10
    assert state_of(table, "FAMILY2") == "watch"


def test_scores_are_those_of_the_slice():
    live = make_live(n_series=60, n_days=28)
    found = measure_fairness(live, None, PARAMETERS).filter(slice="type", value="A").to_dicts()[0]
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
        (row := measure_fairness(live, None, PARAMETERS).filter(slice="type").to_dicts()[0])[
            "bias_high"
        ]
        - row["bias_low"]
        for live in (calm, moved)
    ]
    assert widths[1] > 2 * widths[0]


def test_less_than_a_week_says_nothing():
    table = measure_fairness(make_live(n_days=6), None, PARAMETERS)
    assert table.is_empty()
    assert check_fairness(table)[0].state == "unknown"

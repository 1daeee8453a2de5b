from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from grocery_demand.core.monitoring.live_error import (
    check_live_error,
    join_sales,
    score_live,
    score_windows,
)
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.season import Season
from live_rows import START, make_live
from promises import EVEN, NO_SEASON, promise_of
from worlds import make_panel


def windows_of(errors: list[float], bar: float = 1.0) -> pl.DataFrame:
    rows = [
        {
            "date": START + timedelta(i), "days": 7, "mean_step": 8.0, "rows": 100,
            "nwrmsle": error, "promised": 0.8, "raised": 0.9, "bar": bar,
            "moving_average": 2.0, "coverage": 0.8,
        }
        for i, error in enumerate(errors)
    ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.mark.parametrize(
    ("errors", "state"),
    [
        ([0.8, 0.8, 0.8, 0.8, 0.8], "ok"),
        ([0.8, 0.8, 0.8, 0.8, 1.1], "watch"),
        ([0.8, 0.8, 0.8, 1.1, 1.1], "alarm"),
        ([1.1, 0.8, 0.8, 0.8, 1.1], "alarm"),
        ([1.1, 1.1, 1.1, 1.1, 0.8], "watch"),
        ([1.1, 0.8, 0.8, 0.8, 0.8, 1.1], "watch"),
        ([0.8, 0.8, 0.8, 0.8, 0.95], "watch"),
        ([1.1], "watch"),
        ([1.1, 1.1], "alarm"),
    ],
)
def test_two_of_five_windows_and_the_newest_make_an_alarm(errors, state):
    check = check_live_error(windows_of(errors), promise_of(EVEN), 1)[0]
    assert check.state == state


def test_a_model_worse_than_the_moving_average_is_watched():
    checks = check_live_error(windows_of([2.5], bar=3.0), promise_of(EVEN), 1)
    assert {c.name: c.state for c in checks}["error beside the baseline"] == "watch"


def test_a_model_without_promise_is_unknown_and_no_sales_are_unknown():
    without = windows_of([0.8]).with_columns(bar=pl.lit(float("nan")))
    assert check_live_error(without, None, 1)[0].state == "unknown"
    assert [c.state for c in check_live_error(pl.DataFrame(), None, 1)] == ["unknown"]


def test_a_window_ends_each_day_and_holds_seven():
    live = make_live(n_days=10)
    windows = score_windows(live, promise_of(EVEN), NO_SEASON, MonitoringParameters())
    assert windows["date"].to_list() == [START + timedelta(i) for i in range(2, 10)]
    assert windows["days"].to_list() == [3, 4, 5, 6, 7, 7, 7, 7]
    last = live.filter(pl.col("date") > START + timedelta(2))
    squares = last["squares"].sum() / last["weight"].sum()
    assert windows["nwrmsle"][-1] == pytest.approx(np.sqrt(squares))


def test_dates_that_were_harder_a_year_ago_get_a_higher_bar():
    weight, squares = np.ones(800), np.ones(800)
    start = np.datetime64("2016-01-01")
    hard = int((np.datetime64("2016-06-01") - start).astype(int))
    squares[hard : hard + 30] = 4.0
    live = make_live(n_days=10)
    calm, raised = (
        score_windows(live, promise_of(EVEN), season, MonitoringParameters())
        for season in (NO_SEASON, Season(start, weight, squares))
    )
    assert raised["bar"].to_numpy() == pytest.approx(2 * calm["bar"].to_numpy())
    assert raised["nwrmsle"].to_list() == calm["nwrmsle"].to_list()


@pytest.fixture
def panel():
    return make_panel(seed=3, n_days=120)


def archive_of(panel, cutoffs, version=1) -> pl.LazyFrame:
    keys = pl.from_pandas(panel.series[["store_nbr", "item_nbr"]])
    parts = [
        keys.with_columns(
            cutoff=pl.lit(panel.date_of(cutoff).astype(object)),
            date=pl.lit(panel.date_of(cutoff + step).astype(object)),
            step=pl.lit(step, pl.Int16),
            model_version=pl.lit(version, pl.Int64),
            **{name: pl.lit(1.0) for name in ("point", "seasonal_naive", "moving_average")},
            **{"interval_low": pl.lit(0.0), "interval_high": pl.lit(2.0)},
        )
        for cutoff in cutoffs
        for step in range(1, 17)
    ]
    return pl.concat(parts).lazy()


def test_forecasts_meet_the_sales_of_open_stores_and_started_series_only(panel):
    cutoffs = range(100, 120)
    live = join_sales(archive_of(panel, cutoffs), panel, 1, str(panel.date_of(100)), 10)
    expected = {
        (store, item, cutoff, day): panel.units[row, day]
        for row, (store, item) in enumerate(panel.series[["store_nbr", "item_nbr"]].to_numpy())
        for cutoff in cutoffs
        for day in range(cutoff + 1, min(cutoff + 17, panel.n_days))
        if day >= panel.n_days - 10
        and panel.open_days[panel.store_position[row], day]
        and panel.series["first_sale"][row] <= day
    }
    found = {
        (
            r["store_nbr"],
            r["item_nbr"],
            panel.day_of(str(r["cutoff"])),
            panel.day_of(str(r["date"])),
        ): r["unit_sales"]
        for r in live.to_dicts()
    }
    assert found == expected


def test_wrong_days_are_left_out_and_told(panel):
    archive, trained = archive_of(panel, range(100, 119)), str(panel.date_of(100))
    wrong = [str(panel.date_of(day)) for day in (112, 115, 116, 117)]
    live = join_sales(archive, panel, 1, trained, 10, wrong)
    whole = join_sales(archive, panel, 1, trained, 10)
    assert set(live["date"].cast(pl.String)) == set(whole["date"].cast(pl.String)) - set(wrong)
    told = " Left out, as data health says that they are wrong: "
    one, many = (
        check_live_error(windows_of([0.8]), promise_of(EVEN), 1, days)[0].detail
        for days in (wrong[:1], wrong)
    )
    assert one.endswith(f"{told}{wrong[0]}.")
    assert many.endswith(f"{told}{', '.join(wrong[:3])} and 1 more.")
    assert check_live_error(pl.DataFrame(), None, 1, wrong)[0].detail.endswith("and 1 more.")


def test_other_versions_do_not_count(panel):
    archive = archive_of(panel, [100], version=2)
    assert join_sales(archive, panel, 1, str(panel.date_of(100)), 30).is_empty()
    assert len(join_sales(archive, panel, 2, str(panel.date_of(100)), 30))


def test_forecasts_from_days_that_the_model_has_seen_do_not_count(panel):
    trained, seen = str(panel.date_of(110)), archive_of(panel, range(100, 110))
    assert join_sales(seen, panel, 1, trained, 30).is_empty()
    both = pl.concat([seen, archive_of(panel, [110, 112])])
    found = join_sales(both, panel, 1, trained, 30)
    assert found["cutoff"].unique().to_list() == [panel.date_of(d).astype(date) for d in (110, 112)]


def test_forecasts_of_days_before_the_first_sales_do_not_count(panel):
    archive = archive_of(panel, [-150, 5])
    live = join_sales(archive, panel, 1, str(panel.date_of(-200)), 366)
    assert live["cutoff"].unique().to_list() == [panel.date_of(5).astype(date)]


def test_the_slices_of_a_row_are_those_of_its_series(panel):
    live = join_sales(archive_of(panel, [110]), panel, 1, str(panel.date_of(110)), 30)
    series = panel.series.set_index(["store_nbr", "item_nbr"])
    for row in live.to_dicts():
        of_series = series.loc[(row["store_nbr"], row["item_nbr"])]
        for name in ("type", "city", "family"):
            assert row[name] == of_series[name]
        assert row["cluster"] == str(of_series["cluster"])
        assert row["weight"] == (1.25 if of_series["perishable"] else 1.0)
        assert row["perishable"] == ("perishable" if of_series["perishable"] else "not perishable")


@pytest.mark.parametrize(("coverage", "state"), [(0.75, "ok"), (0.71, "ok"), (0.69, "watch")])
def test_intervals_that_cover_far_less_than_promised_are_watched(coverage, state):
    windows = windows_of([0.8]).with_columns(coverage=pl.lit(coverage))
    checks = check_live_error(windows, promise_of(EVEN), 1)
    assert {c.name: c.state for c in checks}["coverage of intervals"] == state


def test_days_without_sales_leave_gaps_in_windows_and_few_days_make_none():
    live = make_live(n_days=20)
    kept = [START + timedelta(i) for i in (0, 1, 8, 9, 10, 18)]
    windows = score_windows(
        live.filter(pl.col("date").is_in(kept)), promise_of(EVEN), NO_SEASON, MonitoringParameters()
    )
    assert windows["date"].to_list() == [START + timedelta(10)]
    assert windows["days"].to_list() == [3]


def test_slices_name_steps_dates_and_weeks_since_the_training():
    table = score_live(make_live(n_days=9), str(START - timedelta(1)), ("family",))
    slices = dict(table.group_by("slice").len().iter_rows())
    assert slices == {"total": 1, "date": 9, "step": 1, "weeks_since_cutoff": 2, "family": 6}
    weeks = table.filter(slice="weeks_since_cutoff").sort("value")
    assert weeks["value"].to_list() == ["1", "2"]
    assert weeks["rows"].to_list() == [60 * 7, 60 * 2]

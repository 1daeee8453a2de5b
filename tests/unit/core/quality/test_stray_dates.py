import polars as pl
import pytest

from grocery_demand.core.quality.stray_dates import find_stray_dates


@pytest.mark.parametrize(
    ("dates", "stray"),
    [
        ([], []),
        (["2017-01-01"], [False]),
        (["2017-01-01", "2017-01-31", "2017-03-02"], [False, False, False]),
        (["2071-01-01", "2017-01-01", "2017-01-02"], [True, False, False]),
        (["2017-01-01", "2003-01-01", "2017-01-01"], [False, True, False]),
        (["2003-01-01", "2017-01-01", "2017-01-01", "2071-01-01"], [True, False, False, True]),
        (["2003-01-01", "2003-02-01"] + ["2017-01-01"] * 3, [True] * 2 + [False] * 3),
    ],
)  # fmt: skip
def test_dates_outside_the_largest_cluster_are_stray(dates, stray):
    days = pl.Series("date", dates, dtype=pl.String).str.to_date()

    assert find_stray_dates(days, max_gap_days=31).tolist() == stray


def test_slices_are_counted_together(monkeypatch):
    monkeypatch.setattr("grocery_demand.core.quality.stray_dates.SLICE", 2)
    days = pl.Series(["2017-01-02", "2017-01-09", "2017-01-03", "2017-01-01", "2071-01-01"])

    assert find_stray_dates(days.str.to_date(), 31).tolist() == [False] * 4 + [True]

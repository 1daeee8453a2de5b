"""Questions to the sales, on tables small enough to answer by hand."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from grocery_demand.core import exploration
from worlds import set_series

ITEMS = pd.DataFrame({"item_nbr": [1, 2, 3], "family": ["EGGS", "EGGS", "DELI"]})


def sales_of(*rows: tuple[str, int, int, float, bool | None]) -> pl.LazyFrame:
    columns = ["date", "store_nbr", "item_nbr", "unit_sales", "onpromotion"]
    kinds = {"store_nbr": pl.Int32, "item_nbr": pl.Int32, "onpromotion": pl.Boolean}
    frame = pl.DataFrame(rows, schema=columns, orient="row", schema_overrides=kinds)
    return frame.with_columns(pl.col("date").str.to_date()).lazy()


SALES = sales_of(
    ("2016-12-23", 1, 1, 4.0, None),
    ("2016-12-24", 1, 1, 8.0, False),
    ("2016-12-24", 1, 3, 2.0, True),
    ("2016-12-26", 2, 1, -3.0, False),
    ("2016-12-26", 2, 3, -1.0, False),
    ("2016-12-27", 2, 1, -5.0, True),
)


def test_the_extent_counts_days_stores_items_rows_and_returns(panel):
    answers = exploration.describe_extent(SALES, panel)
    assert answers["First and last day"] == "2016-12-23 … 2016-12-27"
    assert answers["Days"] == "5"
    assert answers["Days without any sale"] == "1"
    assert answers["Stores"] == "2"
    assert answers["Items that sold"] == "2"
    assert answers["Rows (a day with a sale)"] == "6"
    assert answers["Rows below zero (returns)"] == "3"
    assert answers["Rows whose promotion is not known"] == "1"


def test_days_are_totalled_with_those_that_have_no_row():
    totals = exploration.total_by_day(SALES)
    assert totals["date"].dt.day.tolist() == [23, 24, 25, 26, 27]
    assert totals["rows"].tolist() == [1, 2, 0, 2, 1]
    assert totals["units"].tolist() == [4, 10, 0, -4, -5]


def test_the_missing_day_is_found_with_its_weekday():
    missing = exploration.find_missing_days(exploration.total_by_day(SALES))
    assert missing["date"].dt.strftime("%Y-%m-%d").tolist() == ["2016-12-25"]
    assert missing["weekday"].tolist() == ["Sunday"]


def test_returns_are_counted_by_family():
    table = exploration.count_returns(SALES, ITEMS)
    assert table.to_dict(orient="records") == [
        {"family": "EGGS", "returns": 2, "share": 0.5, "units": 8.0, "largest": 5.0},
        {"family": "DELI", "returns": 1, "share": 0.5, "units": 1.0, "largest": 1.0},
    ]


def test_sales_without_returns_give_no_family():
    assert exploration.count_returns(SALES.filter(pl.col("unit_sales") > 0), ITEMS).empty


def test_the_share_of_days_with_a_sale_counts_observed_days_only(panel):
    """As a plain loop over days counts them."""
    shares = exploration.measure_sale_shares(panel)
    assert len(shares) == (panel.series["first_sale"] < panel.n_days).sum()
    for position, row in shares.iterrows():
        place = panel.series.index[
            (panel.series["store_nbr"] == row["store_nbr"])
            & (panel.series["item_nbr"] == row["item_nbr"])
        ][0]
        store = panel.store_position[place]
        days = [
            day
            for day in range(int(panel.series["first_sale"][place]), panel.n_days)
            if panel.open_days[store, day]
        ]
        sold = [day for day in days if panel.units[place, day] > 0]
        assert row["share"] == pytest.approx(len(sold) / len(days)), position


def test_a_series_that_never_sold_has_no_share(panel):
    silent = set_series(panel, 0, first_sale=panel.n_days)
    before, after = map(exploration.measure_sale_shares, (panel, silent))
    assert len(after) == len(before) - 1


def test_the_week_is_relative_to_the_mean_day_of_the_family():
    monday = date(2016, 1, 4)
    rows = [
        ((monday + timedelta(days=i)).isoformat(), 1, item, units * (3 if i % 7 == 5 else 1), None)
        for i in range(14)
        for item, units in ((1, 2.0), (3, 10.0))
    ]
    week = exploration.measure_week(sales_of(*rows), ITEMS)
    assert week.index.tolist() == ["DELI", "EGGS"]
    assert week.columns.tolist() == list(exploration.WEEKDAYS)
    np.testing.assert_allclose(week["Sat"], 3 / (9 / 7))
    np.testing.assert_allclose(week.mean(axis=1), 1)


def test_promotions_are_compared_within_series_and_unknown_ones_left_out():
    days = [f"2016-01-{day:02d}" for day in range(1, 21)]
    rows = [
        (day, store, 1, level * (2.0 if i < 5 else 1.0), i < 5)
        for store, level in ((1, 1.0), (2, 100.0))
        for i, day in enumerate(days)
    ]
    rows += [(day, 1, 3, 50.0, None) for day in days] + [(days[0], 2, 3, 7.0, True)]
    table = exploration.measure_promotions(sales_of(*rows), ITEMS).set_index("family")
    assert table["share"].to_dict() == {"DELI": 1.0, "EGGS": 0.25}
    assert table.loc["EGGS", "uplift"] == pytest.approx(2)
    assert np.isnan(table.loc["DELI", "uplift"])


def test_a_holiday_is_held_against_the_days_around_it():
    first = date(2016, 1, 4)
    rows = [
        ((first + timedelta(days=i)).isoformat(), 1, 1, 200.0 if i == 60 else 100.0, False)
        for i in range(120)
    ]
    holidays = pd.DataFrame(
        {
            "date": pd.to_datetime([first + timedelta(days=60)]).astype("datetime64[ms]"),
            "type": ["Holiday"],
            "locale": ["National"],
            "locale_name": ["Ecuador"],
            "description": ["Carnaval"],
            "transferred": [False],
        }
    )
    stores = pd.DataFrame({"store_nbr": [1], "city": ["Quito"]})
    effects = exploration.measure_holiday_effects(sales_of(*rows), holidays, stores)
    assert effects["Holiday"] == pytest.approx(2, rel=0.05)
    assert effects.notna().all()
    assert "local" not in effects

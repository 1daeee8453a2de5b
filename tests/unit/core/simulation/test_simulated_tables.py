"""The tables of a world have Kaggle's shape and the house's oddities."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import simulate_tables

COLUMNS = {
    "train": ["id", "date", "store_nbr", "item_nbr", "unit_sales", "onpromotion"],
    "test": ["id", "date", "store_nbr", "item_nbr", "onpromotion"],
    "items": ["item_nbr", "family", "class", "perishable"],
    "stores": ["store_nbr", "city", "state", "type", "cluster"],
    "transactions": ["date", "store_nbr", "transactions"],
    "oil": ["date", "dcoilwtico"],
    "holidays_events": ["date", "type", "locale", "locale_name", "description", "transferred"],
}


def simulate(**changes: Any) -> dict[str, pl.DataFrame]:
    """Simulate a small world; whole tables by name."""
    values = {"seed": 3, "stores": 4, "items": 60} | changes
    parts: dict[str, list[pl.DataFrame]] = {}
    for part in simulate_tables(SimulationParameters(**values)).parts:
        parts.setdefault(part.table, []).append(part.rows)
    return {table: pl.concat(rows) for table, rows in parts.items()}


@pytest.fixture(scope="module")
def spring() -> dict[str, pl.DataFrame]:
    return simulate(start_date="2014-03-15", end_date="2014-05-15")


@pytest.fixture(scope="module")
def winter() -> dict[str, pl.DataFrame]:
    return simulate(start_date="2015-12-01", end_date="2016-02-29")


def test_the_tables_have_kaggles_columns(spring: dict[str, pl.DataFrame]) -> None:
    assert {table: rows.columns for table, rows in spring.items()} == COLUMNS


def test_ids_are_consecutive_and_go_on_into_the_plan(spring: dict[str, pl.DataFrame]) -> None:
    ids = spring["train"]["id"].to_list() + spring["test"]["id"].to_list()
    assert ids == list(range(len(ids)))


def test_rows_are_sorted_and_unique_by_day_store_and_item(
    spring: dict[str, pl.DataFrame],
) -> None:
    keys = ["date", "store_nbr", "item_nbr"]
    for table in ("train", "test"):
        assert spring[table].select(keys).equals(spring[table].select(keys).unique().sort(keys))


def test_onpromotion_is_empty_before_april_2014_and_told_afterwards(
    spring: dict[str, pl.DataFrame],
) -> None:
    early = pl.col("date") < date(2014, 4, 1)
    told = spring["train"].filter(~early)["onpromotion"]
    assert spring["train"].filter(early)["onpromotion"].null_count() == (
        spring["train"].filter(early).height
    )
    assert set(told) == {"True", "False"}
    assert set(spring["test"]["onpromotion"]) == {"True", "False"}


def test_there_is_no_row_at_christmas_and_few_at_new_year(winter: dict[str, pl.DataFrame]) -> None:
    days = dict(winter["train"].group_by("date").len().rows())
    stores = winter["train"].group_by("date").agg(pl.col("store_nbr").n_unique())
    assert date(2015, 12, 25) not in days
    assert dict(stores.rows())[date(2016, 1, 1)] in (1, 2)
    assert len(days) == 91 - 1
    assert date(2015, 12, 25) not in winter["transactions"]["date"].to_list()


def test_christmas_alone_makes_empty_tables_with_their_columns() -> None:
    tables = simulate(start_date="2015-12-25", end_date="2015-12-25")
    assert tables["train"].height == tables["transactions"].height == 0
    assert tables["train"].columns == COLUMNS["train"]


def test_units_are_whole_but_for_goods_sold_by_weight(winter: dict[str, pl.DataFrame]) -> None:
    sales = winter["train"].join(winter["items"], on="item_nbr")
    fractional = sales.filter(pl.col("unit_sales") % 1 != 0)
    fresh = {"POULTRY", "MEATS", "PRODUCE", "SEAFOOD", "DELI"}
    assert 0 < fractional.height < 0.3 * sales.height
    assert set(fractional["family"]) <= fresh
    rounded = fractional["unit_sales"].round(3)
    assert fractional["unit_sales"].equals(rounded)


def test_no_row_holds_zero_units(winter: dict[str, pl.DataFrame]) -> None:
    assert winter["train"].filter(pl.col("unit_sales") == 0).is_empty()
    assert winter["train"]["unit_sales"].is_finite().all()


def test_units_are_written_as_kaggle_writes_them(winter: dict[str, pl.DataFrame]) -> None:
    lines = winter["train"].select("unit_sales").write_csv(include_header=False).split()
    assert all(line.count(".") == 1 and len(line.split(".")[1]) <= 3 for line in lines)
    assert any(line.endswith(".0") for line in lines)


def test_sales_are_intermittent(winter: dict[str, pl.DataFrame]) -> None:
    share = winter["train"].height / (90 * 4 * 60)
    assert 0.2 < share < 0.7


def test_the_plan_covers_the_days_ahead_and_every_item_on_offer(
    winter: dict[str, pl.DataFrame],
) -> None:
    days = winter["test"]["date"].unique().sort().to_list()
    assert days == [date(2016, 2, 29) + timedelta(days=n) for n in range(1, 17)]
    sold = winter["train"].filter(pl.col("date") > date(2016, 2, 20))["item_nbr"].unique()
    assert set(sold) <= set(winter["test"]["item_nbr"])


def test_the_plan_holds_pairs_that_were_never_sold(winter: dict[str, pl.DataFrame]) -> None:
    keys = ["store_nbr", "item_nbr"]
    new = winter["test"].join(winter["train"], on=keys, how="anti")
    assert new.height > 0


def test_transactions_are_counted_where_there_are_sales(winter: dict[str, pl.DataFrame]) -> None:
    keys = ["date", "store_nbr"]
    sold = winter["train"].select(keys).unique().sort(keys)
    assert winter["transactions"].select(keys).sort(keys).equals(sold)
    assert winter["transactions"]["transactions"].min() > 0  # type: ignore[operator]


def test_transactions_go_with_the_stores_units() -> None:
    tables = simulate(start_date="2016-03-01", end_date="2016-08-31", stores=8)
    units = tables["train"].group_by("date", "store_nbr").agg(pl.col("unit_sales").sum())
    both = units.join(tables["transactions"], on=["date", "store_nbr"])
    assert both.select(pl.corr("unit_sales", "transactions")).item() > 0.6


def test_oil_is_quoted_on_weekdays_with_some_gaps(spring: dict[str, pl.DataFrame]) -> None:
    oil = simulate(start_date="2013-01-01", end_date="2013-01-01", plan_days=60)["oil"]
    long = pl.concat([oil, spring["oil"]])
    assert long["date"].dt.weekday().max() == 5
    assert 0 < long["dcoilwtico"].null_count() < 0.15 * long.height
    assert 26 <= long["dcoilwtico"].min() < long["dcoilwtico"].max() <= 111  # type: ignore[operator]


def test_promoted_series_sell_more() -> None:
    tables = simulate(start_date="2017-01-01", end_date="2017-05-31", items=120)
    logs, promoted = pl.col("unit_sales").log(), pl.col("onpromotion") == "True"
    by_series = (
        tables["train"]
        .filter(pl.col("unit_sales") > 0)
        .group_by("store_nbr", "item_nbr")
        .agg(uplift=logs.filter(promoted).mean() - logs.filter(~promoted).mean())
    )
    assert 0.15 < by_series["uplift"].mean() < 0.6  # type: ignore[operator]

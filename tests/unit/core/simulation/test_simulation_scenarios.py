"""A scenario leaves the days before it alone and bites from its first day on."""

from datetime import date

import polars as pl
import pytest

from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import simulate_tables

START = date(2017, 3, 8)  # within a week, so that the week before the start is put to the test
STARTED = pl.col("date") >= START


def simulate(scenario: str) -> dict[str, pl.DataFrame]:
    chosen = SimulationParameters(
        seed=11,
        stores=5,
        items=80,
        start_date="2017-02-20",
        end_date="2017-03-26",
        scenario=scenario,
        scenario_start="" if scenario == "none" else START.isoformat(),
    )
    parts: dict[str, list[pl.DataFrame]] = {}
    for part in simulate_tables(chosen).parts:
        parts.setdefault(part.table, []).append(part.rows)
    return {table: pl.concat(rows) for table, rows in parts.items()}


@pytest.fixture(scope="module")
def ordinary() -> dict[str, pl.DataFrame]:
    return simulate("none")


@pytest.mark.parametrize("scenario", ["promotion_wave", "demand_shift", "new_store", "broken_feed"])
def test_a_scenario_changes_nothing_before_it_and_something_after(
    scenario: str, ordinary: dict[str, pl.DataFrame]
) -> None:
    changed = simulate(scenario)
    days = ordinary["train"].filter(~STARTED)
    assert changed["train"].head(len(days)).equals(days)
    later = pl.col("id") >= len(days)
    assert not changed["train"].filter(later).equals(ordinary["train"].filter(later))
    assert changed["items"].equals(ordinary["items"])


def test_a_promotion_wave_promotes_many_more_rows(ordinary: dict[str, pl.DataFrame]) -> None:
    promoted = (pl.col("onpromotion") == "True").mean()
    wave = simulate("promotion_wave")
    for table, rows in (("train", STARTED), ("test", pl.lit(True))):
        usual = ordinary[table].filter(rows).select(promoted).item()
        assert wave[table].filter(rows).select(promoted).item() > 2 * usual


def test_a_demand_shift_turns_families_and_the_week(ordinary: dict[str, pl.DataFrame]) -> None:
    shifted = simulate("demand_shift")
    factors = _total(shifted, "family") / _total(ordinary, "family")
    assert (factors < 0.7).sum() >= 3
    assert (factors > 1.3).sum() >= 2
    weekday = pl.col("date").dt.weekday()
    week = _total(shifted, weekday) / _total(ordinary, weekday)
    assert week[:5].min() > week[5:].max()  # type: ignore[operator]


def _total(tables: dict[str, pl.DataFrame], key: pl.Expr | str) -> pl.Series:
    sales = tables["train"].filter(STARTED).join(tables["items"], on="item_nbr")
    big = sales.filter(pl.len().over("family") > 100)
    return big.group_by(key).agg(pl.col("unit_sales").sum()).sort(pl.first())["unit_sales"]


def test_a_new_store_opens_on_the_day_and_leaves_the_others_alone(
    ordinary: dict[str, pl.DataFrame],
) -> None:
    tables = simulate("new_store")
    new = set(tables["stores"]["store_nbr"]) - set(ordinary["stores"]["store_nbr"])
    assert len(new) == 1
    ours = pl.col("store_nbr").is_in(list(new))
    assert tables["train"].filter(ours)["date"].min() == START
    others = tables["train"].filter(~ours).drop("id")
    assert others.equals(ordinary["train"].drop("id"))
    assert new < set(tables["test"]["store_nbr"])


def test_a_broken_feed_misses_rows_repeats_days_and_sends_absurd_units(
    ordinary: dict[str, pl.DataFrame],
) -> None:
    broken = simulate("broken_feed")["train"].filter(STARTED)
    usual = ordinary["train"].filter(STARTED)
    keys = ["date", "store_nbr", "item_nbr"]
    assert broken.height < 0.9 * usual.height
    assert broken["unit_sales"].null_count() > 0.01 * broken.height
    assert broken.height - broken.select(keys).n_unique() > 0
    both = broken.join(usual, on=keys)
    thousandfold = both["unit_sales"] > 900 * both["unit_sales_right"]
    assert 0.05 < thousandfold.mean() < 0.5  # type: ignore[operator]
    stores = broken.group_by("date").agg(pl.col("store_nbr").n_unique())["store_nbr"]
    assert stores.max() <= usual["store_nbr"].n_unique()
    assert stores.min() < usual["store_nbr"].n_unique()  # type: ignore[operator]

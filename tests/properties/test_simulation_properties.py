"""Laws of every simulated world: it repeats itself, and it goes on."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from grocery_demand.core.simulation.items import NAMED_ITEMS
from grocery_demand.core.simulation.parameters import EPOCH, SCENARIOS, SimulationParameters
from grocery_demand.core.simulation.promotions import plan_promotions
from grocery_demand.core.simulation.randomness import Purpose, draw_by_store, spread_normally
from grocery_demand.core.simulation.stores import NAMED_SIZES
from grocery_demand.core.simulation.tables import simulate_tables
from grocery_demand.core.simulation.world import build_world

DAYS = st.dates(EPOCH, date(2017, 12, 31))
SEEDS = st.integers(0, 2**63 - 1)
KEYS = ["date", "store_nbr", "item_nbr"]
few = settings(max_examples=10, deadline=None)


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the parameters of a small world of up to twelve days."""
    start = draw(DAYS)
    return {
        "seed": draw(SEEDS),
        "stores": draw(st.integers(2, 6)),
        "items": draw(st.integers(3, 30)),
        "start_date": start.isoformat(),
        "end_date": (start + timedelta(days=draw(st.integers(0, 11)))).isoformat(),
        "plan_days": draw(st.integers(1, 20)),
    }


def simulate(values: dict[str, Any], **changes: Any) -> dict[str, pl.DataFrame]:
    parts: dict[str, list[pl.DataFrame]] = {}
    for part in simulate_tables(SimulationParameters(**{**values, **changes})).parts:
        parts.setdefault(part.table, []).append(part.rows)
    return {table: pl.concat(rows) for table, rows in parts.items()}


def later(values: dict[str, Any], days: int) -> str:
    return (date.fromisoformat(values["end_date"]) + timedelta(days=days)).isoformat()


@few
@given(worlds())
def test_a_repeated_simulation_writes_the_same_bytes(values: dict[str, Any]) -> None:
    once, again = simulate(values), simulate(values)
    assert {k: v.write_csv() for k, v in once.items()} == {
        k: v.write_csv() for k, v in again.items()
    }


@few
@given(worlds(), st.integers(1, 40))
def test_a_later_end_continues_the_same_world(values: dict[str, Any], days: int) -> None:
    short, long = simulate(values), simulate(values, end_date=later(values, days))
    for table in ("train", "transactions", "oil"):
        head = long[table].head(len(short[table]))
        assert head.write_csv() == short[table].write_csv(), table
    for table in ("items", "stores"):
        assert long[table].equals(short[table])
    assert short["holidays_events"].equals(
        long["holidays_events"].head(len(short["holidays_events"]))
    )


@few
@given(worlds(), st.integers(1, 10))
def test_an_earlier_start_shows_the_same_days(values: dict[str, Any], days: int) -> None:
    earlier = max(date.fromisoformat(values["start_date"]) - timedelta(days=days), EPOCH)
    short, long = simulate(values), simulate(values, start_date=earlier.isoformat())
    tail = long["train"].tail(len(short["train"])).drop("id")
    assert tail.equals(short["train"].drop("id"))


@few
@given(worlds())
def test_the_plan_is_what_onpromotion_says_later(values: dict[str, Any]) -> None:
    plan = simulate(values)["test"]
    lived = simulate(values, end_date=later(values, values["plan_days"]))["train"]
    lived = lived.filter(pl.col("date") > date.fromisoformat(values["end_date"]))
    told = lived.filter(pl.col("onpromotion").is_not_null())
    both = told.join(plan, on=KEYS)
    assert both.height == told.height, "every sale was in the plan"
    assert (both["onpromotion"] == both["onpromotion_right"]).all()


@few
@given(worlds(), st.sampled_from(SCENARIOS[1:]), st.data())
def test_a_scenario_leaves_the_days_before_it_alone(
    values: dict[str, Any], scenario: str, data: st.DataObject
) -> None:
    first, last = (date.fromisoformat(values[name]) for name in ("start_date", "end_date"))
    start = data.draw(st.dates(first, last))
    changed = simulate(values, scenario=scenario, scenario_start=start.isoformat())
    before = pl.col("date") < start
    usual = simulate(values)["train"].filter(before)
    assert changed["train"].head(len(usual)).equals(usual)


@few
@given(worlds())
def test_the_named_stores_and_items_are_in_every_world(values: dict[str, Any]) -> None:
    tables = simulate(values)
    assert tables["stores"].height == values["stores"]
    assert tables["items"].height == values["items"]
    assert set(NAMED_SIZES) <= set(tables["stores"]["store_nbr"])
    found = tables["items"].filter(pl.col("item_nbr").is_in(list(NAMED_ITEMS)))
    described = {n: (family, number) for n, family, number, _ in found.iter_rows()}
    assert described == NAMED_ITEMS


@few
@given(SEEDS, st.integers(2013, 2030))
def test_christmas_has_no_rows(seed: int, year: int) -> None:
    tables = simulate(
        {"seed": seed, "stores": 3, "items": 12},
        start_date=f"{year}-12-24",
        end_date=f"{year}-12-26",
    )
    days = set(tables["train"]["date"])
    assert date(year, 12, 24) in days
    assert date(year, 12, 25) not in days


@few
@given(SEEDS, DAYS)
def test_nothing_is_promoted_before_promotions_were_recorded(seed: int, day: date) -> None:
    world = build_world(
        SimulationParameters(
            seed=seed, stores=2, items=40, start_date="2013-01-01", end_date="2019-12-31"
        )
    )
    promoted = plan_promotions(world, day)
    assert promoted.shape == (2, 40)
    if day < date(2014, 4, 1):
        assert not promoted.any()


@given(SEEDS, st.integers(0, 10_000), st.sets(st.integers(1, 99), min_size=2, max_size=6))
def test_a_stores_luck_does_not_depend_on_the_other_stores(
    seed: int, moment: int, stores: set[int]
) -> None:
    numbers = np.array(sorted(stores))
    together = draw_by_store(seed, Purpose.DEMAND, moment, numbers, 5)
    alone = draw_by_store(seed, Purpose.DEMAND, moment, numbers[-1:], 5)
    assert np.array_equal(together[-1:], alone)
    assert not np.array_equal(together[0], together[1])


@given(SEEDS, st.integers(1, 60))
def test_spread_numbers_come_one_from_each_part_of_the_distribution(seed: int, count: int) -> None:
    numbers = spread_normally(np.random.default_rng(seed), count)
    assert len(np.unique(numbers)) == count
    assert abs(numbers.mean()) < 1.7 / count**0.5

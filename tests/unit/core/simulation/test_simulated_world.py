"""The stores and items of a world are what they should be at every size."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from grocery_demand.core.simulation.families import FAMILIES
from grocery_demand.core.simulation.items import FULL_COUNT, NAMED_ITEMS, Items, make_items
from grocery_demand.core.simulation.parameters import EPOCH, SimulationParameters
from grocery_demand.core.simulation.stores import Stores, make_stores
from grocery_demand.core.simulation.world import build_world


def parameters(stores: int, items: int, seed: int = 5) -> SimulationParameters:
    return SimulationParameters(
        seed=seed, stores=stores, items=items, start_date="2013-01-01", end_date="2017-08-15"
    )


@pytest.fixture(scope="module")
def every_store() -> Stores:
    return make_stores(parameters(54, 3))


@pytest.fixture(scope="module")
def every_item() -> Items:
    return make_items(parameters(2, FULL_COUNT))


def test_the_full_stores_have_the_real_marginals(every_store: Stores) -> None:
    table = every_store.table
    assert dict(table.group_by("type").len().rows()) == {"D": 18, "C": 15, "A": 9, "B": 8, "E": 4}
    assert table["cluster"].n_unique() == 17
    assert table["city"].n_unique() == 22
    assert table["state"].n_unique() == 16
    assert table.filter(pl.col("city") == "Quito").height == 18


def test_a_cluster_belongs_to_one_type_and_a_city_to_one_state(every_store: Stores) -> None:
    table = every_store.table
    assert table.group_by("cluster").agg(pl.col("type").n_unique())["type"].max() == 1
    assert table.group_by("city").agg(pl.col("state").n_unique())["state"].max() == 1


def test_stores_44_and_47_are_large(every_store: Stores) -> None:
    sizes = dict(zip(every_store.numbers.tolist(), np.exp(every_store.sizes), strict=True))
    assert sizes[44] == pytest.approx(2.99)
    assert sizes[47] == pytest.approx(2.44)


def test_seven_stores_open_within_the_span_and_six_close_for_a_while(every_store: Stores) -> None:
    span = (date(2017, 8, 15) - EPOCH).days
    assert ((every_store.opening > 0) & (every_store.opening < span)).sum() == 7
    length = every_store.closed_until - every_store.closed_from
    assert (length > 0).sum() == 6
    assert ((length[length > 0] >= 30) & (length[length > 0] <= 120)).all()


def test_a_closed_store_does_not_sell(every_store: Stores) -> None:
    row = int(np.argmax(every_store.closed_until - every_store.closed_from))
    days = [int(every_store.closed_from[row]), int(every_store.closed_until[row])]
    first, after = (date.fromordinal(EPOCH.toordinal() + day) for day in days)
    assert not every_store.find_open(first)[row]
    assert every_store.find_open(after)[row]


def test_hardly_any_store_sells_at_new_year_and_none_at_christmas(every_store: Stores) -> None:
    for year in range(2013, 2019):
        assert every_store.find_open(date(year, 1, 1)).sum() in (1, 2)
        assert not every_store.find_open(date(year, 12, 25)).any()
        assert every_store.find_open(date(year, 12, 24)).sum() > 40


def test_the_sample_has_every_type_an_opening_and_a_closure() -> None:
    stores = make_stores(parameters(10, 3))
    assert set(stores.table["type"]) == set("ABCDE")
    first, last = ((day - EPOCH).days for day in (date(2015, 6, 1), date(2017, 5, 31)))
    assert ((stores.opening > first) & (stores.opening < last)).any()
    closes = stores.closed_until > stores.closed_from
    assert (closes & (stores.closed_from > first) & (stores.closed_until < last)).any()


def test_the_full_items_have_the_real_families(every_item: Items) -> None:
    counted = dict(every_item.table.group_by("family").len().rows())
    total = sum(family.items for family in FAMILIES)
    for family in FAMILIES:
        expected = family.items * FULL_COUNT / total
        assert counted[family.name] == pytest.approx(expected, abs=3), family.name


def test_a_class_belongs_to_one_family_and_a_family_perishes_wholly_or_not(
    every_item: Items,
) -> None:
    table = every_item.table
    assert table.group_by("class").agg(pl.col("family").n_unique())["family"].max() == 1
    assert table.group_by("family").agg(pl.col("perishable").n_unique())["perishable"].max() == 1
    assert 0.20 < table["perishable"].mean() < 0.28  # type: ignore[operator]
    assert 250 < table["class"].n_unique() < 400


def test_units_are_shared_out_between_families_as_they_really_are(every_item: Items) -> None:
    units = np.exp(every_item.levels)
    for index in range(10):
        share = units[every_item.family == index].sum() / units.sum()
        assert share == pytest.approx(FAMILIES[index].units, rel=0.1), FAMILIES[index].name


def test_only_fresh_goods_are_weighed(every_item: Items) -> None:
    weighed = {FAMILIES[index].name for index in every_item.family[every_item.weighed]}
    assert weighed == {"POULTRY", "MEATS", "PRODUCE", "SEAFOOD", "DELI"}


def test_items_come_and_go_over_time(every_item: Items) -> None:
    counts = [
        every_item.find_offered((date(year, 6, 1) - EPOCH).days).sum() for year in (2013, 17 + 2000)
    ]
    assert 1.5 < counts[1] / counts[0] < 2.6
    assert (every_item.end_day < (date(2017, 6, 1) - EPOCH).days).sum() > 100


def test_a_hundred_items_hold_every_family() -> None:
    assert make_items(parameters(2, 100)).table["family"].n_unique() == len(FAMILIES)


@pytest.mark.parametrize("items", [3, 4, 17, 99, 100, 101, 200, 1000, 4100])
def test_item_numbers_are_unique_and_as_many_as_asked_for(items: int) -> None:
    numbers = make_items(parameters(2, items)).numbers
    assert len(numbers) == items
    assert (np.diff(numbers) > 0).all()


@pytest.mark.parametrize(("stores", "items"), [(2, 3), (5, 40)])
def test_the_named_items_are_sold_in_every_store_without_a_break(stores: int, items: int) -> None:
    world = build_world(parameters(stores, items))
    named = np.isin(world.items.numbers, list(NAMED_ITEMS))
    assert named.sum() == 3
    assert world.carried[:, named].all()
    assert (world.first_day[:, named] <= np.maximum(world.stores.opening, 0)[:, None]).all()


def test_another_seed_makes_another_world() -> None:
    one, other = (build_world(parameters(4, 30, seed)) for seed in (1, 2))
    assert not one.items.table.equals(other.items.table)
    assert not np.array_equal(one.levels, other.levels)

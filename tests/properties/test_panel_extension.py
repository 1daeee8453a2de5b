"""A panel to which later days were added is the panel made of all days at once."""

import dataclasses

import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grocery_demand.core.panel import Panel
from grocery_demand.core.panel_extension import extend_panel
from small_sales import build, holidays, items, plans, sales_rows, stores, to_plan, to_table


def split(sales: dict, day: int) -> tuple[dict, dict]:
    earlier = {key: value for key, value in sales.items() if key[0] <= day}
    return earlier, {key: value for key, value in sales.items() if key[0] > day}


def extend(panel: Panel, sales: dict, plan: dict) -> Panel:
    return extend_panel(panel, to_table(sales), to_plan(plan), items, stores, holidays, "new")


def assert_same(found: Panel, expected: Panel) -> None:
    for name in ("units", "promotions", "open_days"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)
        assert getattr(found, name).dtype == getattr(expected, name).dtype
    pd.testing.assert_frame_equal(found.series, expected.series)
    pd.testing.assert_frame_equal(found.stores, expected.stores)
    assert found.start_date == expected.start_date
    for field in dataclasses.fields(found.calendar):
        pair = (getattr(found.calendar, field.name), getattr(expected.calendar, field.name))
        np.testing.assert_array_equal(*pair)


@given(sales_rows, plans, st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_it_equals_the_panel_of_all_days(sales, plan, day):
    earlier, later = split(sales, day)
    assume(earlier and later)
    assume(any(key[0] > max(key[0] for key in later) for key in plan))
    whole = build(sales, plan)
    assert_same(extend(build(earlier, {}), later, plan), whole)


@given(sales_rows, plans, plans, st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_a_new_plan_takes_the_place_of_the_former(sales, former, plan, day):
    earlier, later = split(sales, day)
    assume(earlier and later)
    assume(any(key[0] > max(key[0] for key in later) for key in plan))
    extended = extend(build(earlier, former), later, plan)
    whole = build(sales, plan)
    named = pd.MultiIndex.from_frame(extended.series[["store_nbr", "item_nbr"]])
    rows = named.get_indexer(pd.MultiIndex.from_frame(whole.series[["store_nbr", "item_nbr"]]))
    assert (rows >= 0).all()
    np.testing.assert_array_equal(extended.promotions[rows], whole.promotions)
    others = np.setdiff1d(np.arange(len(named)), rows)
    assert not extended.promotions[others].any()
    assert not extended.units[others].any()


@given(sales_rows, plans, st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_without_a_new_plan_the_former_holds_on_for_the_days_after_the_new_ones(sales, plan, day):
    earlier, later = split(sales, day)
    assume(earlier and later)
    extended = extend(build(earlier, plan), later, {})
    last = max(key[0] for key in later)
    first = min(key[0] for key in sales)
    for row, (store, item) in enumerate(
        extended.series[["store_nbr", "item_nbr"]].itertuples(index=False, name=None)
    ):
        for ahead in range(last + 1, first + extended.promotions.shape[1]):
            assert extended.promotions[row, ahead - first] == (
                plan.get((ahead, store, item)) is True
            )


@given(sales_rows, st.integers(0, 4), st.integers(1, 3))
@settings(max_examples=100, deadline=None)
def test_adding_twice_equals_adding_once(sales, day, gap):
    earlier, later = split(sales, day)
    second, third = split(later, day + gap)
    assume(earlier and second and third)
    assert_same(
        extend(extend(build(earlier, {}), second, {}), third, {}),
        extend(build(earlier, {}), later, {}),
    )


def test_the_digest_names_the_panel_and_what_was_added():
    panel = build({(0, 1, 5): (3.0, None)}, {})
    extended = extend(panel, {(1, 1, 5): (2.0, None)}, {})
    assert len(extended.digest) == 64
    assert extended.digest != panel.digest
    assert extended.digest == extend(panel, {(1, 1, 5): (2.0, None)}, {}).digest

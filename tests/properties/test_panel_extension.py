"""A panel that took days in, in any order, is the panel made of all rows at once."""

import dataclasses

import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grocery_demand.core.panel import Panel
from grocery_demand.core.panel_extension import extend_panel
from small_sales import build, holidays, items, plans, sales_rows, stores, to_plan, to_table

many = settings(max_examples=200, deadline=None)


def split(sales: dict, day: int) -> tuple[dict, dict]:
    earlier = {key: value for key, value in sales.items() if key[0] <= day}
    return earlier, {key: value for key, value in sales.items() if key[0] > day}


def rows_of(sales: dict, days: set[int]) -> dict:
    return {key: value for key, value in sales.items() if key[0] in days}


def days_of(sales: dict) -> set[int]:
    return {key[0] for key in sales}


def extend(panel: Panel, sales: dict, plan: dict, history: dict | None = None) -> Panel:
    """Extend a panel; `history` may hold more than the panel's days, as after a crash."""
    known = to_table(history or {}).lazy()
    return extend_panel(panel, to_table(sales), to_plan(plan), items, stores, holidays, known)


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


@given(sales_rows, plans, plans, st.integers(0, 5))
@many
def test_it_equals_the_panel_of_all_days_and_the_newest_plan(sales, former, plan, day):
    earlier, later = split(sales, day)
    assume(earlier and later)
    assert_same(
        extend(build(earlier, former), later, plan, earlier), build(sales, plan if plan else former)
    )


@given(sales_rows, sales_rows, plans, plans, st.sets(st.integers(0, 6), min_size=1))
@many
def test_late_and_corrected_days_replace_the_former_ones(former, sales, old_plan, plan, days):
    new = rows_of(sales, days)
    assume(new and min(days_of(new)) >= min(days_of(former)))
    final = rows_of(former, days_of(former) - days_of(new)) | new
    standing = build(former, old_plan)
    found = extend(standing, new, plan, former)
    assert_same(found, build(final, plan if plan else old_plan))
    crashed = rows_of(former, days_of(former) - days_of(new)) | new
    assert_same(extend(standing, new, plan, crashed), found)


@given(sales_rows, plans, st.permutations(range(7)), st.integers(1, 6))
@many
def test_days_may_come_one_by_one_in_any_order_and_again(sales, plan, order, repeated):
    first = min(days_of(sales))
    panel, known = build(rows_of(sales, {first}), plan), rows_of(sales, {first})
    for day in [*order, *order[:repeated]]:
        new = rows_of(sales, {day})
        if new:
            panel = extend(panel, new, {}, known)
            known |= new
    assert_same(panel, build(sales, plan))


@given(sales_rows, plans)
@many
def test_a_plan_may_come_alone_and_no_plan_and_no_day_change_nothing(sales, plan):
    assert_same(extend(build(sales, {}), {}, plan, sales), build(sales, plan))
    assert_same(extend(build(sales, plan), {}, {}, sales), build(sales, plan))


def test_the_history_is_not_read_for_days_after_the_last():
    def refuse(_: object) -> None:
        raise AssertionError("the history was read")

    panel = build({(0, 1, 5): (3.0, None), (1, 3, 7): (1.0, None)}, {})
    known = to_table({}).lazy().map_batches(refuse)
    new = to_table({(1, 3, 7): (2.0, None), (2, 44, 9): (1.0, None)})
    found = extend_panel(panel, new, to_plan({}), items, stores, holidays, known)
    assert found.n_days == 3


def test_a_return_counts_as_the_first_sale_when_a_correction_removes_the_one_before():
    former = {(0, 1, 5): (3.0, None), (0, 3, 7): (1.0, None), (2, 1, 5): (-1.0, None)}
    new = {(0, 3, 7): (1.0, None)}
    found = extend(build(former, {}), new, {}, former)
    assert found.series["first_sale"].tolist() == [2, 0]


def test_a_panel_stored_without_planned_days_keeps_the_series_that_may_be_planned():
    former = build({(0, 1, 5): (3.0, None)}, {(1, 3, 7): False, (3, 3, 7): False})
    old = dataclasses.replace(former, series=former.series.drop(columns="last_planned"))
    found = extend(old, {(1, 1, 5): (2.0, None)}, {})
    assert found.series["item_nbr"].tolist() == [5, 7]

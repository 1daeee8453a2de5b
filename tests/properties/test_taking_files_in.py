"""Files of sales, however the days are spread over them and whenever they come, give one panel."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from grocery_demand.core.panel import Panel
from small_sales import START, build, sales_rows
from update_project import UpdateProject

few = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_names = st.sampled_from(["train-a.csv", "train-b.csv.gz", "train.csv", "train-c.csv"])


def as_rows(sales: dict) -> str:
    """Return sales by (day, store, item) as lines of a file."""
    return "".join(
        f"0,{START + timedelta(day)},{store},{item},{units!r},{'' if flag is None else flag}\n"
        for (day, store, item), (units, flag) in sales.items()
    )


def of_days(sales: dict, days: set[int]) -> dict:
    return {key: value for key, value in sales.items() if key[0] in days}


def assert_same(found: Panel, expected: Panel) -> None:
    for name in ("units", "promotions", "open_days"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)
    pd.testing.assert_frame_equal(found.series, expected.series)
    np.testing.assert_array_equal(found.calendar.national, expected.calendar.national)


@pytest.fixture
def make_project(tmp_path_factory):
    return lambda: UpdateProject(tmp_path_factory.mktemp("project"))


@given(sales_rows, st.lists(_names, min_size=7, max_size=7), st.permutations(range(7)), st.data())
@few
def test_any_split_into_files_in_any_order_with_repeats(make_project, sales, names, order, data):
    days = sorted({key[0] for key in sales})
    assume(len(days) > 1)
    first, *later = days
    made = make_project()
    made.preprocess(of_days(sales, {first}))
    files = {name: {day for day in later if names[day] == name} for name in set(names)}
    files = {name: held for name, held in files.items() if held}
    for name in sorted(files, key=lambda name: order[min(files[name])]):
        made.put(name, as_rows(of_days(sales, files[name])))
        if data.draw(st.booleans()):
            made.update()
    made.update()
    assert_same(made.panel(), build(sales, {}))
    stored = {
        ((day - START).days, store, item): (units, flag)
        for day, store, item, units, flag in made.sales().iter_rows()
    }
    assert stored == sales
    before = made.bytes()
    made.update()
    assert made.bytes() == before


@given(sales_rows, st.lists(st.tuples(st.integers(0, 6), sales_rows), min_size=1, max_size=5))
@few
def test_corrected_days_give_the_panel_of_the_final_rows(make_project, sales, corrections):
    made, first = make_project(), min(key[0] for key in sales)
    made.preprocess(sales)
    final = dict(sales)
    for day, others in corrections:
        corrected = of_days(others, {day})
        if corrected and day >= first:
            made.put(f"train-{START + timedelta(day)}.csv", as_rows(corrected))
            made.update(min_corrected_share=0)
            final = {key: value for key, value in final.items() if key[0] != day} | corrected
    assert_same(made.panel(), build(final, {}))

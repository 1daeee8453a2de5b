from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from grocery_demand.core import pairs
from grocery_demand.core.calendar import DAYS_AHEAD
from grocery_demand.core.errors import RawDataError
from grocery_demand.core.panel_building import build_panel

ITEMS = pd.DataFrame(
    {
        "item_nbr": [9, 5, 7],
        "family": ["EGGS", "DAIRY", "DAIRY"],
        "class": [2, 1, 1],
        "perishable": [1, 0, 0],
    }
)
STORES = pd.DataFrame(
    {
        "store_nbr": [44, 1, 3],
        "city": ["Quito", "Cuenca", "Quito"],
        "state": ["Pichincha", "Azuay", "Pichincha"],
        "type": ["A", "B", "C"],
        "cluster": [5, 1, 2],
    }
)
HOLIDAYS = pd.DataFrame(
    {
        "date": pd.to_datetime(["2017-01-02", "2017-01-03"]),
        "type": ["Holiday", "Holiday"],
        "locale": ["National", "Local"],
        "locale_name": ["Ecuador", "Quito"],
        "description": ["", ""],
        "transferred": [False, False],
    }
)


def _sales(*rows) -> pl.LazyFrame:
    columns = ["date", "store_nbr", "item_nbr", "unit_sales", "onpromotion"]
    types = [pl.Date, pl.Int32, pl.Int32, pl.Float64, pl.Boolean]
    return pl.LazyFrame(list(rows), dict(zip(columns, types, strict=True)), orient="row")


def _plan(*rows) -> pd.DataFrame:
    plan = pd.DataFrame(list(rows), columns=["date", "store_nbr", "item_nbr", "onpromotion"])
    return plan.astype({"onpromotion": "boolean"}).assign(date=pd.to_datetime(plan["date"]))


def _day(day: int, month: int = 1) -> date:
    return date(2017, month, day)


SALES = _sales(
    (_day(3), 44, 5, 2.5, True),
    (_day(1), 1, 7, 4.0, None),
    (_day(2), 1, 7, -3.0, False),
    (_day(4), 1, 9, 0.0, True),
    (_day(4), 44, 5, 1.0, False),
)


@pytest.fixture(params=[pairs.SLICE, 2], ids=["one slice", "slices of two"])
def panel(request, monkeypatch):
    monkeypatch.setattr("grocery_demand.core.panel_building.SLICE", request.param)
    plan = _plan(
        ("2017-01-05", 1, 7, True), ("2017-01-06", 3, 9, True), ("2017-01-06", 44, 5, None)
    )
    return build_panel(SALES, plan, ITEMS, STORES, HOLIDAYS, "d")


def test_series_are_the_pairs_that_are_sold_or_planned_with_their_attributes(panel):
    assert panel.series.to_dict("list") == {
        "store_nbr": [1, 1, 3, 44],
        "item_nbr": [7, 9, 9, 5],
        "family": ["DAIRY", "EGGS", "EGGS", "DAIRY"],
        "class": [1, 2, 2, 1],
        "perishable": [0, 1, 1, 0],
        "city": ["Cuenca", "Cuenca", "Quito", "Quito"],
        "state": ["Azuay", "Azuay", "Pichincha", "Pichincha"],
        "type": ["B", "B", "C", "A"],
        "cluster": [1, 1, 2, 5],
        "first_sale": [0, 3, 4, 2],
        "last_planned": [4, -1, 5, 5],
    }


def test_units_are_zero_where_nothing_is_recorded_and_for_returns(panel):
    assert panel.units.dtype == np.float32
    assert panel.units.flags.c_contiguous
    assert panel.units.tolist() == [
        [4.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 2.5, 1.0],
    ]


def test_promotions_go_on_to_the_end_of_the_plan(panel):
    assert panel.promotions.dtype == np.uint8
    assert panel.promotions.flags.c_contiguous
    assert panel.promotions.tolist() == [
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 1],
        [0, 0, 1, 0, 0, 0],
    ]
    assert panel.n_planned_days == 2


def test_a_store_is_open_on_the_days_with_a_row(panel):
    assert panel.stores["store_nbr"].tolist() == [1, 3, 44]
    assert panel.open_days.tolist() == [
        [True, True, False, True],
        [False, False, False, False],
        [False, False, True, True],
    ]


def test_the_calendar_starts_with_the_panel_and_goes_on_for_a_year(panel):
    assert panel.start_date == panel.calendar.start_date == np.datetime64("2017-01-01")
    assert len(panel.calendar.dates) == panel.n_days + DAYS_AHEAD
    assert panel.calendar.national[:3].tolist() == [0, 1, 0]
    assert panel.calendar.local[:, 2].tolist() == [0, 1, 1]
    assert panel.digest == "d"


def test_without_a_plan_promotions_end_with_the_sales():
    panel = build_panel(SALES, _plan(), ITEMS, STORES, HOLIDAYS, "d")

    assert panel.promotions.shape == panel.units.shape == (3, 4)
    assert panel.n_planned_days == 0


def test_planned_days_in_the_past_or_more_than_a_year_ahead_are_left_out():
    plan = _plan(("2017-01-04", 3, 5, True), ("2018-01-05", 1, 7, True), ("2018-01-06", 3, 7, True))

    panel = build_panel(SALES, plan, ITEMS, STORES, HOLIDAYS, "d")

    assert panel.n_planned_days == DAYS_AHEAD
    assert len(panel.series) == 3
    assert panel.promotions[:, -1].tolist() == [1, 0, 0]


def test_no_sales_make_no_panel():
    with pytest.raises(RawDataError, match="sales table is empty"):
        build_panel(_sales(), _plan(), ITEMS, STORES, HOLIDAYS, "d")


def test_the_inputs_stay_as_they_were():
    stores, items, plan = STORES.copy(), ITEMS.copy(), _plan(("2017-01-05", 1, 7, True))
    before = plan.copy()

    build_panel(SALES, plan, items, stores, HOLIDAYS, "d")

    pd.testing.assert_frame_equal(stores, STORES)
    pd.testing.assert_frame_equal(items, ITEMS)
    pd.testing.assert_frame_equal(plan, before)

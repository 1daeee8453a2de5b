"""The panel is what a loop over the rows makes."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from grocery_demand.core.panel_building import build_panel

START = date(2017, 1, 1)
STORES, ITEMS = [1, 3, 44], [5, 7, 9]

keys = st.tuples(st.integers(0, 6), st.sampled_from(STORES), st.sampled_from(ITEMS))
values = st.tuples(st.floats(-5, 50, width=32), st.sampled_from([True, False, None]))
sales_rows = st.dictionaries(keys, values, min_size=1, max_size=30)
plans = st.dictionaries(
    st.tuples(st.integers(0, 12), st.sampled_from(STORES), st.sampled_from(ITEMS)),
    st.sampled_from([True, False, None]),
    max_size=10,
)

items = pd.DataFrame({"item_nbr": ITEMS, "family": "DAIRY", "class": 1, "perishable": 0})
stores = pd.DataFrame(
    {"store_nbr": STORES, "city": "Quito", "state": "Pichincha", "type": "A", "cluster": 1}
)
holidays = pd.DataFrame(
    {name: pd.Series(dtype="str") for name in ("type", "locale", "locale_name", "transferred")}
).assign(date=pd.to_datetime([]))


def _build(sales: dict, plan: dict):
    rows = [(START + timedelta(key[0]), *key[1:], *value) for key, value in sales.items()]
    types = [pl.Date, pl.Int32, pl.Int32, pl.Float64, pl.Boolean]
    names = ["date", "store_nbr", "item_nbr", "unit_sales", "onpromotion"]
    table = pl.LazyFrame(rows, dict(zip(names, types, strict=True)), orient="row")
    planned = pd.DataFrame(
        [(START + timedelta(key[0]), *key[1:], flag) for key, flag in plan.items()],
        columns=["date", "store_nbr", "item_nbr", "onpromotion"],
    )
    planned = planned.assign(
        date=pd.to_datetime(planned["date"]), onpromotion=planned["onpromotion"].astype("boolean")
    )
    return build_panel(table, planned, items, stores, holidays, "d")


@given(sales_rows, plans)
@settings(max_examples=200, deadline=None)
def test_the_panel_equals_a_naive_loop(sales, plan):
    panel = _build(sales, plan)

    first, last = min(key[0] for key in sales), max(key[0] for key in sales)
    plan = {key: flag for key, flag in plan.items() if key[0] > last}
    series = sorted({key[1:] for key in (*sales, *plan)})
    n_days = last - first + 1
    n_all_days = max([last, *(key[0] for key in plan)]) - first + 1
    units = np.zeros((len(series), n_days), np.float32)
    promotions = np.zeros((len(series), n_all_days), np.uint8)
    open_days = np.zeros((len(STORES), n_days), bool)
    first_sale = [n_days] * len(series)
    for (day, store, item), (quantity, promoted) in sales.items():
        row = series.index((store, item))
        units[row, day - first] = max(quantity, 0)
        promotions[row, day - first] = promoted is True
        open_days[STORES.index(store), day - first] = True
        first_sale[row] = min(first_sale[row], day - first)
    for (day, store, item), promoted in plan.items():
        promotions[series.index((store, item)), day - first] = promoted is True

    keys = panel.series[["store_nbr", "item_nbr"]].itertuples(index=False, name=None)
    assert list(keys) == series
    assert panel.series["first_sale"].tolist() == first_sale
    np.testing.assert_array_equal(panel.units, units)
    np.testing.assert_array_equal(panel.promotions, promotions)
    np.testing.assert_array_equal(panel.open_days, open_days)
    assert panel.date_of(0) == np.datetime64(START + timedelta(first))

"""Random small sales and promotion plans, and the panel that is made of them."""

from datetime import date, timedelta

import pandas as pd
import polars as pl
from hypothesis import strategies as st

from grocery_demand.core.panel import Panel
from grocery_demand.core.panel_building import build_panel

START = date(2017, 1, 1)
STORES, ITEMS = [1, 3, 44], [5, 7, 9]

_keys = st.tuples(st.integers(0, 6), st.sampled_from(STORES), st.sampled_from(ITEMS))
_values = st.tuples(st.floats(-5, 50, width=32), st.sampled_from([True, False, None]))
sales_rows = st.dictionaries(_keys, _values, min_size=1, max_size=30)
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


def to_table(sales: dict) -> pl.DataFrame:
    """Return sales by (day, store, item) as a checked table."""
    rows = [(START + timedelta(key[0]), *key[1:], *value) for key, value in sales.items()]
    types = [pl.Date, pl.Int32, pl.Int32, pl.Float64, pl.Boolean]
    names = ["date", "store_nbr", "item_nbr", "unit_sales", "onpromotion"]
    return pl.DataFrame(rows, dict(zip(names, types, strict=True)), orient="row")


def to_plan(plan: dict) -> pd.DataFrame:
    """Return promotions by (day, store, item) as a checked plan."""
    planned = pd.DataFrame(
        [(START + timedelta(key[0]), *key[1:], flag) for key, flag in plan.items()],
        columns=["date", "store_nbr", "item_nbr", "onpromotion"],
    )
    return planned.assign(
        date=pd.to_datetime(planned["date"]), onpromotion=planned["onpromotion"].astype("boolean")
    )


def build(sales: dict, plan: dict) -> Panel:
    """Make the panel of sales and plan."""
    return build_panel(to_table(sales).lazy(), to_plan(plan), items, stores, holidays, "d")

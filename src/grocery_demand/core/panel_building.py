"""From checked tables to the panel."""

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.calendar import DAYS_AHEAD, build_calendar
from grocery_demand.core.errors import RawDataError
from grocery_demand.core.panel import ITEM_ATTRIBUTES, SERIES_KEY, STORE_ATTRIBUTES, Panel


def build_panel(
    sales: pl.LazyFrame,
    promotion_plan: pd.DataFrame,
    items: pd.DataFrame,
    stores: pd.DataFrame,
    holidays_events: pd.DataFrame,
    digest: str,
) -> Panel:
    """Make the dense panel of all pairs of store and item that are sold or planned.

    Args:
        sales: One row per date, store_nbr and item_nbr with unit_sales and onpromotion.
        promotion_plan: One row per future date, store_nbr and item_nbr with onpromotion; may be
            empty.
        items: One row per item: item_nbr, family, class, perishable.
        stores: One row per store: store_nbr, city, state, type, cluster.
        holidays_events: One row per day, kind and place.
        digest: SHA-256 of the raw files.

    Raises:
        RawDataError: If there is no sale at all.
    """
    table = sales.select("date", "store_nbr", "item_nbr", "unit_sales", "onpromotion").collect()
    if table.is_empty():
        raise RawDataError(
            "The sales table is empty: train.csv holds no row that passes the checks."
        )
    start, cutoff = (
        np.datetime64(table["date"].min(), "D"),
        np.datetime64(table["date"].max(), "D"),
    )
    n_days = int((cutoff - start).astype(int)) + 1
    plan = promotion_plan[promotion_plan["date"].to_numpy().astype("datetime64[D]") > cutoff]
    pairs = _PairIndex(stores, items, table, plan)
    units, promotions, first_sale = _fill_days(table, pairs, start, n_days, plan)
    stores = stores.sort_values("store_nbr", ignore_index=True)
    n_calendar_days = n_days + max(DAYS_AHEAD, promotions.shape[1] - n_days)
    return Panel(
        start_date=start,
        units=units,
        promotions=promotions,
        open_days=_find_open_days(table, stores, start, n_days),
        series=pairs.describe(stores, items).assign(first_sale=first_sale),
        stores=stores,
        calendar=build_calendar(holidays_events, stores, start, n_calendar_days),
        digest=digest,
    )


class _PairIndex:
    """Positions of the pairs of store and item that occur, in the order of store and item."""

    def __init__(
        self, stores: pd.DataFrame, items: pd.DataFrame, sales: pl.DataFrame, plan: pd.DataFrame
    ) -> None:
        self.store_nbrs = np.sort(stores["store_nbr"].to_numpy())
        self.item_nbrs = np.sort(items["item_nbr"].to_numpy())
        sold = sales.select(SERIES_KEY).unique().to_pandas()
        keys = pd.concat([sold, plan[SERIES_KEY]])
        present = np.zeros(len(self.store_nbrs) * len(self.item_nbrs), bool)
        present[self._cell(keys["store_nbr"].to_numpy(), keys["item_nbr"].to_numpy())] = True
        self.cells = np.flatnonzero(present)
        self._position = np.full(len(present), -1, np.int32)
        self._position[self.cells] = np.arange(len(self.cells), dtype=np.int32)

    def _cell(self, store_nbr: np.ndarray, item_nbr: np.ndarray) -> np.ndarray:
        store = np.searchsorted(self.store_nbrs, store_nbr)
        return store * len(self.item_nbrs) + np.searchsorted(self.item_nbrs, item_nbr)

    def positions(self, store_nbr: np.ndarray, item_nbr: np.ndarray) -> np.ndarray:
        """Return the series of each pair, int32."""
        return self._position[self._cell(store_nbr, item_nbr)]

    def describe(self, stores: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
        """Return one row per series: the key and the attributes of its item and store."""
        store, item = np.divmod(self.cells, len(self.item_nbrs))
        keys = pd.DataFrame({"store_nbr": self.store_nbrs[store], "item_nbr": self.item_nbrs[item]})
        with_item = keys.merge(items[["item_nbr", *ITEM_ATTRIBUTES]], on="item_nbr", how="left")
        return with_item.merge(stores[["store_nbr", *STORE_ATTRIBUTES]], on="store_nbr", how="left")


def _fill_days(
    sales: pl.DataFrame, pairs: _PairIndex, start: np.datetime64, n_days: int, plan: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return units, promotions and the day of the first row of each series."""
    n_series = len(pairs.cells)
    plan_day = _days_since(start, plan["date"].to_numpy())
    n_all_days = max(n_days, plan_day.max(initial=-1) + 1)
    units = np.zeros((n_series, n_days), np.float32)
    promotions = np.zeros((n_series, n_all_days), np.uint8)
    first_sale = np.full(n_series, n_days, np.int32)
    for part in sales.iter_slices(10_000_000):
        series = pairs.positions(part["store_nbr"].to_numpy(), part["item_nbr"].to_numpy())
        day = _days_since(start, part["date"].to_numpy())
        units[series, day] = np.maximum(part["unit_sales"].to_numpy(), 0)
        promotions[series, day] = part["onpromotion"].fill_null(value=False).to_numpy()
        np.minimum.at(first_sale, series, day)
    planned = pairs.positions(plan["store_nbr"].to_numpy(), plan["item_nbr"].to_numpy())
    promotions[planned, plan_day] = plan["onpromotion"].to_numpy(dtype=bool, na_value=False)
    return units, promotions, first_sale


def _find_open_days(
    sales: pl.DataFrame, stores: pd.DataFrame, start: np.datetime64, n_days: int
) -> np.ndarray:
    open_days = np.zeros((len(stores), n_days), bool)
    days = sales.select("store_nbr", "date").unique()
    store = np.searchsorted(stores["store_nbr"], days["store_nbr"].to_numpy())
    open_days[store, _days_since(start, days["date"].to_numpy())] = True
    return open_days


def _days_since(start: np.datetime64, dates: np.ndarray) -> np.ndarray:
    return (dates.astype("datetime64[D]") - start).astype(np.int32)

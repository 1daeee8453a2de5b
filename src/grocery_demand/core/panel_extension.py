"""From a panel and the sales of later days to a longer panel, without reading the history again."""

import hashlib

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.calendar import DAYS_AHEAD, build_calendar
from grocery_demand.core.pairs import number_days
from grocery_demand.core.panel import ITEM_ATTRIBUTES, SERIES_KEY, STORE_ATTRIBUTES, Panel

_EPOCH = np.datetime64("1970-01-01", "D")


def extend_panel(
    panel: Panel,
    sales: pl.DataFrame,
    promotion_plan: pd.DataFrame,
    items: pd.DataFrame,
    stores: pd.DataFrame,
    holidays_events: pd.DataFrame,
    digest: str,
) -> Panel:
    """Return the panel with later days of sales, as if it had been made from all of them.

    Args:
        panel: The panel so far; it is read, not changed.
        sales: One row per date, store_nbr and item_nbr with unit_sales and onpromotion, each date
            after the panel's cutoff.
        promotion_plan: One row per future date, store_nbr and item_nbr with onpromotion. It takes
            the place of the former plan; if it is empty, the former one holds on.
        items: One row per item.
        stores: One row per store of the panel.
        holidays_events: One row per day, kind and place.
        digest: SHA-256 of the new files; the panel's becomes that of both.
    """
    first_day = int((panel.start_date - _EPOCH).astype(int))
    day = number_days(sales["date"]) - first_day
    n_days = int(day.max()) + 1
    plan = _select_plan(promotion_plan, first_day, n_days)
    series, former = _merge_series(panel, [sales, plan], items, stores)
    place = _locate(series, sales), day
    units = np.zeros((len(series), n_days), np.float32)
    units[former, : panel.n_days] = panel.units
    units[place] = np.maximum(sales["unit_sales"].to_numpy(), 0)
    promotions = _extend_promotions(panel, plan, series, former, n_days)
    promotions[place] = sales["onpromotion"].fill_null(value=False).to_numpy()
    open_days = np.zeros((len(panel.stores), n_days), bool)
    open_days[:, : panel.n_days] = panel.open_days
    positions = np.searchsorted(panel.stores["store_nbr"], sales["store_nbr"].to_numpy())
    open_days[positions, day] = True
    first_sale = np.full(len(series), n_days, np.int32)
    begun = panel.series["first_sale"].to_numpy() < panel.n_days
    first_sale[former[begun]] = panel.series["first_sale"].to_numpy()[begun]
    np.minimum.at(first_sale, place[0], day)
    n_calendar_days = n_days + max(DAYS_AHEAD, promotions.shape[1] - n_days)
    return Panel(
        start_date=panel.start_date,
        units=units,
        promotions=promotions,
        open_days=open_days,
        series=series.assign(first_sale=first_sale),
        stores=panel.stores,
        calendar=build_calendar(holidays_events, panel.stores, panel.start_date, n_calendar_days),
        digest=hashlib.sha256(f"{panel.digest} {digest}".encode()).hexdigest(),
        simulated=panel.simulated,
    )


def _select_plan(promotion_plan: pd.DataFrame, first_day: int, n_days: int) -> pl.DataFrame:
    """Return the plan's rows after the last day, with `day`."""
    dates = promotion_plan["date"].to_numpy().astype("datetime64[D]")
    day = (dates - _EPOCH).astype(int) - first_day
    inside = (day >= n_days) & (day < n_days + DAYS_AHEAD)
    chosen = promotion_plan[inside]
    return pl.DataFrame(
        {
            "day": day[inside],
            **{name: chosen[name].to_numpy(np.int64) for name in SERIES_KEY},
            "onpromotion": chosen["onpromotion"].to_numpy(dtype=bool, na_value=False),
        }
    )


def _merge_series(
    panel: Panel, tables: list[pl.DataFrame], items: pd.DataFrame, stores: pd.DataFrame
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return all series in order, and the place of each former one among them."""
    known = panel.series.drop(columns="first_sale")
    found = pl.concat([table.select(SERIES_KEY).cast(pl.Int64) for table in tables]).unique()
    keys = found.to_pandas().astype(known[SERIES_KEY].dtypes)
    new = keys[~pd.MultiIndex.from_frame(keys).isin(pd.MultiIndex.from_frame(known[SERIES_KEY]))]
    new = new.merge(items[["item_nbr", *ITEM_ATTRIBUTES]], on="item_nbr", how="left")
    new = new.merge(stores[["store_nbr", *STORE_ATTRIBUTES]], on="store_nbr", how="left")
    both = pd.concat([known, new], ignore_index=True) if len(new) else known
    order = np.lexsort([both["item_nbr"], both["store_nbr"]])
    place = np.empty(len(both), int)
    place[order] = np.arange(len(both))
    return both.iloc[order].reset_index(drop=True), place[: len(known)]


def _locate(series: pd.DataFrame, rows: pl.DataFrame) -> np.ndarray:
    """Return the position of each row's series, int [row]."""
    index = pd.MultiIndex.from_frame(series[SERIES_KEY])
    return index.get_indexer(pd.MultiIndex.from_arrays([rows[n].to_numpy() for n in SERIES_KEY]))


def _extend_promotions(
    panel: Panel, plan: pl.DataFrame, series: pd.DataFrame, former: np.ndarray, n_days: int
) -> np.ndarray:
    """Return the promotions up to the end of the plan; those of the new days are still to come."""
    kept = panel.n_days if len(plan) else panel.promotions.shape[1]
    last_planned = int(plan["day"].max()) + 1 if len(plan) else 0  # type: ignore[arg-type]
    promotions = np.zeros((len(series), max(n_days, kept, last_planned)), np.uint8)
    promotions[former, :kept] = panel.promotions[:, :kept]
    promotions[:, panel.n_days : n_days] = 0
    promotions[_locate(series, plan), plan["day"]] = plan["onpromotion"]
    return promotions

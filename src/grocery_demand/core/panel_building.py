"""From checked tables to the panel."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.calendar import DAYS_AHEAD, build_calendar
from grocery_demand.core.errors import RawDataError
from grocery_demand.core.pairs import SLICE, PairIndex, find_day_span, number_days
from grocery_demand.core.panel import ITEM_ATTRIBUTES, SERIES_KEY, STORE_ATTRIBUTES, Panel
from grocery_demand.core.promotion_filling import PromotionFilling

_EPOCH = np.datetime64("1970-01-01", "D")


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
            empty. Dates up to the last sales day, or more than a year after it, are left out.
        items: One row per item: item_nbr, family, class, perishable.
        stores: One row per store: store_nbr, city, state, type, cluster.
        holidays_events: One row per day, kind and place.
        digest: SHA-256 of the raw files.

    Raises:
        RawDataError: If there is no sale at all.
    """
    columns = ["date", *SERIES_KEY, "unit_sales", "onpromotion"]
    table = sales.select(columns).collect(engine="streaming")
    if table.is_empty():
        raise RawDataError(
            "The sales table is empty: train.csv holds no row that passes the checks."
        )
    span = find_day_span(table["date"])
    plan = _select_plan(promotion_plan, span[1])
    pairs = PairIndex(stores["store_nbr"].to_numpy(), items["item_nbr"].to_numpy(), [table, plan])
    stores = stores.sort_values("store_nbr", ignore_index=True)
    series = _describe_series(pairs, stores, items)
    by_day = _DayTables.fill(table, plan, pairs, span)
    del table
    by_day.fill_promotions(series, span[0])
    units, first_sale, open_days = by_day.split_by_store(series, stores)
    start_date = _EPOCH + span[0]
    n_calendar_days = units.shape[1] + max(DAYS_AHEAD, len(by_day.promotions) - units.shape[1])
    return Panel(
        start_date=start_date,
        units=units,
        promotions=_transpose(by_day.promotions),
        open_days=open_days,
        series=series.assign(first_sale=first_sale, last_planned=by_day.last_planned),
        stores=stores,
        calendar=build_calendar(holidays_events, stores, start_date, n_calendar_days),
        digest=digest,
    )


def _select_plan(promotion_plan: pd.DataFrame, last_day: int) -> pl.DataFrame:
    dates = promotion_plan["date"].to_numpy().astype("datetime64[D]")
    ahead = (dates - _EPOCH).astype(int) - last_day
    inside = (ahead > 0) & (ahead <= DAYS_AHEAD)
    chosen = promotion_plan[inside]
    return pl.DataFrame(
        {
            "date": dates[inside],
            **{name: chosen[name].to_numpy(np.int64) for name in SERIES_KEY},
            "onpromotion": chosen["onpromotion"].to_numpy(dtype=bool, na_value=False),
        },
        schema_overrides={"date": pl.Date},
    )


def _describe_series(pairs: PairIndex, stores: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return one row per series: the key and the attributes of its item and store."""
    keys = pd.DataFrame({"store_nbr": pairs.store_nbrs, "item_nbr": pairs.item_nbrs})
    with_item = keys.merge(items[["item_nbr", *ITEM_ATTRIBUTES]], on="item_nbr", how="left")
    return with_item.merge(stores[["store_nbr", *STORE_ATTRIBUTES]], on="store_nbr", how="left")


@dataclass(frozen=True)
class _DayTables:
    """The panel's arrays with the days first.

    Sales come in the order of days, so that filling these touches memory in its order; writing
    each row straight to its place in [series, day] takes several times as long.

    Attributes:
        units: float32 [day, series]; NaN where there is no row.
        promotions: uint8 [day, series].
        last_planned: Last day with a row in the plan, int32 [series]; -1 if none.
    """

    units: np.ndarray
    promotions: np.ndarray
    last_planned: np.ndarray

    @classmethod
    def fill(
        cls, sales: pl.DataFrame, plan: pl.DataFrame, pairs: PairIndex, span: tuple[int, int]
    ) -> "_DayTables":
        start_day, last_day = span
        last_planned_day = last_day if plan.is_empty() else find_day_span(plan["date"])[1]
        units = np.full((last_day - start_day + 1, len(pairs)), np.nan, np.float32)
        promotions = np.zeros((last_planned_day - start_day + 1, len(pairs)), np.uint8)
        for part in sales.iter_slices(SLICE):
            place = number_days(part["date"]) - start_day, pairs.of(part)
            units[place] = np.maximum(part["unit_sales"].to_numpy(), 0)
            promotions[place] = part["onpromotion"].fill_null(value=False).to_numpy()
        day, planned = number_days(plan["date"]) - start_day, pairs.of(plan)
        promotions[day, planned] = plan["onpromotion"]
        last_planned = np.full(len(pairs), -1, np.int32)
        np.maximum.at(last_planned, planned, day)
        return cls(units, promotions, last_planned)

    def fill_promotions(self, series: pd.DataFrame, start_day: int) -> None:
        """Fill the promotions of past days without a row, see `core.promotion_filling`."""
        filling = PromotionFilling(series)
        store = pd.factorize(series["store_nbr"])[0]
        started = np.zeros(len(series), bool)
        for day, units in enumerate(self.units):
            recorded = ~np.isnan(units)
            started |= recorded
            is_open = np.bincount(store, recorded) > 0
            wanted = started & ~recorded & is_open[store]
            sold = recorded & (units > 0)
            filling.fill_day(self.promotions[day], sold, wanted, start_day + day)

    def split_by_store(
        self, series: pd.DataFrame, stores: pd.DataFrame
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return units [series, day], first_sale [series] and open_days [store, day]."""
        n_days, n_series = self.units.shape
        units = np.empty((n_series, n_days), np.float32)
        first_sale = np.full(n_series, n_days, np.int32)
        open_days = np.zeros((len(stores), n_days), bool)
        ends = np.searchsorted(series["store_nbr"], stores["store_nbr"], side="right")
        starts = np.concatenate([[0], ends[:-1]])
        for store, (start, end) in enumerate(zip(starts, ends, strict=True)):
            units[start:end] = self.units[:, start:end].T
            recorded = ~np.isnan(units[start:end])
            units[start:end][~recorded] = 0
            sold = recorded.any(axis=1)
            first_sale[start:end][sold] = recorded.argmax(axis=1)[sold]
            open_days[store] = recorded.any(axis=0)
        return units, first_sale, open_days


def _transpose(table: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(table.T)

"""From checked tables to the panel."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.calendar import DAYS_AHEAD, build_calendar
from grocery_demand.core.errors import RawDataError
from grocery_demand.core.pairs import SLICE, PairIndex, find_day_span, number_days
from grocery_demand.core.panel import ITEM_ATTRIBUTES, SERIES_KEY, STORE_ATTRIBUTES, Panel
from grocery_demand.core.promotion_filling import PromotionCounts, PromotionFilling

_EPOCH = np.datetime64("1970-01-01", "D")
COLUMNS = ["date", *SERIES_KEY, "unit_sales", "onpromotion"]


@dataclass(frozen=True)
class Frame:
    """The days that all parts of a panel have in common, since 1970-01-01.

    Attributes:
        start_day: The first day with sales.
        last_day: The last day with sales.
        last_planned_day: The last day of the plan; `last_day` without one.
    """

    start_day: int
    last_day: int
    last_planned_day: int

    @classmethod
    def of(cls, span: tuple[int, int], promotion_plan: pd.DataFrame) -> "Frame":
        """Return the days of sales and plan of all stores.

        Args:
            span: The first and the last day with sales.
            promotion_plan: The plan of all stores, see `build_panel`.
        """
        plan = _select_plan(promotion_plan, span[1])
        return cls(*span, span[1] if plan.is_empty() else find_day_span(plan["date"])[1])


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
    table = sales.select(COLUMNS).collect(engine="streaming")
    if table.is_empty():
        raise RawDataError(
            "The sales table is empty: train.csv holds no row that passes the checks."
        )
    frame = Frame.of(find_day_span(table["date"]), promotion_plan)
    draft = Draft.of(table, promotion_plan, items, stores, frame)
    del table
    return draft.finish(holidays_events, digest)


@dataclass(frozen=True)
class Draft:
    """A panel, or a part of one by store, whose past promotions are not filled yet.

    Attributes:
        by_day: Units and promotions as recorded.
        series: One row per series: the key and the attributes of its item and store.
        stores: One row per store, sorted by store_nbr.
        frame: Days of the whole panel.
    """

    by_day: "_DayTables"
    series: pd.DataFrame
    stores: pd.DataFrame
    frame: Frame

    @classmethod
    def of(
        cls,
        sales: pl.DataFrame,
        promotion_plan: pd.DataFrame,
        items: pd.DataFrame,
        stores: pd.DataFrame,
        frame: Frame,
    ) -> "Draft":
        """Lay out the rows of some consecutive stores; of the items, all may be given."""
        plan = _select_plan(promotion_plan, frame.last_day)
        known = stores["store_nbr"].to_numpy(), items["item_nbr"].to_numpy()
        pairs = PairIndex(*known, [sales, plan])
        stores = stores.sort_values("store_nbr", ignore_index=True)
        by_day = _DayTables.fill(sales, plan, pairs, frame)
        return cls(by_day, _describe_series(pairs, stores, items), stores, frame)

    def count_promotions(self) -> PromotionCounts:
        """Return what the promotions of other parts are filled by, too."""
        return self.by_day.count_promotions(self.series)

    def finish(
        self, holidays_events: pd.DataFrame, digest: str, of_all: PromotionCounts | None = None
    ) -> Panel:
        """Fill the promotions and make the panel; the draft cannot be used again.

        Args:
            holidays_events: One row per day, kind and place.
            digest: SHA-256 of the raw files.
            of_all: The counts of all parts, added up; None if there is no other.
        """
        by_day, stores = self.by_day, self.stores
        by_day.fill_promotions(self.series, self.frame.start_day, of_all)
        units, first_sale, open_days = by_day.split_by_store(self.series, stores)
        start_date = _EPOCH + self.frame.start_day
        n_calendar_days = units.shape[1] + max(DAYS_AHEAD, len(by_day.promotions) - units.shape[1])
        return Panel(
            start_date=start_date,
            units=units,
            promotions=_transpose(by_day.promotions),
            open_days=open_days,
            series=self.series.assign(first_sale=first_sale, last_planned=by_day.last_planned),
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
        cls, sales: pl.DataFrame, plan: pl.DataFrame, pairs: PairIndex, frame: Frame
    ) -> "_DayTables":
        start_day = frame.start_day
        units = np.full((frame.last_day - start_day + 1, len(pairs)), np.nan, np.float32)
        promotions = np.zeros((frame.last_planned_day - start_day + 1, len(pairs)), np.uint8)
        for part in sales.iter_slices(SLICE):
            place = number_days(part["date"]) - start_day, pairs.of(part)
            units[place] = np.maximum(part["unit_sales"].to_numpy(), 0)
            promotions[place] = part["onpromotion"].fill_null(value=False).to_numpy()
        day, planned = number_days(plan["date"]) - start_day, pairs.of(plan)
        promotions[day, planned] = plan["onpromotion"]
        last_planned = np.full(len(pairs), -1, np.int32)
        np.maximum.at(last_planned, planned, day)
        return cls(units, promotions, last_planned)

    def count_promotions(self, series: pd.DataFrame) -> PromotionCounts:
        """Count what was sold, and what of it on promotion, by day and item."""
        filling = PromotionFilling(series)
        pairs = zip(self.promotions[: len(self.units)], self.units > 0, strict=True)
        sold, promoted = zip(*(filling.count_day(*day) for day in pairs), strict=True)
        return PromotionCounts(filling.item_nbrs, np.stack(sold), np.stack(promoted))

    def fill_promotions(
        self, series: pd.DataFrame, start_day: int, of_all: PromotionCounts | None
    ) -> None:
        """Fill the promotions of past days without a row, see `core.promotion_filling`."""
        filling = PromotionFilling(series)
        known = of_all.of_items(filling.item_nbrs) if of_all is not None else None
        store = pd.factorize(series["store_nbr"])[0]
        started = np.zeros(len(series), bool)
        for day, units in enumerate(self.units):
            recorded = ~np.isnan(units)
            started |= recorded
            is_open = np.bincount(store, recorded) > 0
            wanted = started & ~recorded & is_open[store]
            sold = recorded & (units > 0)
            counts = (known.sold[day], known.promoted[day]) if known is not None else None
            filling.fill_day(self.promotions[day], sold, wanted, start_day + day, counts)

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

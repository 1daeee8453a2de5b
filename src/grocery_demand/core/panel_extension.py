"""From a panel and the sales of some days to the panel with these, without reading the history."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.calendar import DAYS_AHEAD, build_calendar
from grocery_demand.core.extended_series import (
    NewDays,
    drop_series,
    find_first_sales,
    find_last_planned,
    locate_rows,
    merge_series,
    select_plan,
)
from grocery_demand.core.pairs import number_days
from grocery_demand.core.panel import Panel
from grocery_demand.core.promotion_filling import PromotionFilling

_BLOCK = 8192
"""Series that are copied at once."""


def extend_panel(
    panel: Panel,
    sales: pl.DataFrame,
    promotion_plan: pd.DataFrame,
    items: pd.DataFrame,
    stores: pd.DataFrame,
    holidays_events: pd.DataFrame,
    history: pl.LazyFrame,
) -> Panel:
    """Return the panel with some days of sales, as if it had been made from all rows at once.

    A day that the panel has already is replaced as a whole. The equality has two limits: rows of
    a plan that lay more than a year ahead when it was given are unknown when they come nearer,
    and a panel that was stored without `last_planned` keeps the series that never sold.

    Args:
        panel: The panel so far; it is read, not changed.
        sales: All rows of these days, one per date, store_nbr and item_nbr with unit_sales and
            onpromotion; no date lies before the panel's first day. May be empty.
        promotion_plan: One row per future date, store_nbr and item_nbr with onpromotion. It takes
            the place of the former plan; if it is empty, the former one holds on.
        items: One row per item.
        stores: One row per store of the panel.
        holidays_events: One row per day, kind and place.
        history: The sales of the days so far. Read only if a series may have lost its first sale,
            and then only later days of that series.

    Returns:
        The panel; digest, origin, files taken in and late days are still the former one's.
    """
    day = number_days(sales["date"]) - panel.start_day
    n_days = max(panel.n_days, int(day.max(initial=-1)) + 1)
    plan = select_plan(promotion_plan, panel.start_day, n_days) if len(promotion_plan) else None
    tables = [sales] if plan is None else [sales, plan]
    series, former = merge_series(panel, tables, items, stores)
    days = NewDays(day, n_days, np.unique(day[day < panel.n_days]))
    series = series.assign(
        first_sale=find_first_sales(panel, series, former, (sales, days), history),
        last_planned=find_last_planned(panel, series, former, plan, n_days),
    )
    series, former = drop_series(series, former, n_days)
    place = locate_rows(series, sales), day
    units = np.zeros((len(series), n_days), np.float32)
    _copy_rows(panel.units, units, former)
    units[:, days.replaced] = 0
    units[place] = np.maximum(sales["unit_sales"].to_numpy(), 0)
    promotions = _extend_promotions(panel, plan, series, former, days)
    promotions[place] = sales["onpromotion"].fill_null(value=False).to_numpy()
    open_days = _extend_open_days(panel, sales, days)
    recorded = _Recorded(place, days, open_days, former)
    _fill_promotions(panel, series, promotions, units, recorded)
    n_calendar_days = n_days + max(DAYS_AHEAD, promotions.shape[1] - n_days)
    return replace(
        panel,
        units=units,
        promotions=promotions,
        open_days=open_days,
        series=series,
        calendar=build_calendar(holidays_events, panel.stores, panel.start_date, n_calendar_days),
    )


def _copy_rows(source: np.ndarray, target: np.ndarray, places: np.ndarray, width: int = -1) -> None:
    """Copy the first columns of rows to their places, block by block; those without one are left.

    The source may be mapped from the disk: at no time is there a second copy of it in memory.
    """
    width = source.shape[1] if width < 0 else width
    for start in range(0, len(source), _BLOCK):
        place = places[start : start + _BLOCK]
        block = source[start : start + _BLOCK, :width]
        target[place[place >= 0], :width] = block if (place >= 0).all() else block[place >= 0]


def _extend_promotions(
    panel: Panel, plan: pl.DataFrame | None, series: pd.DataFrame, former: np.ndarray, days: NewDays
) -> np.ndarray:
    """Return the promotions up to the end of the plan; those of the new days are still to come."""
    kept = panel.promotions.shape[1] if plan is None else panel.n_days
    planned = 0 if plan is None or plan.is_empty() else int(plan["day"].to_numpy().max()) + 1
    promotions = np.zeros((len(series), max(days.n_days, kept, planned)), np.uint8)
    _copy_rows(panel.promotions, promotions, former, kept)
    promotions[:, panel.n_days : days.n_days] = 0
    promotions[:, days.replaced] = 0
    if plan is not None:
        promotions[locate_rows(series, plan), plan["day"]] = plan["onpromotion"]
    return promotions


def _extend_open_days(panel: Panel, sales: pl.DataFrame, days: NewDays) -> np.ndarray:
    open_days = np.zeros((len(panel.stores), days.n_days), bool)
    open_days[:, : panel.n_days] = panel.open_days
    open_days[:, days.replaced] = False
    store = np.searchsorted(panel.stores["store_nbr"], sales["store_nbr"].to_numpy())
    open_days[store, days.of_rows] = True
    return open_days


@dataclass(frozen=True)
class _Recorded:
    """Which rows the days brought.

    Attributes:
        place: Positions of series and days of the rows.
        days: The days.
        open_days: Whether the store sold anything, bool [store, day].
        former: Place of each former series among all, -1 if it was dropped.
    """

    place: tuple[np.ndarray, np.ndarray]
    days: NewDays
    open_days: np.ndarray
    former: np.ndarray


def _fill_promotions(
    panel: Panel,
    series: pd.DataFrame,
    promotions: np.ndarray,
    units: np.ndarray,
    recorded: _Recorded,
) -> None:
    """Fill the promotions of past days without a row, as `build_panel` does.

    These are days that came now, and days of series that begin earlier than was known; days of
    series that begin later are cleared.
    """
    filling = PromotionFilling(series)
    store = np.searchsorted(panel.stores["store_nbr"], series["store_nbr"])
    first_sale = series["first_sale"].to_numpy()
    new = np.arange(panel.n_days, recorded.days.n_days)
    whole = np.concatenate([recorded.days.replaced, new]).astype(int)
    for day in whole:
        has_row = np.zeros(len(series), bool)
        has_row[recorded.place[0][recorded.place[1] == day]] = True
        wanted = (first_sale <= day) & ~has_row & recorded.open_days[store, day]
        column = promotions[:, day].copy()
        filling.fill_day(column, has_row & (units[:, day] > 0), wanted, panel.start_day + day)
        promotions[:, day] = column
    began = _find_former_begin(panel, len(series), recorded.former)
    rows, days = _days_between(first_sale, began, whole)
    is_open = recorded.open_days[store[rows], days]
    rows, days = rows[is_open], days[is_open]
    filling.fill_series(promotions, units, rows, days, panel.start_day + days)
    rows, days = _days_between(began, np.minimum(first_sale, panel.n_days), whole)
    promotions[rows, days] = 0


def _find_former_begin(panel: Panel, n_series: int, former: np.ndarray) -> np.ndarray:
    """Return the day on which each series began as the panel knew; its days if it did not."""
    began = np.full(n_series, panel.n_days)
    kept = former >= 0
    began[former[kept]] = np.minimum(panel.series["first_sale"].to_numpy(), panel.n_days)[kept]
    return began


def _days_between(
    first: np.ndarray, end: np.ndarray, without: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of row and day from `first` up to before `end`, but for some days."""
    rows = np.flatnonzero(first < end)
    lengths = (end - first)[rows]
    repeated = np.repeat(rows, lengths)
    offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    days = first[repeated] + offset
    chosen = ~np.isin(days, without)
    return repeated[chosen], days[chosen]

"""From a panel and the sales of some days to the panel with these, without reading the history."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.calendar import DAYS_AHEAD, build_calendar
from grocery_demand.core.pairs import number_days
from grocery_demand.core.panel import ITEM_ATTRIBUTES, SERIES_KEY, STORE_ATTRIBUTES, Panel
from grocery_demand.core.promotion_filling import PromotionFilling

_EPOCH = np.datetime64("1970-01-01", "D")
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
    first_day = int((panel.start_date - _EPOCH).astype(int))
    day = number_days(sales["date"]) - first_day
    n_days = max(panel.n_days, int(day.max(initial=-1)) + 1)
    plan = _select_plan(promotion_plan, first_day, n_days) if len(promotion_plan) else None
    tables = [sales] if plan is None else [sales, plan]
    series, former = _merge_series(panel, tables, items, stores)
    days = _Days(day, n_days, np.unique(day[day < panel.n_days]))
    series = series.assign(
        first_sale=_find_first_sales(panel, series, former, (sales, days), history),
        last_planned=_find_last_planned(panel, series, former, plan, n_days),
    )
    series, former = _drop_series(series, former, n_days)
    place = _locate(series, sales), day
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


@dataclass(frozen=True)
class _Days:
    """Days of the rows, counted from the panel's first.

    Attributes:
        of_rows: Day of each row of sales, int [row].
        n_days: Days of the panel to come.
        replaced: Days that the panel has already, sorted.
    """

    of_rows: np.ndarray
    n_days: int
    replaced: np.ndarray


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
    known = panel.series.drop(columns=["first_sale", "last_planned"], errors="ignore")
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


def _find_first_sales(
    panel: Panel,
    series: pd.DataFrame,
    former: np.ndarray,
    rows: tuple[pl.DataFrame, _Days],
    history: pl.LazyFrame,
) -> np.ndarray:
    """Return the day of each series' first row, int32 [series]; the number of days if none."""
    sales, days = rows
    first = np.full(len(series), days.n_days, np.int32)
    begun = panel.series["first_sale"].to_numpy() < panel.n_days
    first[former[begun]] = panel.series["first_sale"].to_numpy()[begun]
    row = _locate(series, sales)
    doubtful = np.isin(first, days.replaced)
    doubtful[row[days.of_rows == first[row]]] = False
    if doubtful.any():
        keys = series.loc[doubtful, SERIES_KEY]
        since = panel.date_of(int(first[doubtful].min()))
        first[doubtful] = _look_up_first_sales(panel, keys, since, days, history)
    np.minimum.at(first, row, days.of_rows)
    return first


def _look_up_first_sales(
    panel: Panel, keys: pd.DataFrame, since: np.datetime64, days: _Days, history: pl.LazyFrame
) -> np.ndarray:
    """Return the first day after a date that some series have in the history's other days.

    The history may hold days that the panel does not: of a run that broke off before it stored
    its panel. They are left out.
    """
    dates = [panel.date_of(day).astype(object) for day in days.replaced]
    replaced = pl.Series(dates, dtype=pl.Date)
    wanted = pl.DataFrame({name: keys[name].to_numpy().astype(np.int32) for name in SERIES_KEY})
    found = (
        history.filter(
            pl.col("date") > since.astype(object),
            pl.col("date") <= panel.cutoff.astype(object),
            ~pl.col("date").is_in(replaced.implode()),
            *(pl.col(name).is_in(wanted[name].unique().implode()) for name in SERIES_KEY),
        )
        .group_by(SERIES_KEY)
        .agg(pl.col("date").min())
        .collect(engine="streaming")
    )
    of_wanted = wanted.join(found, on=SERIES_KEY, how="left", maintain_order="left")["date"]
    first_day = int((panel.start_date - _EPOCH).astype(int))
    return of_wanted.to_physical().fill_null(days.n_days + first_day).to_numpy() - first_day


def _find_last_planned(
    panel: Panel,
    series: pd.DataFrame,
    former: np.ndarray,
    plan: pl.DataFrame | None,
    n_days: int,
) -> np.ndarray:
    """Return the last day of each series that is planned still, int32 [series]; -1 if none."""
    last = np.full(len(series), -1, np.int32)
    if plan is not None:
        np.maximum.at(last, _locate(series, plan), plan["day"].to_numpy())
    elif "last_planned" in panel.series:
        last[former] = panel.series["last_planned"]
    else:
        never_sold = (panel.series["first_sale"] >= panel.n_days).to_numpy()
        last[former[never_sold]] = panel.promotions.shape[1] - 1
    last[last < n_days] = -1
    return last


def _drop_series(
    series: pd.DataFrame, former: np.ndarray, n_days: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Leave out series that are neither sold nor planned; the place of a former one is -1."""
    kept = ((series["first_sale"] < n_days) | (series["last_planned"] >= 0)).to_numpy()
    place = np.where(kept, np.cumsum(kept) - 1, -1)
    return series[kept].reset_index(drop=True), place[former]


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
    panel: Panel, plan: pl.DataFrame | None, series: pd.DataFrame, former: np.ndarray, days: _Days
) -> np.ndarray:
    """Return the promotions up to the end of the plan; those of the new days are still to come."""
    kept = panel.promotions.shape[1] if plan is None else panel.n_days
    planned = 0 if plan is None or plan.is_empty() else int(plan["day"].to_numpy().max()) + 1
    promotions = np.zeros((len(series), max(days.n_days, kept, planned)), np.uint8)
    _copy_rows(panel.promotions, promotions, former, kept)
    promotions[:, panel.n_days : days.n_days] = 0
    promotions[:, days.replaced] = 0
    if plan is not None:
        promotions[_locate(series, plan), plan["day"]] = plan["onpromotion"]
    return promotions


def _extend_open_days(panel: Panel, sales: pl.DataFrame, days: _Days) -> np.ndarray:
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
    days: _Days
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
    start_day = int((panel.start_date - _EPOCH).astype(int))
    store = np.searchsorted(panel.stores["store_nbr"], series["store_nbr"])
    first_sale = series["first_sale"].to_numpy()
    new = np.arange(panel.n_days, recorded.days.n_days)
    whole = np.concatenate([recorded.days.replaced, new]).astype(int)
    for day in whole:
        has_row = np.zeros(len(series), bool)
        has_row[recorded.place[0][recorded.place[1] == day]] = True
        wanted = (first_sale <= day) & ~has_row & recorded.open_days[store, day]
        column = promotions[:, day].copy()
        filling.fill_day(column, has_row & (units[:, day] > 0), wanted, start_day + day)
        promotions[:, day] = column
    began = _find_former_begin(panel, len(series), recorded.former)
    rows, days = _days_between(first_sale, began, whole)
    is_open = recorded.open_days[store[rows], days]
    rows, days = rows[is_open], days[is_open]
    filling.fill_series(promotions, units, rows, days, start_day + days)
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

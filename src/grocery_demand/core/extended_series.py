"""Which series a panel holds once some days have come, since when, and until when planned."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.calendar import DAYS_AHEAD
from grocery_demand.core.panel import ITEM_ATTRIBUTES, SERIES_KEY, STORE_ATTRIBUTES, Panel


@dataclass(frozen=True)
class NewDays:
    """Days of the rows, counted from the panel's first.

    Attributes:
        of_rows: Day of each row of sales, int [row].
        n_days: Days of the panel to come.
        replaced: Days that the panel has already, sorted.
    """

    of_rows: np.ndarray
    n_days: int
    replaced: np.ndarray


def select_plan(promotion_plan: pd.DataFrame, first_day: int, n_days: int) -> pl.DataFrame:
    """Return the plan's rows after the last day.

    Args:
        promotion_plan: One row per date, store_nbr and item_nbr with onpromotion.
        first_day: The panel's first day, since 1970-01-01.
        n_days: Days of the panel to come; the plan is read from the next on.

    Returns:
        The same rows with `day`, counted from the panel's first, in place of the date.
    """
    dates = promotion_plan["date"].to_numpy().astype("datetime64[D]")
    day = dates.astype(int) - first_day
    inside = (day >= n_days) & (day < n_days + DAYS_AHEAD)
    chosen = promotion_plan[inside]
    return pl.DataFrame(
        {
            "day": day[inside],
            **{name: chosen[name].to_numpy(np.int64) for name in SERIES_KEY},
            "onpromotion": chosen["onpromotion"].to_numpy(dtype=bool, na_value=False),
        }
    )


def merge_series(
    panel: Panel, tables: list[pl.DataFrame], items: pd.DataFrame, stores: pd.DataFrame
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return all series, those of the panel and new ones, and each former one's place among them.

    Args:
        panel: The panel so far.
        tables: Rows of new days and of the plan, with store_nbr and item_nbr.
        items: One row per item; those of new series are looked up.
        stores: One row per store, as well.

    Returns:
        As `Panel.series` without `first_sale` and `last_planned`; int [former series].
    """
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


def locate_rows(series: pd.DataFrame, rows: pl.DataFrame) -> np.ndarray:
    """Return the position of each row's series, int [row]."""
    index = pd.MultiIndex.from_frame(series[SERIES_KEY])
    return index.get_indexer(pd.MultiIndex.from_arrays([rows[n].to_numpy() for n in SERIES_KEY]))


def find_first_sales(
    panel: Panel,
    series: pd.DataFrame,
    former: np.ndarray,
    rows: tuple[pl.DataFrame, NewDays],
    history: pl.LazyFrame,
) -> np.ndarray:
    """Return the day of each series' first row, int32 [series]; the number of days if none.

    Args:
        panel: The panel so far.
        series: All series, see `merge_series`.
        former: Place of each former series among them.
        rows: The rows of new days and their days.
        history: The sales of the days so far, read only where a series may have lost its first.
    """
    sales, days = rows
    first = np.full(len(series), days.n_days, np.int32)
    begun = panel.series["first_sale"].to_numpy() < panel.n_days
    first[former[begun]] = panel.series["first_sale"].to_numpy()[begun]
    row = locate_rows(series, sales)
    doubtful = np.isin(first, days.replaced)
    doubtful[row[days.of_rows == first[row]]] = False
    if doubtful.any():
        keys = series.loc[doubtful, SERIES_KEY]
        since = panel.date_of(int(first[doubtful].min()))
        first[doubtful] = _look_up_first_sales(panel, keys, since, days, history)
    np.minimum.at(first, row, days.of_rows)
    return first


def _look_up_first_sales(
    panel: Panel, keys: pd.DataFrame, since: np.datetime64, days: NewDays, history: pl.LazyFrame
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
    first = of_wanted.to_physical() - panel.start_day
    return first.fill_null(days.n_days).to_numpy()


def find_last_planned(
    panel: Panel,
    series: pd.DataFrame,
    former: np.ndarray,
    plan: pl.DataFrame | None,
    n_days: int,
) -> np.ndarray:
    """Return the last day of each series that is planned still, int32 [series]; -1 if none.

    Args:
        panel: The panel so far.
        series: All series, see `merge_series`.
        former: Place of each former series among them.
        plan: The new plan, see `select_plan`; None if the former one holds on.
        n_days: Days of the panel to come.
    """
    last = np.full(len(series), -1, np.int32)
    if plan is not None:
        np.maximum.at(last, locate_rows(series, plan), plan["day"].to_numpy())
    elif "last_planned" in panel.series:
        last[former] = panel.series["last_planned"]
    else:
        never_sold = (panel.series["first_sale"] >= panel.n_days).to_numpy()
        last[former[never_sold]] = panel.promotions.shape[1] - 1
    last[last < n_days] = -1
    return last


def drop_series(
    series: pd.DataFrame, former: np.ndarray, n_days: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Leave out series that are neither sold nor planned; the place of a former one is -1."""
    kept = ((series["first_sale"] < n_days) | (series["last_planned"] >= 0)).to_numpy()
    place = np.where(kept, np.cumsum(kept) - 1, -1)
    return series[kept].reset_index(drop=True), place[former]

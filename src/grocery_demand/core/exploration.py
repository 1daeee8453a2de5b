"""Questions one asks of sales before modelling them, answered by small tables."""

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.panel import SERIES_KEY, Panel
from grocery_demand.core.simulation import real_figures
from grocery_demand.core.simulation.daily_statistics import measure_holidays, total_days
from grocery_demand.core.simulation.row_statistics import measure_uplift

WEEKDAYS = tuple(real_figures.WEEKDAYS.split("|"))

_UNITS, _DATE = pl.col("unit_sales"), pl.col("date")


def describe_extent(sales: pl.LazyFrame, panel: Panel) -> pd.Series:
    """Say how much there is: answers in words, by question.

    Args:
        sales: One row per date, store and item: date, store_nbr, item_nbr, unit_sales.
        panel: The same sales, for the number of series.
    """
    found = sales.select(
        first=_DATE.min(),
        last=_DATE.max(),
        days=_DATE.n_unique(),
        stores=pl.col("store_nbr").n_unique(),
        items=pl.col("item_nbr").n_unique(),
        rows=pl.len(),
        returns=(_UNITS < 0).sum(),
        unknown=pl.col("onpromotion").null_count(),
    )
    row = found.collect().row(0, named=True)
    span = (row["last"] - row["first"]).days + 1
    n_series = int((panel.series["first_sale"] < panel.n_days).sum())
    n_cells = int(np.maximum(panel.n_days - panel.series["first_sale"], 0).sum())
    return pd.Series(
        {
            "First and last day": f"{row['first']} … {row['last']}",
            "Days": f"{span:,}",
            "Days without any sale": f"{span - row['days']:,}",
            "Stores": f"{row['stores']:,}",
            "Items that sold": f"{row['items']:,}",
            "Series (an item in a store)": f"{n_series:,}",
            "Rows (a day with a sale)": f"{row['rows']:,}",
            "Share of a series' days that have a row": f"{row['rows'] / max(n_cells, 1):.1%}",
            "Rows below zero (returns)": f"{row['returns']:,}",
            "Rows whose promotion is not known": f"{row['unknown']:,}",
        },
        name="answer",
    ).rename_axis("question")


def total_by_day(sales: pl.LazyFrame) -> pd.DataFrame:
    """Total the sales of each day from the first to the last.

    Returns:
        One row per day, also for those without a sale: date, rows, units.
    """
    by_day = sales.group_by("date").agg(rows=pl.len(), units=_UNITS.sum())
    known = by_day.collect().to_pandas().set_index("date")
    known.index = pd.DatetimeIndex(known.index)
    every_day = pd.date_range(known.index.min(), known.index.max(), name="date")
    return known.reindex(every_day, fill_value=0).reset_index()


def find_missing_days(totals: pd.DataFrame) -> pd.DataFrame:
    """Return the days without a single row: date, weekday.

    Args:
        totals: See `total_by_day`.
    """
    found = totals.loc[totals["rows"] == 0, ["date"]].reset_index(drop=True)
    return found.assign(weekday=found["date"].dt.day_name())


def count_returns(sales: pl.LazyFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Count the rows below zero: goods that were brought back.

    Args:
        sales: One row per date, store and item.
        items: One row per item: item_nbr, family.

    Returns:
        One row per family with returns, the most first: family, returns (rows), share (of the
        family's rows), units (brought back), largest (units of one row).
    """
    is_return = _UNITS < 0
    by_item = sales.group_by("item_nbr").agg(
        rows=pl.len(),
        returns=is_return.sum(),
        units=-_UNITS.filter(is_return).sum(),
        largest=-_UNITS.min(),
    )
    table = by_item.collect().to_pandas().merge(items[["item_nbr", "family"]], on="item_nbr")
    ways = {"rows": "sum", "returns": "sum", "units": "sum", "largest": "max"}
    by_family = table.groupby("family").agg(ways).query("returns > 0")
    by_family.insert(2, "share", by_family["returns"] / by_family.pop("rows"))
    return by_family.sort_values(["returns", "units"], ascending=False).reset_index()


def measure_sale_shares(panel: Panel) -> pd.DataFrame:
    """Measure how often each series sells.

    Returns:
        One row per series that has sold: the key, family, and share (of the days since its first
        sale, on which its store was open, those with a sale).
    """
    first = panel.series["first_sale"].to_numpy()
    started = np.flatnonzero(first < panel.n_days)
    open_until = np.cumsum(panel.open_days, axis=1, dtype=np.int32)
    store = panel.store_position[started]
    before = np.where(first[started] > 0, open_until[store, first[started] - 1], 0)
    observed = open_until[store, -1] - before
    sold = np.count_nonzero(panel.units > 0, axis=1)[started]
    table = panel.series.iloc[started][[*SERIES_KEY, "family"]].reset_index(drop=True)
    return table.assign(share=sold / np.maximum(observed, 1))


def measure_week(sales: pl.LazyFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Measure the shape of the week: units of a weekday over those of the mean day.

    Args:
        sales: One row per date, store and item.
        items: One row per item: item_nbr, family.

    Returns:
        One row per family, those with the most units first, and one column per weekday; the mean
        of a row is 1.
    """
    weekday = _DATE.dt.weekday()
    days = sales.select("date").unique().group_by(day=weekday).agg(days=pl.len()).collect()
    by_item = sales.group_by("item_nbr", day=weekday).agg(units=_UNITS.sum())
    sums = _with_family(by_item, items).group_by("family", "day").agg(pl.col("units").sum())
    wide = sums.collect().to_pandas().pivot(index="family", columns="day", values="units")
    order = wide.sum(axis=1).sort_values(ascending=False).index
    wide = wide.reindex(columns=range(1, 8)).fillna(0)
    mean = wide / days.to_pandas().set_index("day")["days"].reindex(range(1, 8))
    mean = mean.div(mean.mean(axis=1), axis=0).loc[order]
    return mean.set_axis(list(WEEKDAYS), axis=1)


def measure_promotions(sales: pl.LazyFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Measure how often rows are on promotion, and by how much a promotion raises them.

    The uplift compares rows of one series: the geometric mean, over series, of the units of rows on
    promotion over those of others. Days without a sale have no row, so that the effect on whether
    anything sells at all is not in it.

    Args:
        sales: One row per date, store and item; rows whose promotion is unknown do not count.
        items: One row per item: item_nbr, family.

    Returns:
        One row per family, the most promoted first: family, share (of rows on promotion), uplift
        (a factor; NaN where no series has enough rows of both kinds).
    """
    promoted = pl.col("onpromotion")
    known = _with_family(sales.filter(promoted.is_not_null() & (_UNITS > 0)), items)
    shares = known.group_by("family").agg(share=promoted.mean()).collect().to_pandas()
    found = shares.assign(uplift=shares["family"].map(measure_uplift(known, promoted)))
    return found.sort_values(["share", "family"], ascending=[False, True], ignore_index=True)


def measure_holiday_effects(
    sales: pl.LazyFrame, holidays_events: pd.DataFrame, stores: pd.DataFrame
) -> pd.Series:
    """Measure units on holidays over what their weekday and time of the month let expect.

    Args:
        sales: One row per date, store and item.
        holidays_events: One row per holiday: date, type, locale, locale_name, description,
            transferred.
        stores: One row per store: store_nbr, city.

    Returns:
        Factor by kind of day, the largest first; kinds that do not occur are left out.
    """
    holidays = pl.from_pandas(holidays_events).with_columns(_DATE.cast(pl.Date))
    totals = total_days(sales.with_columns(_DATE.cast(pl.Date)))
    homes = pl.from_pandas(stores[["store_nbr", "city"]])
    homes = homes.with_columns(pl.col("store_nbr").cast(totals.schema["store_nbr"]))
    found = pd.Series(measure_holidays(totals, holidays, homes)["Holiday"], dtype=float)
    return found.dropna().sort_values(ascending=False).rename("factor").rename_axis("day")


def _with_family(table: pl.LazyFrame, items: pd.DataFrame) -> pl.LazyFrame:
    """Add the family of each row's item."""
    family = pl.from_pandas(items[["item_nbr", "family"]]).lazy()
    family = family.with_columns(pl.col("item_nbr").cast(pl.Int64), pl.col("family").cast(str))
    return table.with_columns(pl.col("item_nbr").cast(pl.Int64)).join(family, on="item_nbr")

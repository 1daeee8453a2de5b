"""Measures of the daily totals: week, month, holidays, stores and what surrounds them."""

import polars as pl

from grocery_demand.core.simulation.real_figures import MONTHS, WEEKDAYS
from grocery_demand.core.simulation.row_statistics import DAY, UNITS, Measures

_WINDOW, _WEEKS_A_YEAR = 28, 52
_RATIO, _REST = pl.col("ratio"), pl.col("rest")
_DAY_NAMES = dict(enumerate(WEEKDAYS.split("|"), start=1))
_MONTH_NAMES = dict(enumerate(MONTHS.split("|"), start=1))
_QUAKE_PEAK = pl.date(2016, 4, 18)


def total_days(sales: pl.LazyFrame) -> pl.DataFrame:
    """Total the units of each store and day and relate them to the days around.

    Returns:
        One row per store and day with store_nbr, date, units, and what `_relate_days` adds.
    """
    totals = sales.filter(UNITS > 0).group_by("store_nbr", "date").agg(units=UNITS.sum())
    return _relate_days(totals.collect(), "store_nbr")


def _relate_days(totals: pl.DataFrame, key: str) -> pl.DataFrame:
    """Add ratio (to the mean of 28 days around) and rest (freed of weekday and month position).

    The rest is taken from the median of the days around, so that a few days out of the common do
    not hide themselves. Days without a full window are left out.
    """
    mean = pl.col("units").rolling_mean(_WINDOW, center=True).over(key)
    median = pl.col("units").rolling_median(_WINDOW, center=True).over(key)
    totals = totals.sort(key, "date")
    totals = totals.with_columns(ratio=pl.col("units") / mean, rest=pl.col("units") / median)
    totals = totals.drop_nulls()
    return totals.with_columns(rest=_REST / _REST.median().over(key, DAY.dt.weekday()))


def measure_calendar(sales: pl.LazyFrame, totals: pl.DataFrame) -> Measures:
    """Measure the shapes of the week, the year and the month."""
    of_family = sales.group_by("family", "date").agg(units=UNITS.sum()).collect()
    of_family = _relate_days(of_family, "family")
    weekday = DAY.dt.weekday().replace_strict(_DAY_NAMES)
    by_family = pl.format("{} {}", "family", weekday)
    return {
        "Weekday": _average(_total_stores(totals), weekday, _RATIO.mean()),
        "Weekday by family": _average(of_family, by_family, _RATIO.mean()),
        "Month": _measure_months(totals),
        "Day of the month": _measure_month_days(totals),
    }


def _total_stores(totals: pl.DataFrame) -> pl.DataFrame:
    """Total all stores; one row per day with units, ratio and rest."""
    days = totals.group_by("date").agg(pl.col("units").sum())
    return _relate_days(days.with_columns(place=pl.lit(0)), "place").drop("place")


def _measure_months(totals: pl.DataFrame) -> dict[str, float]:
    """Mean units of a month relative to the year's, freed of growth, in whole years to the end."""
    back = (pl.lit(totals["date"].max(), pl.Date) - DAY).dt.total_days()
    growth = _measure_growth(totals) / 365
    days = totals.group_by("date").agg(pl.col("units").sum() * (growth * back.first()).exp())
    days = days.with_columns(year=back // 365)
    level = pl.col("units") / pl.col("units").mean().over("year")
    whole = pl.len().over("year") >= 7 * _WEEKS_A_YEAR - 4
    days = days.with_columns(level=level).filter(whole)
    return _average(days, DAY.dt.month().replace_strict(_MONTH_NAMES), pl.col("level").mean())


def _measure_month_days(totals: pl.DataFrame) -> dict[str, float]:
    days = _total_stores(totals).filter(DAY.dt.month() < max(_MONTH_NAMES))
    late, last = DAY.dt.day().is_between(22, 29), DAY.dt.month_end() == DAY
    named = {"22-29": _REST.filter(late).mean(), "last": _REST.filter(last).mean()}
    return {**_average(days, DAY.dt.day(), _REST.mean()), **days.select(**named).row(0, named=True)}


def measure_holidays(
    totals: pl.DataFrame, holidays: pl.DataFrame, stores: pl.DataFrame
) -> Measures:
    """Measure the days of national holidays, and of local ones in their city."""
    national = holidays.filter(pl.col("locale") == "National")
    days = _free_of_month_position(_total_stores(totals))
    mothers = national.filter(pl.col("description").str.ends_with("Madre"))["date"]
    named = {
        "21-24 December": _is_date(12, 21, 24),
        "1 May": _is_date(5, 1, 1),
        "Mother's Day": DAY.is_in(mothers.implode()),
        "two days after the earthquake": DAY == _QUAKE_PEAK,
    }
    found = {name: _average_rest(days.filter(chosen)) for name, chosen in named.items()}
    kind = pl.when("transferred").then(pl.lit("moved away")).otherwise("type")
    plain = national.filter(~pl.col("description").str.contains("Terremoto|Madre$|Primer dia"))
    others = days.filter(~_is_date(12, 21, 26) & ~_is_date(5, 1, 1))
    of_kind = others.join(plain.select("date", kind=kind).unique(), on="date")
    local = holidays.filter(pl.col("locale") == "Local").select("date", city="locale_name")
    at_home = totals.join(stores, on="store_nbr").join(local.unique(), on=["date", "city"])
    found["local"] = _average_rest(at_home)
    return {"Holiday": {**_average(of_kind, pl.col("kind"), _REST.mean()), **found}}


def _average_rest(days: pl.DataFrame) -> float:
    """Mean of the rest; NaN without any day."""
    return float(days.select(_REST.mean().fill_null(float("nan"))).item())


def _is_date(month: int, first_day: int, last_day: int) -> pl.Expr:
    return (DAY.dt.month() == month) & DAY.dt.day().is_between(first_day, last_day)


def _free_of_month_position(days: pl.DataFrame) -> pl.DataFrame:
    usual = _REST.filter(DAY.dt.month() < max(_MONTH_NAMES)).median().over(DAY.dt.day())
    return days.with_columns(rest=_REST / usual)


def measure_stores(totals: pl.DataFrame, holidays: pl.DataFrame) -> Measures:
    """Measure how the stores differ, grow and vary from day to day."""
    quiet = ~DAY.is_in(holidays.filter(pl.col("locale") == "National")["date"].implode())
    noise = totals.filter(quiet & (DAY.dt.month() < max(_MONTH_NAMES)))
    deviation = _REST.log() - _REST.log().mean().over(DAY.dt.day())
    measures = {
        **_compare_stores(totals),
        "growth a year, log points": _measure_growth(totals),
        "noise of the daily total, log sd": noise.select(deviation.std()).item(),
    }
    return {"Stores": measures}


def _compare_stores(totals: pl.DataFrame) -> dict[str, float]:
    """Mean daily units of stores over the mean store's."""
    levels = totals.group_by("store_nbr").agg(pl.col("units").mean())
    levels = levels.with_columns(pl.col("units") / pl.col("units").mean())
    found = {f"{store} over the mean": units for store, units in levels.iter_rows()}
    extremes = {"highest": pl.col("units").max(), "lowest": pl.col("units").min()}
    for name, value in levels.select(**extremes).row(0, named=True).items():
        found[f"{name} over the mean"] = value
    return found


def _measure_growth(totals: pl.DataFrame) -> float:
    """Mean log ratio of a store's day to its day 52 weeks before."""
    before = totals.select("store_nbr", DAY + pl.duration(weeks=_WEEKS_A_YEAR), past="units")
    both = totals.join(before, on=["store_nbr", "date"])
    growth = both.select((pl.col("units") / pl.col("past")).log().mean()).item()
    return float("nan") if growth is None else float(growth)


def measure_surroundings(
    totals: pl.DataFrame, transactions: pl.DataFrame, oil: pl.DataFrame
) -> Measures:
    """Measure the transactions and the oil price."""
    count = pl.col("transactions")
    quantiles = {f"{100 * q:g} % quantile": count.quantile(q) for q in (0.25, 0.5, 0.75)}
    wanted = {"mean": count.mean(), **quantiles, "highest": count.max()}
    both = totals.join(transactions, on=["date", "store_nbr"])
    found = transactions.select(**wanted).row(0, named=True)
    found["correlation with the store's units"] = both.select(pl.corr("units", count)).item()
    price = pl.col("dcoilwtico").mean()
    return {"Transactions": found, "Oil price by year": _average(oil, DAY.dt.year(), price)}


def _average(frame: pl.DataFrame, key: pl.Expr, measure: pl.Expr) -> dict[str, float]:
    found = frame.group_by(key=key).agg(value=measure)
    return {str(key): value for key, value in found.iter_rows()}

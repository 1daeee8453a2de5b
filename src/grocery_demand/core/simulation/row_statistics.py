"""Measures of the rows and series of a sales table."""

import polars as pl

from grocery_demand.core.simulation.real_figures import WEEKDAYS

UNITS, DAY = pl.col("unit_sales"), pl.col("date")
PROMOTED = pl.col("onpromotion") == "True"
SERIES = ["store_nbr", "item_nbr"]
FULL_ITEMS = 4036
_FEW, _MANY = 5, 100
_QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
_RECENT_YEAR = 2016
_LONG_GAP = 1.32
Measures = dict[str, dict[str, float]]


def measure_rows(sales: pl.LazyFrame, items: int) -> Measures:
    """Measure the units of single rows.

    Args:
        sales: One row per date, store and item, with the item's family and perishable.
        items: Number of items in the range.
    """
    quantiles = {f"{100 * q:g} % quantile": UNITS.quantile(q) for q in _QUANTILES}
    units = {"mean": UNITS.mean(), "standard deviation": UNITS.std(), **quantiles}
    units |= {"lowest": UNITS.min(), "highest": UNITS.max()}
    values = {str(n): UNITS.eq(n).mean() for n in range(1, 7)} | {"negative": (UNITS < 0).mean()}
    per_store = pl.len() / pl.struct("date", "store_nbr").n_unique() / items * FULL_ITEMS
    return {
        "Rows per store and open day, for 4,036 items": _by(sales, DAY.dt.year(), per_store),
        "Units of a row": _select(sales, units),
        "Share of rows by units": _select(sales, values),
        "Share of rows with fractional units": {
            **_select(sales, {"all": (UNITS % 1 != 0).mean()}),
            **_by(sales, pl.col("family"), (UNITS % 1 != 0).mean()),
        },
    }


def measure_families(sales: pl.LazyFrame, items: pl.DataFrame) -> Measures:
    """Measure how the units are shared out between families and items."""
    total = sales.select(UNITS.sum()).collect().item()
    perishable = pl.col("perishable") == 1
    by_item = sales.group_by("item_nbr").agg(UNITS.sum()).collect()["unit_sales"].sort()[::-1]
    shares = (by_item.cum_sum() / total).to_list()
    return {
        "Share of units by the best-selling items": {
            f"{top} %": shares[max(len(shares) * top // 100, 1) - 1] for top in (1, 10, 50)
        },
        "Share of perishable goods": {
            "items": items.select(perishable.mean()).item(),
            **_select(
                sales,
                {"rows": perishable.mean(), "units": UNITS.filter(perishable).sum() / total},
            ),
        },
        "Share of units by family": _by(sales, pl.col("family"), UNITS.sum() / total),
    }


def measure_promotions(sales: pl.LazyFrame) -> Measures:
    """Measure how often rows are promoted and what it brings."""
    known = sales.filter(pl.col("onpromotion").is_not_null())
    recent = known.filter(DAY.dt.year() >= _RECENT_YEAR)
    weekday = DAY.dt.weekday().replace_strict(dict(enumerate(WEEKDAYS.split("|"), start=1)))
    return {
        "Share of rows on promotion by year": _by(known, DAY.dt.year(), PROMOTED.mean()),
        "Share of rows on promotion by weekday, from 2016": _by(recent, weekday, PROMOTED.mean()),
        "Share of rows on promotion by family, from 2016": _by(
            recent, pl.col("family"), PROMOTED.mean()
        ),
        "Uplift by a promotion within a series": measure_uplift(known, PROMOTED),
    }


def measure_uplift(known: pl.LazyFrame, promoted: pl.Expr) -> dict[str, float]:
    """Geometric mean over series, by rows on promotion, of units with over units without.

    Args:
        known: One row per date, store and item whose promotion is known, with the item's family.
        promoted: Whether a row is on promotion.

    Returns:
        The factor of `all`, and by family; families in which no series has at least five rows of
        both kinds are left out.
    """
    logs = UNITS.log()
    by_series = (
        known.filter(UNITS > 0)
        .group_by(*SERIES, "family")
        .agg(
            uplift=logs.filter(promoted).mean() - logs.filter(~promoted).mean(),
            promoted=promoted.sum(),
            others=(~promoted).sum(),
        )
        .filter((pl.col("promoted") >= _FEW) & (pl.col("others") >= _FEW))
    )
    mean = ((pl.col("uplift") * pl.col("promoted")).sum() / pl.col("promoted").sum()).exp()
    return {**_select(by_series, {"all": mean}), **_by(by_series, pl.col("family"), mean)}


def measure_series(sales: pl.LazyFrame, pairs: int) -> Measures:
    """Measure how the units of a series spread and how often it sells.

    Args:
        sales: One row per date, store and item.
        pairs: Number of stores times number of items.
    """
    last = sales.select(DAY.max()).collect().item()
    series = _summarise_series(sales, last)
    days_left = pl.col("rows") / pl.col("days")
    between = (pl.col("level") - _weigh(series, pl.col("level"))) ** 2
    recent = sales.filter(DAY.gt(last - pl.duration(days=16))).select(pl.len() / 16 / pairs)
    return {
        "Spread of log units": {
            "within a series": _weigh(series, pl.col("spread")) ** 0.5,
            "between series": _weigh(series, between) ** 0.5,
        },
        "Variance over mean of a series with mean": {
            str(mean): _measure_dispersion(series, mean) for mean in (2, 5, 14)
        },
        "Intermittency": {
            "share of days with a sale, of a random row's series": _weigh(series, days_left),
            "share of series with an average gap above 1.32 days": series.select(
                (pl.col("span") / pl.col("rows") > _LONG_GAP).mean()
            ).item(),
            "share of store-item pairs with a row, last 16 days": recent.collect().item(),
        },
    }


def _summarise_series(sales: pl.LazyFrame, last: object) -> pl.DataFrame:
    """Summarise each series; one row per store and item, `spread` being a variance."""
    sold = sales.filter(UNITS > 0).group_by(SERIES)
    return sold.agg(
        rows=pl.len(),
        level=UNITS.log().mean(),
        spread=UNITS.log().var().fill_null(0),
        mean=UNITS.mean(),
        variance=UNITS.var(),
        days=(pl.lit(last) - DAY.min()).dt.total_days() + 1,
        span=(DAY.max() - DAY.min()).dt.total_days() + 1,
    ).collect()


def _measure_dispersion(series: pl.DataFrame, mean: int) -> float:
    """Median over the series with about that mean and a hundred rows or more."""
    alike = pl.col("mean").is_between(0.85 * mean, 1.15 * mean) & (pl.col("rows") >= _MANY)
    median = series.filter(alike).select((pl.col("variance") / pl.col("mean")).median()).item()
    return float("nan") if median is None else float(median)


def _weigh(series: pl.DataFrame, value: pl.Expr) -> float:
    """Mean over series, weighted by their rows."""
    return float(series.select((value * pl.col("rows")).sum() / pl.col("rows").sum()).item())


def _select(frame: pl.LazyFrame, measures: dict[str, pl.Expr]) -> dict[str, float]:
    return frame.select(**measures).collect().row(0, named=True)


def _by(frame: pl.LazyFrame, key: pl.Expr, measure: pl.Expr) -> dict[str, float]:
    found = frame.group_by(key=key).agg(value=measure).collect()
    return {str(key): value for key, value in found.iter_rows()}

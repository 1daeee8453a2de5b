"""Where the error of the newest days comes from: a description for people, no test."""

from dataclasses import replace

import polars as pl

from grocery_demand.core.monitoring.check import ALARM, ERROR, WATCH, Check
from grocery_demand.core.monitoring.group_scores import sum_groups, to_scores
from grocery_demand.core.monitoring.promise import Promise

_NAMES = ("family", "city")
_MOST = 2


def find_worst_slices(live: pl.DataFrame, promise: Promise, window_days: int) -> pl.DataFrame:
    """Return the families and cities that add most to the error of the newest days.

    A slice adds the weighted squares of its errors less those that the backtest promised of it, so
    that large slices count more, and those that are always hard do not count.

    Args:
        live: Forecasts beside sales, see `live_error.join_sales`.
        promise: What the backtest promised.
        window_days: How many days up to the last one of `live` are looked at.

    Returns:
        At most two rows per column, the worst first, only slices that are worse than promised:
        slice, value, added, nwrmsle, promised and bias.
    """
    age = (pl.col("date").max() - pl.col("date")).dt.total_days()
    newest = live.filter(age < window_days)
    promised = pl.DataFrame(
        [(row["slice"], row["value"], row["nwrmsle"]) for row in promise.slices],
        orient="row",
        schema={"slice": pl.String, "value": pl.String, "promised": pl.Float64},
    )
    found = []
    for name in _NAMES:
        sums = sum_groups(newest, [name])
        slices = to_scores(sums).select(
            pl.lit(name).alias("slice"),
            pl.col(name).cast(pl.String).alias("value"),
            sums["weight"],
            "nwrmsle",
            "bias",
        )
        worse = slices.join(promised, on=["slice", "value"]).with_columns(
            added=(pl.col("nwrmsle") ** 2 - pl.col("promised") ** 2) * pl.col("weight")
        )
        worse = worse.filter(pl.col("added") > 0).sort("added", descending=True).head(_MOST)
        found.append(worse.select("slice", "value", "added", "nwrmsle", "promised", "bias"))
    return pl.concat(found)


def name_worst_slices(checks: list[Check], worst: pl.DataFrame) -> list[Check]:
    """Return the checks of the live error; one that is not ok names the slices."""
    each = [
        f"{row['slice']} {row['value']} (NWRMSLE {row['nwrmsle']:.3f}, promised "
        f"{row['promised']:.3f}; bias {row['bias']:+.0%})"
        for row in worst.to_dicts()
    ]
    told = f" Most of the rise comes from {', '.join(each)}." if each else ""
    return [
        replace(check, detail=check.detail + told)
        if check.name == ERROR and check.state in (ALARM, WATCH)
        else check
        for check in checks
    ]

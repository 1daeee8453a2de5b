"""Where the error of the newest days comes from: a description for people, no test."""

from dataclasses import replace

import numpy as np
import polars as pl

from grocery_demand.core.monitoring.check import ALARM, ERROR, WATCH, Check
from grocery_demand.core.monitoring.group_scores import sum_groups, to_scores
from grocery_demand.core.monitoring.promise import Promise

_NAMES = ("family", "city")
_MOST = 2


def find_worst_slices(
    live: pl.DataFrame, promise: Promise, window_days: int, promised: float
) -> pl.DataFrame:
    """Return the families and cities that add most to the error of the newest days.

    A slice adds the weighted squares of its errors less those that the backtest promised of it, so
    that large slices count more, and those that are always hard do not count.

    Args:
        live: Forecasts beside sales, see `live_error.join_sales`.
        promise: What the backtest promised of the slices, over all its days and steps.
        window_days: How many days up to the last one of `live` are looked at.
        promised: What it promised of all rows of these days; the slices' promises are raised or
            lowered as this one differs from that over all days.

    Returns:
        At most two rows per column, the worst first, only slices that are worse than promised:
        slice, value, share (of what all such slices of the column add), nwrmsle, promised, bias.
    """
    factor = promised / promise.nwrmsle if promise.nwrmsle else 1.0
    age = (pl.col("date").max() - pl.col("date")).dt.total_days()
    newest = live.filter(age < window_days)
    expected = pl.DataFrame(
        [
            (row["slice"], row["value"], factor * row["nwrmsle"])
            for row in promise.slices
            if row["nwrmsle"] is not None
        ],
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
        worse = slices.join(expected, on=["slice", "value"]).with_columns(
            added=(pl.col("nwrmsle") ** 2 - pl.col("promised") ** 2) * pl.col("weight")
        )
        worse = worse.filter(pl.col("added") > 0).sort("added", descending=True)
        worse = worse.with_columns(share=pl.col("added") / pl.col("added").sum()).head(_MOST)
        found.append(worse.select("slice", "value", "share", "nwrmsle", "promised", "bias"))
    return pl.concat(found)


def name_worst_slices(checks: list[Check], worst: pl.DataFrame) -> list[Check]:
    """Return the checks of the live error; one that is not ok names the slices."""
    each = [
        f"{row['slice']} {row['value']} ({row['share']:.0%} of the rise; NWRMSLE "
        f"{row['nwrmsle']:.3f}, promised {row['promised']:.3f}{_tell_bias(row['bias'])})"
        for row in worst.to_dicts()
    ]
    told = f" Furthest above what was promised: {', '.join(each)}." if each else ""
    return [
        replace(check, detail=check.detail + told)
        if check.name == ERROR and check.state in (ALARM, WATCH)
        else check
        for check in checks
    ]


def _tell_bias(bias: float) -> str:
    return "" if np.isnan(bias) else f"; bias {bias:+.0%}"

"""Scores of forecasts by group, in one pass over millions of rows."""

from collections.abc import Sequence

import polars as pl

from grocery_demand.core.intervals import INTERVAL
from grocery_demand.core.models import BASELINES

SCORES = ("nwrmsle", *BASELINES, "wape", "bias", "coverage")
"""What `score_groups` gives, the baselines' NWRMSLE by their names."""

_SUMS = ("weight", "squares", *(f"squares_{name}" for name in BASELINES))
_UNIT_SUMS = ("unit_sales", "absolute_error", "error", "covered")


def add_errors(rows: pl.DataFrame) -> pl.DataFrame:
    """Add what scores are sums of, each for its row.

    Args:
        rows: weight, unit_sales, point, the interval's bounds and the baselines, in units.
    """
    actual = pl.col("unit_sales").clip(0).log1p()

    def squares(column: str) -> pl.Expr:
        return pl.col("weight") * (pl.col(column).clip(0).log1p() - actual) ** 2

    error = pl.col("point") - pl.col("unit_sales")
    low, high = (pl.col(name) for name in INTERVAL)
    inside = pl.col("unit_sales").is_between(low, high)
    return rows.with_columns(
        squares("point").alias("squares"),
        *(squares(name).alias(f"squares_{name}") for name in BASELINES),
        error.alias("error"),
        error.abs().alias("absolute_error"),
        inside.cast(pl.Float64).alias("covered"),
    )


def sum_groups(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return one row per group, sorted: rows and the sums that scores are made of."""
    sums = [pl.col(name).cast(pl.Float64).sum() for name in (*_SUMS, *_UNIT_SUMS)]
    return rows.group_by(list(by)).agg(pl.len().alias("rows"), *sums).sort(list(by))


def to_scores(sums: pl.DataFrame) -> pl.DataFrame:
    """Turn sums into scores; NaN where nothing was sold.

    Returns:
        The groups' columns, rows and `SCORES`: the definitions are those of `core.metrics`.
    """
    weight, sold = pl.col("weight"), pl.col("unit_sales")
    scores = sums.with_columns(
        nwrmsle=(pl.col("squares") / weight).sqrt(),
        **{name: (pl.col(f"squares_{name}") / weight).sqrt() for name in BASELINES},
        wape=pl.when(sold > 0).then(pl.col("absolute_error") / sold).otherwise(float("nan")),
        bias=pl.when(sold > 0).then(pl.col("error") / sold).otherwise(float("nan")),
        coverage=pl.col("covered") / pl.col("rows"),
    )
    return scores.drop(*_SUMS, *_UNIT_SUMS)


def score_groups(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return one row per group, sorted: rows and `SCORES`."""
    return to_scores(sum_groups(rows, by))

"""Which series are monitored, and what slices they belong to."""

import numpy as np
import polars as pl

from grocery_demand.core.panel import SERIES_KEY, Panel
from grocery_demand.core.series_hash import hash_series

SLICES = ("type", "city", "cluster", "family", "perishable", "size")
"""Columns whose values divide the series for scores and fairness."""

_SIZE_DAYS = 56
_SIZES = ("small", "medium", "large")


def choose_series(panel: Panel, max_series: int) -> np.ndarray:
    """Return positions of the series that are monitored: all, or those of the lowest hashes.

    The hash depends on store and item alone, so that the same ones are chosen every day.
    """
    if len(panel.series) <= max_series:
        return np.arange(len(panel.series))
    hashes = hash_series(panel.series)
    return np.sort(np.argpartition(hashes, max_series)[:max_series])


def describe_series(panel: Panel, day: int) -> pl.DataFrame:
    """Return what slices the series belong to.

    Args:
        panel: Sales.
        day: The day of the panel up to which the size of a series is measured.

    Returns:
        One row per series in the panel's order: the key, position, weight and `SLICES`. The size
        divides the series by what they sold a day over 56 days: each third is one.
    """
    size = _measure_sizes(panel, day)
    table = pl.from_pandas(panel.series[[*SERIES_KEY, "type", "city", "cluster", "family"]])
    perishable = panel.series["perishable"].to_numpy() == 1
    return table.with_columns(
        pl.col("cluster").cast(pl.String),
        pl.Series("perishable", np.where(perishable, "perishable", "not perishable")),
        pl.Series("size", np.array(_SIZES)[size]),
        pl.Series("position", np.arange(len(table))),
        pl.Series("weight", panel.weights.astype(float)),
    )


def _measure_sizes(panel: Panel, day: int) -> np.ndarray:
    first = max(day + 1 - _SIZE_DAYS, 0)
    mean = panel.units[:, first : day + 1].mean(axis=1) if day >= 0 else panel.weights * 0
    started = panel.series["first_sale"].to_numpy() <= day
    edges = np.quantile(mean[started], [1 / 3, 2 / 3]) if started.any() else np.zeros(2)
    return np.searchsorted(edges, mean)

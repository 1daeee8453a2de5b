"""Which series are monitored, and what slices they belong to."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.panel import SERIES_KEY, Panel
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.series_hash import hash_series

SLICES = ("type", "city", "cluster", "family", "perishable", "size")
"""Columns whose values divide the series for scores and fairness."""

_SIZE_DAYS = 56
_SIZES = ("small", "medium", "large")


def choose_series(panel: PanelParts, max_series: int) -> np.ndarray:
    """Return positions of the series that are monitored: all, or those of the lowest hashes.

    The hash depends on store and item alone, so that the same ones are chosen every day.
    """
    if panel.n_series <= max_series:
        return np.arange(panel.n_series)
    found = panel.map(_find_lowest, max_series)
    hashes = np.concatenate([lowest for _, lowest in found])
    pairs = zip(found, panel.bounds[:-1], strict=True)
    rows = np.concatenate([own + first for (own, _), first in pairs])
    return np.sort(rows[_lowest(hashes, max_series)])


def describe_series(panel: PanelParts, day: int, rows: np.ndarray | None = None) -> pl.DataFrame:
    """Return what slices the series belong to.

    Args:
        panel: Sales.
        day: The day of the panel up to which the size of a series is measured.
        rows: Positions of the series wanted, ascending; all of them by default.

    Returns:
        One row per series in the panel's order: the key, position, weight and `SLICES`. The size
        divides all series of the panel by what they sold a day over 56 days: each third is one.
    """
    rows = np.arange(panel.n_series) if rows is None else rows
    mean = np.concatenate(panel.map(_measure_units, day))
    started = panel.first_sale <= day
    edges = np.quantile(mean[started], [1 / 3, 2 / 3]) if started.any() else np.zeros(2)
    sizes = np.array(_SIZES)[np.searchsorted(edges, mean[rows])]
    table = pl.concat(panel.map(_describe_part, own=panel.split(rows)))
    return table.with_columns(pl.Series("size", sizes), pl.Series("position", rows)).select(
        *table.columns[:-1], "size", "position", "weight"
    )


def find_series(panel: PanelParts, tables: Iterable[pd.DataFrame]) -> np.ndarray:
    """Return the positions of the series that some tables name, ascending.

    Args:
        panel: The series.
        tables: Tables with store_nbr and item_nbr; a pair may be named often, and be none of the
            panel's.
    """
    wanted = pl.concat(pl.from_pandas(table[SERIES_KEY]) for table in tables).unique()
    found = zip(panel.map(_find_in_part, wanted), panel.bounds[:-1], strict=True)
    return np.concatenate([rows + first for rows, first in found])


def _find_lowest(part: Panel, n_series: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the series with the lowest hashes, and these."""
    hashes = hash_series(part.series)
    rows = _lowest(hashes, n_series)
    return rows, hashes[rows]


def _lowest(hashes: np.ndarray, number: int) -> np.ndarray:
    if number >= len(hashes):
        return np.arange(len(hashes))
    return np.argpartition(hashes, number)[:number]


def _measure_units(part: Panel, day: int) -> np.ndarray:
    """Return the mean units a day of each series."""
    first = max(day + 1 - _SIZE_DAYS, 0)
    return part.units[:, first : day + 1].mean(axis=1) if day >= 0 else part.weights * 0


def _describe_part(part: Panel, rows: np.ndarray) -> pl.DataFrame:
    table = pl.from_pandas(part.series[[*SERIES_KEY, "type", "city", "cluster", "family"]])
    perishable = part.series["perishable"].to_numpy() == 1
    return table.with_columns(
        pl.col("cluster").cast(pl.String),
        pl.Series("perishable", np.where(perishable, "perishable", "not perishable")),
        pl.Series("weight", part.weights.astype(float)),
    )[rows]


def _find_in_part(part: Panel, wanted: pl.DataFrame) -> np.ndarray:
    series = pl.from_pandas(part.series[SERIES_KEY]).with_row_index()
    return series.join(wanted, on=SERIES_KEY, how="semi")["index"].sort().to_numpy().astype(int)

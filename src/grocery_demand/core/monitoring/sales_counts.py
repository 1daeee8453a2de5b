"""What was sold, counted by week for each column whose drift is measured."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from grocery_demand.core.monitoring.bootstrap import N_GROUPS, group_series
from grocery_demand.core.monitoring.distance import find_edges
from grocery_demand.core.monitoring.sales_windows import WEEK, Windows
from grocery_demand.core.panel import Panel

WEEKDAY = "weekday"
_BY_UNITS = ("store_nbr", "family", "class", "perishable")
"""Columns of the series, counted in units sold."""


def count_by_week(panel: Panel, rows: np.ndarray, windows: Windows) -> dict[str, np.ndarray]:
    """Return counts or units float64 [group, week, bin] of each column, the newest week first.

    Args:
        panel: Sales.
        rows: Positions of the series that are looked at.
        windows: Which days count.
    """
    first = panel.n_days - windows.n_weeks * WEEK
    weeks = [windows.days(week) - first for week in range(windows.n_weeks)]
    groups = group_series(rows)
    units = panel.units[rows, first:]
    day = np.arange(units.shape[1])
    started = panel.series["first_sale"].to_numpy()[rows, None] - first <= day
    sold = started & (units > 0)
    promoted = sold & (panel.promotions[rows, first : panel.n_days] > 0)
    edges = find_edges(np.log1p(units[sold]))
    by_day = units[:, np.concatenate(weeks)].reshape(len(rows), windows.n_weeks, -1)

    def by_week(mark: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Add up [series, bin] of each week by group."""
        return np.stack([_add_groups(mark(week), groups) for week in weeks], axis=1)

    def sizes(week: np.ndarray) -> np.ndarray:
        bins = np.searchsorted(edges, np.log1p(units[:, week]))
        return _count_bins(bins, sold[:, week], len(edges) + 1)

    return {
        "unit_sales": by_week(sizes),
        "sold at all": by_week(lambda week: _two(sold[:, week], started[:, week])),
        "onpromotion": by_week(lambda week: _two(promoted[:, week], sold[:, week])),
        **_count_units(panel.series.iloc[rows], groups, by_day.sum(axis=2, dtype=float)),
        WEEKDAY: _add_groups(by_day.astype(float), groups),
    }


def _count_units(
    series: pd.DataFrame, groups: np.ndarray, units: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the units [group, week, value] of each column of the series.

    Args:
        series: One row per series.
        groups: Of the series.
        units: Sold by week, float64 [series, week].
    """
    found = {}
    for name in _BY_UNITS:
        codes, values = pd.factorize(series[name], sort=True)
        sums = _add_groups(units, groups * len(values) + codes, N_GROUPS * len(values))
        found[name] = sums.reshape(N_GROUPS, len(values), -1).swapaxes(1, 2)
    return found


def _count_bins(bins: np.ndarray, counted: np.ndarray, n_bins: int) -> np.ndarray:
    """Return how many of each series' days fall into each bin, float64 [series, bin]."""
    keys = bins + n_bins * np.arange(len(bins))[:, None]
    counts = np.bincount(keys[counted], minlength=len(bins) * n_bins)
    return counts.reshape(len(bins), n_bins).astype(float)


def _two(yes: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return how many days of each series are so, and how many of the others are not."""
    n_yes = yes.sum(axis=1, dtype=float)
    return np.stack([n_yes, of.sum(axis=1) - n_yes], axis=1)


def _add_groups(values: np.ndarray, groups: np.ndarray, n_groups: int = N_GROUPS) -> np.ndarray:
    """Return the sums of the rows of each group, float64 [group, …]."""
    order = np.argsort(groups, kind="stable")
    found, starts = np.unique(groups[order], return_index=True)
    sums = np.zeros((n_groups, *values.shape[1:]))
    sums[found] = np.add.reduceat(values[order], starts, axis=0)
    return sums

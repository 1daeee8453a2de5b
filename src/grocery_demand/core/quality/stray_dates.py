"""Dates so far from all the others that they must be typing errors."""

import numpy as np
import polars as pl

from grocery_demand.core.pairs import SLICE, find_day_span, number_days


def find_stray_dates(dates: pl.Series, max_gap_days: int) -> np.ndarray:
    """Return whether each date lies beyond a gap of more than some days from most others.

    One row dated 2071 instead of 2017 would stretch the panel over decades of zeros. The dates
    fall into clusters with long gaps between them; the one with the most rows is taken for true.

    Args:
        dates: One date per row, any order.
        max_gap_days: The longest gap within a cluster.

    Returns:
        bool [row].
    """
    if dates.is_empty():
        return np.zeros(0, bool)
    first, _ = find_day_span(dates)
    counts = _count_rows(dates, first)
    days = np.flatnonzero(counts) + first
    cluster = np.concatenate([[0], np.cumsum(np.diff(days) > max_gap_days)])
    largest = np.argmax(np.bincount(cluster, counts[counts > 0]))
    start, end = days[cluster == largest][[0, -1]]
    if (start, end) == (days[0], days[-1]):
        return np.zeros(len(dates), bool)
    day = number_days(dates)
    return (day < start) | (day > end)


def _count_rows(dates: pl.Series, first: int) -> np.ndarray:
    """Return the number of rows of each day from the first to the last, int64."""
    counts = np.zeros(0, np.int64)
    for part in dates.to_frame("date").iter_slices(SLICE):
        more = np.bincount(number_days(part["date"]) - first, minlength=len(counts))
        more[: len(counts)] += counts
        counts = more
    return counts

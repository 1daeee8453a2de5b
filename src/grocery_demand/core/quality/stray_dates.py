"""Dates so far from all the others that they must be typing errors."""

import numpy as np
import polars as pl

from grocery_demand.core.pairs import SLICE, find_day_span, number_days


def find_stray_dates(dates: pl.Series, max_gap_days: int) -> np.ndarray:
    """Return whether each date lies beyond a gap of more than some days from most others.

    Args:
        dates: One date per row, any order.
        max_gap_days: The longest gap within a cluster.

    Returns:
        bool [row].
    """
    if dates.is_empty():
        return np.zeros(0, bool)
    days, counts = count_by_day(dates)
    span = find_true_span(days, counts, max_gap_days)
    if span == (days[0], days[-1]):
        return np.zeros(len(dates), bool)
    return lies_beyond(dates, span)


def find_true_span(days: np.ndarray, counts: np.ndarray, max_gap_days: int) -> tuple[int, int]:
    """Return the first and the last day that are not stray.

    One row dated 2071 instead of 2017 would stretch the panel over decades of zeros. The dates
    fall into clusters with long gaps between them; the one with the most rows is taken for true.

    Args:
        days: The days with rows, since 1970-01-01, ascending, int [day]; at least one.
        counts: Rows of each, int [day].
        max_gap_days: The longest gap within a cluster.
    """
    cluster = np.concatenate([[0], np.cumsum(np.diff(days) > max_gap_days)])
    largest = np.argmax(np.bincount(cluster, counts))
    start, end = days[cluster == largest][[0, -1]]
    return int(start), int(end)


def lies_beyond(dates: pl.Series, span: tuple[int, int]) -> np.ndarray:
    """Return whether each date lies before the first day of a span or after its last one."""
    day = number_days(dates)
    return (day < span[0]) | (day > span[1])


def count_by_day(dates: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the days that occur, since 1970-01-01, ascending, and the number of rows of each."""
    if dates.is_empty():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    first, _ = find_day_span(dates)
    counts = np.zeros(0, np.int64)
    for part in dates.to_frame("date").iter_slices(SLICE):
        more = np.bincount(number_days(part["date"]) - first, minlength=len(counts))
        more[: len(counts)] += counts
        counts = more
    days = np.flatnonzero(counts)
    return days + first, counts[days]

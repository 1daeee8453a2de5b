"""Whether new sales look like those that the model was trained on, the season considered."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from grocery_demand.core.monitoring.bootstrap import (
    N_GROUPS,
    Draws,
    group_series,
    nearest_index,
    set_threshold,
)
from grocery_demand.core.monitoring.check import (
    ALARM,
    DRIFT,
    OK,
    UNKNOWN,
    WATCH,
    Check,
    tell_left_out,
)
from grocery_demand.core.monitoring.sales_counts import WEEKDAY, count_by_week
from grocery_demand.core.monitoring.sales_windows import Windows
from grocery_demand.core.panel import Panel

_LEAST_PSI, _LEAST_SHARE = 0.1, 0.05
_CLOSED = 0.1
"""Share of what a weekday counts in the median of past windows: below, hardly a store was open."""

_NULL_FACTOR = 1.25
_FEWEST_NULLS = 8

SALES_DRIFT_COLUMNS = ("column", "statistic", "value", "threshold", "state")


def measure_sales_drift(
    panel: Panel,
    rows: np.ndarray,
    cutoff: str,
    max_psi: float,
    wrong_days: Sequence[str] = (),
) -> pl.DataFrame:
    """Compare the weeks since a model's cutoff with those before, column by column.

    The threshold of a column comes from history: a bootstrap of what its index was for windows of
    the past year, each against the weeks before it, as long ago as the newest ones are, see
    `bootstrap`.

    Args:
        panel: Sales.
        rows: Positions of the series that are looked at.
        cutoff: Last day of the sales that the model was trained on, ISO.
        max_psi: Index that counts as a change, unless history itself moved more.
        wrong_days: Dates, ISO, whose sales are known to be wrong; their weekdays are left out.

    Returns:
        One row per column: `SALES_DRIFT_COLUMNS`; empty if no whole week has passed, or no weekday
        is left.
    """
    windows = Windows.of(panel, cutoff, wrong_days)
    if windows.length < 1 or not len(windows.kept):
        return pl.DataFrame(schema=dict.fromkeys(SALES_DRIFT_COLUMNS, pl.String))
    counted = count_by_week(panel, rows, windows)
    records = [_compare(name, weekly, windows, max_psi) for name, weekly in counted.items()]
    first_sale = panel.series["first_sale"]
    of_item = first_sale.groupby(panel.series["item_nbr"]).transform("min")
    for name, known in (("new series", first_sale), ("new items", of_item)):
        records.append(_measure_new(name, panel, rows, known.to_numpy()[rows], windows))
    return pl.DataFrame(records, orient="row", schema=list(SALES_DRIFT_COLUMNS))


def check_sales_drift(drift: pl.DataFrame, wrong_days: Sequence[str] = ()) -> list[Check]:
    """Return one check for all columns, naming those that moved, and the days left out."""
    left_out = tell_left_out(wrong_days)
    if drift.is_empty():
        such = "that can be relied on " if wrong_days else ""
        told = f"No whole week of sales {such}has arrived since the model's training.{left_out}"
        return [Check(DRIFT, "columns of the sales", UNKNOWN, told)]
    moved = drift.filter(pl.col("state") == ALARM)
    doubtful = drift.filter(pl.col("state") == WATCH)
    ratio = (pl.col("value") / pl.col("threshold")).fill_nan(-1)
    furthest = drift.sort(ratio, descending=True).row(0, named=True)
    names = ", ".join(moved["column"]) or ", ".join(doubtful["column"])
    states = set(drift["state"])
    state = next((s for s in (ALARM, WATCH, OK) if s in states), UNKNOWN)
    told = (
        f"Moved beyond what past seasons did: {names}."
        if names
        else f"{len(drift)} columns as in the seasons before."
    )
    mend = "See whether the error rises with it; it decides." if state in (ALARM, WATCH) else ""
    value, threshold = furthest["value"], furthest["threshold"]
    told += left_out
    return [Check(DRIFT, "columns of the sales", state, told, mend, value, threshold)]


def _compare(
    name: str, weekly: np.ndarray, windows: Windows, max_psi: float
) -> tuple[str, str, float, float, str]:
    """Return the row of a column, see `measure_sales_drift`."""
    past = windows.past
    if name == WEEKDAY:
        weekly, past = _without_closed_weekdays(weekly, windows)
    found, *references = windows.sum_up(weekly, np.zeros(1, int))
    index = nearest_index([each.sum(axis=0) for each in references], found.sum(axis=0))
    value = float(index[0])
    threshold, enough = _LEAST_PSI, False
    if len(past):
        found, *references = windows.sum_up(weekly, past)
        whole = nearest_index([each.sum(axis=0) for each in references], found.sum(axis=0))
        enough = bool(np.isfinite(whole).sum() >= _FEWEST_NULLS)
        draws = Draws.make(len(weekly), len(past))
        null = nearest_index([draws.sum_up(each) for each in references], draws.sum_up(found))
        threshold = set_threshold(null, _LEAST_PSI, _NULL_FACTOR)
    threshold = threshold if enough else max(threshold, max_psi)
    above = ALARM if enough else WATCH
    state = UNKNOWN if np.isnan(value) else above if value > threshold else OK
    return name, "PSI", value, threshold, state


def _without_closed_weekdays(weekly: np.ndarray, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """Leave out weekdays on which hardly a store was open, and past windows with such a one.

    In a window of a week or two, one holiday on which nearly all are closed is a weekday without
    sales: it says nothing of demand, and as history it would let any other change pass.

    Returns:
        What is counted of the other weekdays; the newest weeks of the other windows.
    """
    newest, *_ = windows.sum_up(weekly, np.zeros(1, int))
    counts, past = newest.sum(axis=(0, 1)), windows.past
    if not len(past):
        return weekly[..., counts > 0] if counts.any() else weekly, past
    found, *_ = windows.sum_up(weekly, past)
    in_past = found.sum(axis=0)
    least = _CLOSED * np.median(in_past, axis=0)
    kept = counts > least
    kept = kept if kept.any() else np.ones_like(kept)
    return weekly[..., kept], past[(in_past > least)[:, kept].all(axis=1)]


def _measure_new(
    name: str, panel: Panel, rows: np.ndarray, first_sale: np.ndarray, windows: Windows
) -> tuple[str, str, float, float, str]:
    """Return the row of what the model never saw: its share of the units sold.

    Args:
        name: What is new.
        panel: Sales.
        rows: Positions of the series that are looked at.
        first_sale: The day since when each of them is known, int [series].
        windows: Which weeks are compared.
    """
    groups = group_series(rows)

    def count(start: int) -> np.ndarray:
        days = windows.days(start, windows.length)
        units = panel.units[rows[:, None], days].sum(axis=1, dtype=float)
        new = first_sale >= windows.known_until(start)
        sums = [np.bincount(groups, each, N_GROUPS) for each in (units * new, units)]
        return np.stack(sums, axis=1)

    def share(counts: np.ndarray) -> np.ndarray:
        return counts[:, 0] / np.maximum(counts[:, 1], 1.0)

    value, threshold = float(share(count(0).sum(axis=0)[None])[0]), _LEAST_SHARE
    if len(windows.past):
        past = np.stack([count(start) for start in map(int, windows.past)], axis=1)
        draws = Draws.make(N_GROUPS, len(windows.past))
        threshold = set_threshold(share(draws.sum_up(past)), _LEAST_SHARE, _NULL_FACTOR)
    state = OK if value <= threshold else ALARM
    return name, "share", value, threshold, state if np.isfinite(value) else UNKNOWN

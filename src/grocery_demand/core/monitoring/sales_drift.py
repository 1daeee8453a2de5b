"""Whether new sales look like those that the model was trained on, the season considered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.monitoring.check import (
    ALARM,
    DRIFT,
    OK,
    UNKNOWN,
    WATCH,
    Check,
    tell_left_out,
)
from grocery_demand.core.monitoring.distance import find_edges, stability_index
from grocery_demand.core.panel import Panel

_WEEK = 7
_LONGEST_WINDOW = 4
_BEFORE = 8
_YEAR = 52
_LEAST_PSI = 0.1
_NULL_FACTOR = 1.25
_FEWEST_NULLS = 8

SALES_DRIFT_COLUMNS = ("column", "statistic", "value", "threshold", "state")


@dataclass(frozen=True)
class Windows:
    """Weeks that are compared, counted back from the panel's last: 0 is the newest.

    Attributes:
        length: Weeks of a window.
        gap: Weeks between a window and what the model was trained on.
        n_weeks: Whole weeks that the panel holds, at most those needed.
        n_days: Days of the panel.
        kept: Days of each week that are looked at, counted from its first, int [day]. A weekday
            is left out of all weeks if any of its days in the newest window is wrong: so the same
            weekdays are compared.
    """

    length: int
    gap: int
    n_weeks: int
    n_days: int
    kept: np.ndarray

    @classmethod
    def of(cls, panel: Panel, cutoff: str, wrong_days: Sequence[str] = ()) -> "Windows":
        """Choose them for a model trained on sales up to `cutoff`: whole weeks after it."""
        since = (panel.n_days - 1 - panel.day_of(cutoff)) // _WEEK
        length = min(since, _LONGEST_WINDOW)
        n_weeks = min(panel.n_days // _WEEK, 2 * _YEAR + since + _BEFORE)
        wrong = np.array([panel.day_of(day) for day in wrong_days], int)
        first = panel.n_days - length * _WEEK
        wrong = (wrong[wrong >= first] - first) % _WEEK
        kept = np.setdiff1d(np.arange(_WEEK), wrong)
        return cls(length, since - length, n_weeks, panel.n_days, kept)

    def days(self, week: int, n_weeks: int = 1) -> np.ndarray:
        """Return the days of the panel that are looked at in some weeks, the newest given."""
        first = self.n_days - (week + np.arange(n_weeks)[:, None] + 1) * _WEEK
        return (first + self.kept).ravel()

    @property
    def past(self) -> range:
        """Starts of windows that lie wholly in what the model was trained on."""
        last = self.n_weeks - self.length - self.gap - _BEFORE
        return range(self.length + self.gap, min(self.length + self.gap + _YEAR, last) + 1)

    def distances(self, weekly: np.ndarray, start: int) -> float:
        """Return the index of a window against the weeks before it and those a year earlier.

        The lower of the two: a change that comes each year at this time, and one that lasts for a
        year already, is none. NaN if the window, or all that it is held against, counts nothing.

        Args:
            weekly: Counts float64 [week, bin], the newest week first.
            start: The window's newest week.
        """
        found = weekly[start : start + self.length].sum(axis=0)
        before = start + self.length + self.gap
        references = [weekly[before : before + _BEFORE].sum(axis=0)]
        year_ago = weekly[start + _YEAR : start + _YEAR + self.length]
        if len(year_ago) == self.length:
            references.append(year_ago.sum(axis=0))
        return float(np.fmin.reduce([stability_index(each, found) for each in references]))


def measure_sales_drift(
    panel: Panel,
    rows: np.ndarray,
    cutoff: str,
    max_psi: float,
    wrong_days: Sequence[str] = (),
) -> pl.DataFrame:
    """Compare the weeks since a model's cutoff with those before, column by column.

    The threshold of a column comes from history: what its index was at most for windows of the
    past year, each against the weeks before it, as long ago as the newest ones are.

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
    counted = _count_by_week(panel, rows, windows)
    records = [_compare(name, weekly, windows, max_psi) for name, weekly in counted.items()]
    records.append(_measure_new_series(panel, rows, windows))
    return pl.DataFrame(records, orient="row", schema=list(SALES_DRIFT_COLUMNS))


def check_sales_drift(drift: pl.DataFrame, wrong_days: Sequence[str] = ()) -> list[Check]:
    """Return one check for all columns, naming those that moved, and the days left out."""
    left_out = tell_left_out(wrong_days)
    if drift.is_empty():
        told = f"No whole week of sales has arrived since the model's training.{left_out}"
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


def _count_by_week(panel: Panel, rows: np.ndarray, windows: Windows) -> dict[str, np.ndarray]:
    """Return counts or units float64 [week, bin] of each column, the newest week first."""
    first = panel.n_days - windows.n_weeks * _WEEK
    units = panel.units[rows, first:]
    promoted = panel.promotions[rows, first : panel.n_days] > 0
    started = panel.series["first_sale"].to_numpy()[rows, None] - first <= np.arange(units.shape[1])
    places = _number_places(panel, rows)
    sold = started & (units > 0)
    edges = find_edges(np.log1p(units[sold]))
    bins = np.where(sold, 1 + np.searchsorted(edges, np.log1p(units)), 0)
    by_week = _by_week(windows, first)
    return {
        "unit_sales": by_week(lambda w: np.bincount(bins[:, w][sold[:, w]], None, len(edges) + 2)),
        "sold at all": by_week(lambda w: _two(sold[:, w], started[:, w])),
        "onpromotion": by_week(lambda w: _two(promoted[:, w] & sold[:, w], sold[:, w])),
        "store_nbr": by_week(lambda w: np.bincount(places["store_nbr"], units[:, w].sum(axis=1))),
        "family": by_week(lambda w: np.bincount(places["family"], units[:, w].sum(axis=1))),
        "weekday": by_week(lambda w: units[:, w].sum(axis=0)),
    }


def _by_week(
    windows: Windows, first: int
) -> Callable[[Callable[[np.ndarray], np.ndarray]], np.ndarray]:
    weeks = [windows.days(week) - first for week in range(windows.n_weeks)]
    return lambda count: np.stack([count(week).astype(float) for week in weeks])


def _two(yes: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.array([yes.sum(), of.sum() - yes.sum()])


def _number_places(panel: Panel, rows: np.ndarray) -> dict[str, np.ndarray]:
    series = panel.series.iloc[rows]
    return {name: pd.factorize(series[name], sort=True)[0] for name in ("store_nbr", "family")}


def _compare(
    name: str, weekly: np.ndarray, windows: Windows, max_psi: float
) -> tuple[str, str, float, float, str]:
    value = windows.distances(weekly, 0)
    past = [windows.distances(weekly, start) for start in windows.past]
    null = [distance for distance in past if np.isfinite(distance)]
    threshold = max(_LEAST_PSI, _NULL_FACTOR * max(null, default=0.0))
    enough = len(null) >= _FEWEST_NULLS
    threshold = threshold if enough else max(threshold, max_psi)
    above = ALARM if enough else WATCH
    state = UNKNOWN if np.isnan(value) else above if value > threshold else OK
    return name, "PSI", value, threshold, state


def _measure_new_series(
    panel: Panel, rows: np.ndarray, windows: Windows
) -> tuple[str, str, float, float, str]:
    """Return the share of units sold by series that the model never saw, against the past's."""
    first_sale = panel.series["first_sale"].to_numpy()[rows]

    def share(start: int) -> float:
        days = windows.days(start, windows.length)
        units = panel.units[rows[:, None], days].sum(axis=1, dtype=float)
        known_until = panel.n_days - (start + windows.length + windows.gap) * _WEEK
        return float(units[first_sale >= known_until].sum() / max(units.sum(), 1.0))

    value, null = share(0), [share(start) for start in windows.past]
    threshold = max(0.05, _NULL_FACTOR * max(null, default=0.0))
    return "new series", "share", value, threshold, ALARM if value > threshold else OK

"""Whether sales of whole stores are missing."""

from collections.abc import Sequence

import numpy as np

from grocery_demand.core.monitoring.check import (
    ALARM,
    ASK_FOR_FILES,
    HEALTH,
    OK,
    WATCH,
    Check,
    count,
)
from grocery_demand.core.panel import Panel

_MONTH, _YEAR = 28, 364
_RECENT = 3
_LEAST_SILENT_SHARE = 0.10
_NULL_FACTOR, _USUAL = 1.25, 0.99
_HARDLY_MISSES = 0.97
_MOST_MISSED_UNITS = 0.05
_SURE_PRODUCTS, _QUIET = 5, 0.01
_MEND_LARGE = (
    "Ask those who send the files, and put corrected ones into the folder of incoming files. If it "
    "was closed, name the days in monitoring.accepted_days in conf/base/parameters.yml; if it "
    "still is, the first of them is enough."
)


def check_stores(panel: Panel, n_days: int) -> Check:
    """Compare the share of stores silent on one of the last days with what history had.

    Days on which as many were silent in another year, such as the first of January, do not count.
    Stores that hardly ever miss a day are to be watched if they miss one.
    """
    name = "stores gone silent"
    shares = _silent_shares(panel)
    recent = range(panel.n_days - n_days, panel.n_days)
    unusual = [shares[day] - _in_other_years(panel, shares, day) for day in recent]
    value = max(0.0, *unusual)
    past = shares[-_YEAR - n_days : -n_days]
    threshold = max(_LEAST_SILENT_SHARE, _NULL_FACTOR * float(np.quantile(past, _USUAL)))
    active = panel.open_days[:, -_MONTH - _RECENT : -_RECENT].any(axis=1)
    gone = active & ~panel.open_days[:, -_RECENT:].any(axis=1)
    missed = _find_missed(panel, recent)
    if value > threshold:
        worst = panel.date_of(recent[int(np.argmax(unusual))])
        told = f"{value:.0%} of the stores sold nothing on {worst}."
        wrong = panel.dates_of(recent.start + np.flatnonzero(np.array(unusual) > threshold))
        return Check(HEALTH, name, ALARM, told, ASK_FOR_FILES, value, threshold, wrong)
    if gone.any() or missed.any():
        numbers = panel.stores["store_nbr"].to_numpy()
        silent = np.maximum(missed.sum(axis=1), np.where(gone, _RECENT, 0))
        each = [f"{numbers[at]} ({count(int(silent[at]), 'day')})" for at in np.flatnonzero(silent)]
        told = f"Nothing sold, as others did, in store {', '.join(each)}."
        mend = "Ask whether it was closed; if not, its sales are missing."
        return Check(HEALTH, name, WATCH, told, mend, value, threshold)
    told = f"Stores that sold in the last {_MONTH} days: {active.sum()}."
    return Check(HEALTH, name, OK, told, "", value, threshold)


def check_large_stores(panel: Panel, n_days: int, accepted: Sequence[str] = ()) -> Check:
    """Find days on which stores are missing that usually sell more than a twentieth of all units.

    Only those count that sold several products on 99 of 100 days of the year before: that they miss
    a day is no chance.

    Args:
        panel: Sales.
        n_days: How many of the last days are looked at.
        accepted: Days that are right as they are, ISO: a store whose silence up to the last day
            began on one of them is no longer missed.
    """
    name = "large stores missing"
    recent = range(panel.n_days - n_days, panel.n_days)
    missed = _find_missed(panel, recent)
    for store in np.flatnonzero(missed[:, -1]):
        began = panel.n_days - int(np.argmax(panel.open_days[store, ::-1]))
        missed[store] &= str(panel.date_of(began)) not in accepted
    shares = _sure_shares(panel, np.flatnonzero(missed.any(axis=1)), recent.start)
    lost = missed.T @ shares
    value, threshold = float(lost.max()), _MOST_MISSED_UNITS
    if value <= threshold:
        told = "None is missing on a day that others sold on."
        return Check(HEALTH, name, OK, told, "", value, threshold)
    wrong = recent.start + np.flatnonzero(lost > threshold)
    numbers = panel.stores["store_nbr"].to_numpy()
    of_wrong = missed[:, lost > threshold] & (shares > 0)[:, None]
    each = [
        f"{numbers[at]} ({count(int(of_wrong[at].sum()), 'day')}, first on "
        f"{panel.date_of(int(wrong[np.argmax(of_wrong[at])]))}; usually {shares[at]:.0%} of all "
        "units)"
        for at in np.flatnonzero(of_wrong.any(axis=1))
    ]
    told = f"Nothing sold, as others did, in store {', '.join(each)}."
    return Check(HEALTH, name, ALARM, told, _MEND_LARGE, value, threshold, panel.dates_of(wrong))


def _find_missed(panel: Panel, recent: range) -> np.ndarray:
    """Return which of some days each store that hardly ever misses one did miss, bool [store, day].

    Days around which it was closed in another year do not count, unless it had not opened yet, nor
    does a store that had sold nothing in the month before.
    """
    start = recent.start
    before = slice(max(start - _YEAR, 0), start)
    sold = panel.open_days[:, before][:, panel.open_days[:, before].any(axis=0)]
    steady = panel.open_days[:, max(start - _MONTH, 0) : start].any(axis=1)
    steady &= sold.mean(axis=1) >= _HARDLY_MISSES
    silent = ~panel.open_days[:, start:] & panel.open_days[:, start:].any(axis=0)
    missed = silent & steady[:, None]
    for store, day in zip(*np.nonzero(missed), strict=True):
        closed = 1.0 - panel.open_days[store]
        closed[: np.argmax(panel.open_days[store])] = np.nan
        missed[store, day] = not _in_other_years(panel, closed, start + int(day))
    return missed


def _sure_shares(panel: Panel, wanted: np.ndarray, day: int) -> np.ndarray:
    """Return the share of all units that some stores sell, if they sell several products each day.

    Args:
        panel: Sales.
        wanted: The stores that are asked for, int [wanted].
        day: Units of the month before it count, and products by day of the year before it, of days
            on which any store was open.

    Returns:
        float64 [store]; 0 for stores that sold fewer than five products on more than one of 100
        days, and for those not asked for.
    """
    total = panel.units[:, max(day - _MONTH, 0) : day].sum(dtype=float)
    shares = np.zeros(len(panel.stores))
    year = slice(max(day - _YEAR, 0), day)
    is_open = panel.open_days[:, year].any(axis=0)
    for store in wanted:
        units = panel.units[panel.store_position == store, year]
        products = np.count_nonzero(units, axis=0)
        if np.quantile(products[is_open], _QUIET) >= _SURE_PRODUCTS:
            shares[store] = units[:, -_MONTH:].sum(dtype=float) / max(total, 1.0)
    return shares


def _in_other_years(panel: Panel, values: np.ndarray, day: int) -> float:
    """Return the largest value around the same date of earlier years; 0 without any.

    Args:
        panel: Whose days are meant.
        values: One value per day of the panel; NaN where unknown.
        day: The day.
    """
    date = panel.date_of(day).astype(object)
    found = [0.0]
    for year in range(panel.start_date.astype(object).year, date.year):
        last = 28 if (date.month, date.day) == (2, 29) else date.day
        same = panel.day_of(str(date.replace(year=year, day=last)))
        around = values[max(same - 1, 0) : max(same + 2, 0)]
        found += list(around[np.isfinite(around)])
    return max(found)


def _silent_shares(panel: Panel) -> np.ndarray:
    """Return the share of active stores without a sale by day; 0 where all are closed.

    A store is active if it sold something in the 28 days before.
    """
    sums = np.cumsum(panel.open_days, axis=1, dtype=float)
    before = np.zeros_like(sums)
    before[:, 1:] = sums[:, :-1]
    before[:, _MONTH + 1 :] -= sums[:, : -_MONTH - 1]
    active = before > 0
    silent = (active & ~panel.open_days).sum(axis=0) / np.maximum(active.sum(axis=0), 1)
    return np.where(panel.open_days.any(axis=0), silent, 0.0)

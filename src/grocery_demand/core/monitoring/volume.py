"""Whether days of sales are as large as usual: of all stores, of each store, of each family."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from grocery_demand.core.monitoring.check import ALARM, ASK_FOR_FILES, HEALTH, OK, UNKNOWN, Check
from grocery_demand.core.panel import Panel

_WEEK, _YEAR = 7, 364
_WEEKS_BEFORE, _FEWEST_WEEKS = 8, 4
_USUAL, _DATE_FACTOR = 0.99, 1.25
_MOST_UNITS_FACTOR = 8
_MOST_NAMES = 5
MEASURES = ("rows", "units", "log units")
_SHOWN = ("rows", f"units (of a series {_MOST_UNITS_FACTOR} times the usual at most)", "log units")
_ALL, _STORES, _FAMILIES = "volume of all sales", "volume by store", "volume by family"
_LEAST_FACTORS = {
    _ALL: (1.45, 1.75, 1.45),
    _STORES: (1.75, 2.5, 1.75),
    _FAMILIES: (8.0, np.inf, np.inf),
}
"""By measure: what demand itself may do over night is less than that, and is no fault of a feed."""
_NULL_FACTORS = {_ALL: 1.25, _STORES: 2.0, _FAMILIES: 2.0}
"""Of what groups did in the year before, as ln: chance moves many small ones further than all."""


@dataclass(frozen=True)
class Volumes:
    """What groups of series sold, as ln(sold / expected).

    Three measures, in the order of `MEASURES`: series with sales; units, of which a single large
    sale counts no more than eight times what is usual for the series; sums of ln(1+units), which a
    few large sales do not move. Only series that are not on promotion, have begun, and whose store
    is open are looked at: each is expected to do what it did on the mean of the same weekday in
    the eight weeks before.

    Attributes:
        first: Day of the first column.
        names: What the groups are called.
        ratios: float64 [measure, group, day]; NaN where nothing was expected.
    """

    first: int
    names: list[str]
    ratios: np.ndarray


def measure_volumes(panel: Panel, n_recent: int) -> dict[str, Volumes]:
    """Return the volumes of the last two years and the days that are looked at, by check."""
    wanted = 2 * _YEAR + n_recent
    n_weeks = min(-(-wanted // _WEEK) + _WEEKS_BEFORE, panel.n_days // _WEEK)
    first = panel.n_days - n_weeks * _WEEK
    families = pd.factorize(panel.series["family"], sort=True)
    sums = _sum_up(panel, first, *families)
    stores = [f"store {number}" for number in panel.stores["store_nbr"]]
    grouped = {
        _ALL: (["all stores"], sums.sum(axis=(2, 3))[:, :, None]),
        _STORES: (stores, sums.sum(axis=3)),
        _FAMILIES: ([str(name) for name in families[1]], sums.sum(axis=2)),
    }
    first += _WEEKS_BEFORE * _WEEK
    return {
        check: Volumes(first, names, _compare(each)) for check, (names, each) in grouped.items()
    }


def _sum_up(panel: Panel, first: int, codes: np.ndarray, families: pd.Index) -> np.ndarray:
    """Return what was sold and expected, float64 [2, measure, store, family, day].

    The days are those after the first eight weeks.
    """
    starts = np.searchsorted(panel.store_position, np.arange(len(panel.stores) + 1))
    days = np.arange(first, panel.n_days)
    n_days = max(len(days) - _WEEKS_BEFORE * _WEEK, 0)
    sums = np.zeros((2, len(MEASURES), len(panel.stores), len(families), n_days))
    for store, (start, end) in enumerate(pairwise(starts) if n_days else ()):
        if start == end:
            continue
        units = panel.units[start:end, first:]
        usual = np.log1p(panel.units[start:end, -_YEAR:]).mean(axis=1)
        most = _MOST_UNITS_FACTOR * np.exp(usual)
        begun = panel.series["first_sale"].to_numpy()[start:end, None] <= days
        plain = panel.promotions[start:end, first : panel.n_days] == 0
        looked_at = begun & plain & panel.open_days[store, first:]
        n_before = _sum_weeks_before(looked_at, np.int16)
        order = np.argsort(codes[start:end], kind="stable")
        found, at = np.unique(codes[start:end][order], return_index=True)
        measured = (units > 0, np.minimum(units, most[:, None]), np.log1p(units))
        for place, each in enumerate(measured):
            for side, values in enumerate(_expect(each, looked_at, n_before)):
                sums[side, place, store, found] = np.add.reduceat(values[order], at, dtype=float)
    return sums


def _expect(
    values: np.ndarray, looked_at: np.ndarray, n_before: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what series sold and were expected to, float32 [series, day after eight weeks].

    Zero on days that are not looked at, and where fewer than four of the weekdays before were.

    Args:
        values: What was sold [series, day].
        looked_at: Which days count [series, day].
        n_before: How many of the weekdays before counted, [series, day after eight weeks].
    """
    before = _sum_weeks_before(values * looked_at, float)
    known = looked_at[:, -before.shape[1] :] & (n_before >= _FEWEST_WEEKS)
    before /= np.maximum(n_before, 1)
    sold = values[:, -before.shape[1] :] * known
    return sold.astype(np.float32), np.where(known, before, 0).astype(np.float32)


def _sum_weeks_before(values: np.ndarray, dtype: type) -> np.ndarray:
    """Return the sums of the same weekday of the eight weeks before each day but the first ones."""
    weeks = values.reshape(len(values), -1, _WEEK)
    sums: np.ndarray = np.cumsum(weeks, axis=1, dtype=dtype)
    before = sums[:, _WEEKS_BEFORE - 1 : -1].copy()
    before[:, 1:] -= sums[:, : -_WEEKS_BEFORE - 1]
    return before.reshape(len(values), -1)


def _compare(sums: np.ndarray) -> np.ndarray:
    """Return ln((sold + 1) / (expected + 1)); NaN where nothing was expected."""
    sold, expected = sums
    return np.where(expected > 0, np.log((sold + 1) / (expected + 1)), np.nan)


def check_volumes(panel: Panel, n_recent: int) -> list[Check]:
    """Hold the last days against what the past year, and the same date of other years, did.

    Args:
        panel: Sales.
        n_recent: How many of the last days are looked at.
    """
    volumes = measure_volumes(panel, n_recent)
    return [_check(panel, name, each, n_recent) for name, each in volumes.items()]


def _check(panel: Panel, name: str, volumes: Volumes, n_recent: int) -> Check:
    sizes = np.abs(volumes.ratios)
    n_known = sizes.shape[-1]
    days = range(max(n_known - n_recent, 0), n_known)
    if not np.isfinite(sizes[..., days]).any():
        return Check(HEALTH, name, UNKNOWN, "Too few weeks of sales to compare with.")
    limits = _set_limits(panel, name, volumes, days)
    found = np.where(np.isfinite(sizes[..., days]), sizes[..., days], 0.0)
    worst = np.unravel_index(np.argmax(found / limits), found.shape)
    value, limit = float(np.exp(found[worst])), float(np.exp(limits[worst]))
    outside = found > limits
    if not outside.any():
        told = f"At most {value:.2f} times more or fewer {MEASURES[worst[0]]} than expected"
        told += f" ({volumes.names[worst[1]]}); up to {limit:.2f} times is usual."
        return Check(HEALTH, name, OK, told, "", value, limit)
    told = _describe(panel, volumes, days, np.where(outside, found / limits, 0.0))
    wrong = volumes.first + days.start + np.flatnonzero(outside.any(axis=(0, 1)))
    return Check(HEALTH, name, ALARM, told, ASK_FOR_FILES, value, limit, panel.dates_of(wrong))


def _set_limits(panel: Panel, name: str, volumes: Volumes, days: range) -> np.ndarray:
    """Return what is usual, as ln, float64 [measure, group, day that is looked at].

    The largest of: what demand may do; what each group exceeded on one of a hundred days of
    the year before, by a factor; and a quarter more than it did around the same date of earlier
    years.
    """
    sizes = np.abs(volumes.ratios)
    past = np.nan_to_num(sizes[..., max(days.start - _YEAR, 0) : days.start])
    usual = np.quantile(past, _USUAL, axis=-1) if past.shape[-1] else np.zeros(sizes.shape[:-1])
    least = np.log(_LEAST_FACTORS[name])[:, None]
    factor = _NULL_FACTORS[name]
    limits = [
        np.maximum(factor * usual, _DATE_FACTOR * _in_other_years(panel, volumes, day))
        for day in days
    ]
    return np.maximum(least[..., None], np.stack(limits, axis=-1))


def _in_other_years(panel: Panel, volumes: Volumes, column: int) -> np.ndarray:
    """Return the largest size around the same date of earlier years; 0 without any."""
    date = panel.date_of(volumes.first + column).astype(object)
    known = panel.date_of(volumes.first).astype(object).year
    last = 28 if (date.month, date.day) == (2, 29) else date.day
    found = np.zeros(volumes.ratios.shape[:-1])
    for year in range(known, date.year):
        same = panel.day_of(str(date.replace(year=year, day=last))) - volumes.first
        around = np.abs(volumes.ratios[..., max(same - 1, 0) : max(same + 2, 0)])
        found = np.maximum(found, np.nan_to_num(around).max(axis=-1, initial=0.0))
    return found


def _describe(panel: Panel, volumes: Volumes, days: range, excess: np.ndarray) -> str:
    """Name the groups that are out of the usual, each with its worst day, the worst first."""
    by_group = excess.max(axis=(0, 2))
    order = np.argsort(-by_group, kind="stable")[: int((by_group > 0).sum())]
    told = []
    for group in order[:_MOST_NAMES]:
        measure, at = np.unravel_index(np.argmax(excess[:, group]), excess[:, group].shape)
        ratio = float(volumes.ratios[measure, group, days[at]])
        more = "more" if ratio > 0 else "fewer"
        told.append(
            f"{volumes.names[group]} {np.exp(abs(ratio)):.2f} times {more} {_SHOWN[measure]} on "
            f"{panel.date_of(volumes.first + days[at])}"
        )
    further = f", and {len(order) - _MOST_NAMES} more" if len(order) > _MOST_NAMES else ""
    return f"Out of the usual: {', '.join(told)}{further}."

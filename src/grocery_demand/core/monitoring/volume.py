"""Whether days of sales are as large as usual: of all stores, of each store, of each family."""

from collections.abc import Iterator
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
_SERIES_PER_CHUNK = 128
"""Series measured at once: few enough that their days stay in the processor's cache."""
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
    n_days = max(panel.n_days - first - _WEEKS_BEFORE * _WEEK, 0)
    sums = np.zeros((2, len(MEASURES), len(panel.stores), len(families), n_days))
    by_family = np.lexsort((codes, panel.store_position))
    starts = np.searchsorted(panel.store_position, np.arange(len(panel.stores) + 1))
    for store, (start, end) in enumerate(pairwise(starts) if n_days else ()):
        for at in range(start, end, _SERIES_PER_CHUNK):
            rows = by_family[at : min(at + _SERIES_PER_CHUNK, end)]
            found, begins = np.unique(codes[rows], return_index=True)
            for place, both in enumerate(_measure(panel, store, rows, first)):
                for side, values in enumerate(both):
                    added = np.add.reduceat(values, begins, dtype=float)
                    sums[side, place, store, found] += added
    return sums


def _measure(
    panel: Panel, store: int, rows: np.ndarray, first: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield by measure what series of a store sold and were expected to.

    Both are float32 [series, day after eight weeks], zero on days that are not looked at and where
    fewer than four of the weekdays before were.
    """
    units = panel.units[rows, first:]
    usual = np.log1p(panel.units[rows, -_YEAR:]).mean(axis=1, keepdims=True)
    most = _MOST_UNITS_FACTOR * np.exp(usual)
    begun = panel.first_sale[rows, None] <= np.arange(first, panel.n_days)
    plain = panel.promotions[rows, first : panel.n_days] == 0
    looked_at = begun & plain & panel.open_days[store, first:]
    n_before = _sum_weeks_before(looked_at.view(np.int8))
    known = looked_at[:, _WEEKS_BEFORE * _WEEK :] & (n_before >= _FEWEST_WEEKS)
    share = known / np.maximum(n_before, 1).astype(np.float32)
    for values in ((units > 0).astype(np.float32), np.minimum(units, most), np.log1p(units)):
        before = _sum_weeks_before(values * looked_at)
        yield values[:, _WEEKS_BEFORE * _WEEK :] * known, before * share


def _sum_weeks_before(values: np.ndarray) -> np.ndarray:
    """Return the sums of the same weekday of the eight weeks before each day but the first ones."""
    for n_weeks in (1, 2, 4):
        days = n_weeks * _WEEK
        values = values[:, days:] + values[:, :-days]
    return values[:, :-_WEEK]


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
        more = "more" if volumes.ratios[worst[0], worst[1], days[worst[2]]] > 0 else "fewer"
        told = f"At most {value:.2f} times {more} {MEASURES[worst[0]]} than expected"
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

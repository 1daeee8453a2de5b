"""How far each day of the month lies above the weeks around it: paydays, and what ends them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from grocery_demand.core.features.group_days import GroupDays
from grocery_demand.core.features.groups import FAMILY_STORE
from grocery_demand.core.features.history import divide
from grocery_demand.core.panel import Panel

MONTH_DAY = f"{FAMILY_STORE}_month_day"
"""Name of the feature."""

MONTH_DAYS = 31
"""Days of the longest month."""

_YEAR = 366
"""Days that count: a year, in which each day of the month occurs twelve times, 31 seven times."""

_WEEKS = (-4, -3, -2, -1, 1, 2, 3, 4)
"""Weeks from a day to those of its weekday that it is held against."""

_REACH = 7 * max(_WEEKS)
_N_DAYS = _REACH + _YEAR + _REACH

_FEWEST = 6
"""Months that a day of the month has to be known from."""

_MOST = 1.0
"""ln units that a day may lie above or below: beyond it something else happened."""


@dataclass(frozen=True)
class MonthDays:
    """By how much the families of each store sold more on a day than in the weeks around it.

    Families and not series: one series alone hardly tells a payday from chance.

    Attributes:
        days: The days, ascending, as days of the panel; those before its first are negative.
        above: Mean ln(1+units) of all observed series less its mean on the same weekdays of the
            four weeks before and after, float64 [day, group]; NaN where nothing was observed.
        day_of_month: 1 to 31, int [day].
    """

    days: np.ndarray
    above: np.ndarray
    day_of_month: np.ndarray

    @classmethod
    def of(cls, panel: Panel, cutoffs: Iterable[int]) -> "MonthDays":
        """Hold the days that some cutoffs look back at against the weeks around them.

        Args:
            panel: The panel; of `units` only days up to the last cutoff are read.
            cutoffs: Days of the panel.
        """
        by_day = GroupDays.of(panel, cutoffs, [FAMILY_STORE], _N_DAYS)
        sums, counts = by_day.sums[FAMILY_STORE].T, by_day.counts[FAMILY_STORE].T
        means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
        dates = panel.start_date + by_day.days
        day_of_month = (dates - dates.astype("datetime64[M]")).astype(int) + 1
        return cls(by_day.days, _hold_against_weeks(means, by_day.days), day_of_month)

    def at(self, cutoff: int) -> np.ndarray:
        """Return what each day of the month brought in the year up to four weeks before a cutoff.

        The last four weeks do not count: the weeks after them are not known yet.

        Args:
            cutoff: One of those that this was made for.

        Returns:
            The mean over the months in ln units, float32 [group, day of the month - 1]; NaN where
            fewer than six months tell.
        """
        at = np.searchsorted(self.days, [cutoff - _N_DAYS + 1, cutoff])
        if at[1] - at[0] + 1 != _N_DAYS:
            raise ValueError(f"The days before cutoff {cutoff} were not asked for.")
        end = int(at[1]) + 1 - _REACH
        year = slice(end - _YEAR, end)
        order = np.argsort(self.day_of_month[year], kind="stable")
        starts = np.searchsorted(self.day_of_month[year][order], np.arange(1, MONTH_DAYS + 1))
        above = self.above[year][order]
        known = ~np.isnan(above)
        total = np.add.reduceat(np.where(known, above, 0), starts)
        n_months = np.add.reduceat(known.astype(int), starts)
        return np.where(n_months < _FEWEST, np.float32(np.nan), divide(total, n_months)).T


def _hold_against_weeks(means: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return means [day, group] less those of the same weekday in the weeks around.

    The ascending days may have gaps, whose days count as unknown.
    """
    place = days - days[0] + _REACH
    wide = np.full((place[-1] + 1 + _REACH, means.shape[1]), np.nan)
    wide[place] = means
    total, n_known = np.zeros((2, *means.shape))
    for week in _WEEKS:
        other = wide[place + 7 * week]
        total += np.nan_to_num(other)
        n_known += ~np.isnan(other)
    usual = np.divide(total, n_known, out=np.full_like(total, np.nan), where=n_known > 0)
    return np.clip(means - usual, -_MOST, _MOST)

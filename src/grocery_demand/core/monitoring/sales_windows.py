"""Which weeks of sales are compared with which, the season considered."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grocery_demand.core.panel import Panel

WEEK = 7
_LONGEST_WINDOW = 4
_BEFORE = 8
_YEAR = 52


@dataclass(frozen=True)
class Windows:
    """Weeks that are compared, counted back from the panel's last: 0 is the newest.

    A window is held against the weeks before what its model would have been trained on, and
    against the same weeks a year earlier.

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
        since = (panel.n_days - 1 - panel.day_of(cutoff)) // WEEK
        length = min(since, _LONGEST_WINDOW)
        n_weeks = min(panel.n_days // WEEK, 2 * _YEAR + since + _BEFORE)
        wrong = np.array([panel.day_of(day) for day in wrong_days], int)
        first = panel.n_days - length * WEEK
        wrong = (wrong[wrong >= first] - first) % WEEK
        kept = np.setdiff1d(np.arange(WEEK), wrong)
        return cls(length, since - length, n_weeks, panel.n_days, kept)

    @property
    def past(self) -> np.ndarray:
        """The newest weeks of windows that lie wholly in what the model was trained on."""
        last = self.n_weeks - self.length - self.gap - _BEFORE
        first = self.length + self.gap
        return np.arange(first, max(min(first + _YEAR, last) + 1, first))

    def days(self, week: int, n_weeks: int = 1) -> np.ndarray:
        """Return the days of the panel that are looked at in some weeks, the newest given."""
        first = self.n_days - (week + np.arange(n_weeks)[:, None] + 1) * WEEK
        return (first + self.kept).ravel()

    def known_until(self, start: int) -> int:
        """Return the first day that a model trained before a window had not seen."""
        return self.n_days - (start + self.length + self.gap) * WEEK

    def sum_up(
        self, weekly: np.ndarray, starts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what windows count, the weeks before them, and the same weeks a year earlier.

        Args:
            weekly: float64 [group, week, bin], the newest week first.
            starts: The windows' newest weeks.

        Returns:
            Three times float64 [group, window, bin]; zero where the panel does not reach so far.
        """

        def add(first: int, n_weeks: int, whole: bool) -> np.ndarray:
            weeks = weekly[:, first : first + n_weeks]
            return weeks.sum(axis=1) * (weeks.shape[1] == n_weeks or not whole)

        windows = [
            (
                add(start, self.length, whole=True),
                add(start + self.length + self.gap, _BEFORE, whole=False),
                add(start + _YEAR, self.length, whole=True),
            )
            for start in map(int, starts)
        ]
        found, before, year_ago = (np.stack(parts, axis=1) for parts in zip(*windows, strict=True))
        return found, before, year_ago

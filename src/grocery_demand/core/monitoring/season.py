"""How hard days are to forecast, by the sales themselves: Christmas is, each year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from grocery_demand.core.panel import Panel

_LAGS = (7, 14, 21, 28)
_LONGEST = 3 * 366


@dataclass(frozen=True)
class Season:
    """The error of a plain forecast by day: the mean of the same weekday of four weeks before.

    Attributes:
        start_date: Day 0.
        weight: Sum of the metric's weights of the series that had begun, float64 [day].
        squares: Sum of weighted squared errors of ln(1+units), float64 [day].
    """

    start_date: np.datetime64
    weight: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, panel: Panel, rows: np.ndarray) -> "Season":
        """Measure it on some series, in the last three years of the panel."""
        first = max(panel.n_days - _LONGEST, 0)
        log_units = np.log1p(panel.units[rows, first:])
        n_days, longest = log_units.shape[1], max(_LAGS)
        weight, squares = np.zeros(n_days), np.zeros(n_days)
        if n_days > longest:
            lagged = [log_units[:, longest - lag : n_days - lag] for lag in _LAGS]
            error = log_units[:, longest:] - sum(lagged) / np.float32(len(_LAGS))
            begun = panel.series["first_sale"].to_numpy()[rows, None]
            counted = np.arange(first, panel.n_days)[None, longest:] >= begun + longest
            counted &= panel.open_days[panel.store_position[rows], first + longest :]
            of_series = panel.weights[rows].astype(np.float64)
            weight[longest:] = of_series @ counted
            squares[longest:] = of_series @ (error**2 * counted)
        return cls(panel.date_of(first), weight, squares)

    def factor(self, dates: Sequence[date], usual: Sequence[date]) -> float:
        """Return how much harder the same dates were in earlier years than usual days, at least 1.

        Each year's dates are held against its own usual days, as sales grow and series come and go;
        the middle one of the years counts, as what happened once is no season.

        Args:
            dates: Of a window of days.
            usual: Days with which it is compared.
        """
        n_years = dates[-1].year - self.start_date.astype(object).year
        ratios = [self._compare(dates, usual, ago) for ago in range(1, n_years + 1)]
        known = [ratio for ratio in ratios if np.isfinite(ratio)]
        return max(1.0, float(np.median(known))) if known else 1.0

    def _compare(self, dates: Sequence[date], usual: Sequence[date], years: int) -> float:
        """Return dates against usual days, both some years ago; NaN where half is not known."""
        errors = []
        for wanted in (dates, usual):
            found = self._days([_years_ago(day, years) for day in wanted])
            if len(found) * 2 <= len(wanted):
                return float("nan")
            errors.append(self._error(found))
        return errors[0] / errors[1] if errors[1] > 0 else float("nan")

    def _days(self, dates: Sequence[date]) -> np.ndarray:
        """Return the days of these dates on which anything was measured."""
        found = (np.array(dates, "datetime64[D]") - self.start_date).astype(int)
        found = found[(found >= 0) & (found < len(self.weight))]
        return found[self.weight[found] > 0]

    def _error(self, days: np.ndarray) -> float:
        return float(np.sqrt(self.squares[days].sum() / self.weight[days].sum()))


def _years_ago(day: date, years: int) -> date:
    """Return the same date some years before; the 28th for a 29 February."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - years, day=28 if is_leap_day else day.day)

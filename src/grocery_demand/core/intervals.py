"""Quantiles of a forecast and its interval, from errors that the same model made out of sample."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.features import MOVING_AVERAGE
from grocery_demand.core.metrics import coverage, log1p_units
from grocery_demand.core.spread import SPREAD_FEATURES, Spread, choose_rows

LEVELS = (0.1, 0.5, 0.9)
"""Quantile levels forecast."""

QUANTILES = tuple(f"quantile_{level}" for level in LEVELS)
"""Column names of the quantiles."""

INTERVAL = ("interval_low", "interval_high")
"""Column names of the interval's bounds, both of which belong to it."""

INTERVAL_LEVEL = 0.8
"""Share of all days whose units are to lie within their interval."""

_TAILS = tuple(np.linspace(0.15, 0.25, 21).round(3).tolist())
"""Shares of days that an interval may leave out: no wider than for 85 %, no narrower than for 75 %,
however much the others cover."""

_NOTHING = np.log1p(0.1)
"""ln(1+units) below which a quantile is no units at all: less than a tenth of one is not sold."""

_MAX_BINS = 24
_MIN_ROWS_PER_BIN = 150


@dataclass(frozen=True)
class Intervals:
    """Error quantiles by the size of the forecast, scaled by the spread to be expected.

    The error of a backtest is ln(1+actual) − ln(1+forecast). Divided by its expected size, its
    quantiles are taken in bins of equally many rows by forecast and interpolated between the bins'
    centres, as in split conformal prediction with normalised errors (Papadopoulos et al. 2002;
    Lei et al. 2018, section 5.2).

    An interval leaves out the same share below and above. Where its lower bound is zero, nothing
    can lie below, and the whole share is left out above; it reaches up to the forecast at least,
    which is a share of a unit where most days are without a sale. Where hardly anything is sold,
    it covers more than it says even so: if 97 days of 100 have no sale, no interval covers fewer.
    The share that is left out is therefore chosen so that all rows together are covered as often
    as `INTERVAL_LEVEL` says, within limits.

    Attributes:
        centres: Median forecast of each bin, as ln(1+units), ascending [bin].
        errors: Quantiles of the normalised errors at `levels` [bin, level].
        spread: The expected size of the error; None where the errors are not known.
        tail: Share of days that an interval leaves out.
    """

    centres: np.ndarray
    errors: np.ndarray
    spread: Spread | None
    tail: float

    @property
    def levels(self) -> tuple[float, ...]:
        """`LEVELS`, then of lower bounds, upper bounds of intervals from zero, and of others."""
        return _levels_of(self.tail)

    @classmethod
    def fit(
        cls,
        actual: np.ndarray,
        forecast: np.ndarray,
        known: np.ndarray,
        tails: Sequence[float] = _TAILS,
    ) -> "Intervals":
        """Learn from out-of-sample errors.

        Args:
            actual: ln(1+units), [row].
            forecast: The forecast of it, [row].
            known: `SPREAD_FEATURES` of each row, float32 [row, feature].
            tails: Shares that intervals may leave out, ascending; the first is taken with which
                not more than `INTERVAL_LEVEL` of the rows are covered, or the last.
        """
        error = actual - forecast
        spread = Spread.fit(error, forecast, known)
        scale = spread.predict(forecast, known)
        error = error / scale
        order = np.argsort(forecast, kind="stable")
        bins = np.split(order, _find_bounds(forecast[order]))
        centres = np.array([np.median(forecast[rows]) for rows in bins])
        ordered = [np.sort(error[rows]) for rows in bins]
        few = choose_rows(len(actual))
        for tail in tails:
            errors = np.array([np.quantile(part, _levels_of(tail)) for part in ordered])
            fitted = cls(centres, errors, spread, tail)
            *_, low, high = fitted._predict_scaled(forecast[few], scale[few]).T
            if coverage(actual[few].astype(np.float32), low, high) <= INTERVAL_LEVEL:
                break
        return fitted

    @classmethod
    def of_table(cls, forecasts: pd.DataFrame) -> "Intervals":
        """Learn from forecasts beside units sold; see `core.backtest.compare_with_sales`."""
        actual = log1p_units(forecasts["unit_sales"].to_numpy())
        return cls.fit(actual, *_read_table(forecasts))

    @classmethod
    def unknown(cls) -> "Intervals":
        """Return intervals of no width, for a forecaster whose errors are not known yet."""
        tail = _TAILS[-1]
        return cls(np.zeros(1), np.zeros((1, len(_levels_of(tail)))), None, tail)

    def predict(self, forecast: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return quantiles and interval of ln(1+units), float32 [row, `QUANTILES` + `INTERVAL`].

        The quantiles ascend; the interval holds the middle one, and the forecast if it begins at 0.

        Args:
            forecast: ln(1+units), [row].
            known: `SPREAD_FEATURES` of each row, float32 [row, feature].
        """
        scale = np.ones(len(forecast))
        if self.spread is not None:
            scale = self.spread.predict(forecast, known)
        return self._predict_scaled(forecast, scale)

    def _predict_scaled(self, forecast: np.ndarray, scale: np.ndarray) -> np.ndarray:
        shifts = [np.interp(forecast, self.centres, column) for column in self.errors.T]
        found = forecast[:, None] + scale[:, None] * np.stack(shifts, axis=1)
        found = np.where(found < _NOTHING, 0, found).astype(np.float32)
        *quantiles, low, high_from_zero, high = found.T
        high_from_zero = np.maximum(high_from_zero, forecast, dtype=np.float32)
        return np.column_stack([*quantiles, low, np.where(low > 0, high, high_from_zero)])

    def predict_table(self, forecasts: pd.DataFrame) -> pd.DataFrame:
        """Return `QUANTILES` and `INTERVAL` in units for a table of forecasts, by its index."""
        units = np.expm1(self.predict(*_read_table(forecasts)))
        return pd.DataFrame(units, columns=[*QUANTILES, *INTERVAL], index=forecasts.index)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able contents."""
        return {
            "centres": self.centres.tolist(),
            "errors": self.errors.tolist(),
            "spread": self.spread.to_dict() if self.spread is not None else None,
            "tail": self.tail,
        }

    @classmethod
    def from_dict(cls, contents: dict[str, Any]) -> "Intervals":
        """Restore from `to_dict`."""
        spread = contents["spread"]
        return cls(
            centres=np.array(contents["centres"]),
            errors=np.array(contents["errors"]),
            spread=Spread(**spread) if spread is not None else None,
            tail=contents["tail"],
        )


def _levels_of(tail: float) -> tuple[float, ...]:
    return (*LEVELS, tail / 2, 1 - tail, 1 - tail / 2)


def _read_table(forecasts: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return forecast and `SPREAD_FEATURES`; the table has the moving average in units."""
    known = forecasts[list(SPREAD_FEATURES)].to_numpy(np.float32)
    average = SPREAD_FEATURES.index(MOVING_AVERAGE)
    known[:, average] = np.log1p(known[:, average])
    return log1p_units(forecasts["point"].to_numpy()), known


def _find_bounds(ascending: np.ndarray) -> np.ndarray:
    """Return where bins of equally many rows begin, but the first; equal forecasts share a bin."""
    n_bins = int(np.clip(len(ascending) // _MIN_ROWS_PER_BIN, 1, _MAX_BINS))
    evenly = np.array([part[0] for part in np.array_split(np.arange(len(ascending)), n_bins)])
    starts = np.unique(np.searchsorted(ascending, ascending[evenly], side="left"))
    return starts[starts > 0]

"""Quantiles of a forecast, from the errors that the same model made out of sample."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.metrics import log1p_units
from grocery_demand.core.spread import SPREAD_FEATURES, Spread

LEVELS = (0.1, 0.5, 0.9)
"""Quantile levels forecast: the middle and the bounds of the 80 % interval."""

QUANTILES = tuple(f"quantile_{level}" for level in LEVELS)
"""Column names of the quantiles."""

_MAX_BINS = 24
_MIN_ROWS_PER_BIN = 150


@dataclass(frozen=True)
class Intervals:
    """Error quantiles by the size of the forecast, scaled by the spread to be expected.

    The error of a backtest is ln(1+actual) − ln(1+forecast). Divided by its expected size, its
    quantiles are taken in bins of equally many rows by forecast and interpolated between the bins'
    centres, as in split conformal prediction with normalised errors (Papadopoulos et al. 2002;
    Lei et al. 2018, section 5.2).

    Attributes:
        centres: Median forecast of each bin, as ln(1+units), ascending [bin].
        errors: Quantiles of the normalised errors, ascending along the last axis [bin, level].
        spread: The expected size of the error; None where the errors are not known.
    """

    centres: np.ndarray
    errors: np.ndarray
    spread: Spread | None

    @classmethod
    def fit(cls, actual: np.ndarray, forecast: np.ndarray, known: np.ndarray) -> "Intervals":
        """Learn from out-of-sample errors.

        Args:
            actual: ln(1+units), [row].
            forecast: The forecast of it, [row].
            known: `SPREAD_FEATURES` of each row, float32 [row, feature].
        """
        error = actual - forecast
        spread = Spread.fit(error, forecast, known)
        error = error / spread.predict(forecast, known)
        order = np.argsort(forecast, kind="stable")
        bins = np.split(order, _find_bounds(forecast[order]))
        centres = np.array([np.median(forecast[rows]) for rows in bins])
        errors = np.array([np.quantile(error[rows], LEVELS) for rows in bins])
        return cls(centres, errors, spread)

    @classmethod
    def of_table(cls, forecasts: pd.DataFrame) -> "Intervals":
        """Learn from forecasts beside units sold; see `core.backtest.compare_with_sales`."""
        actual = log1p_units(forecasts["unit_sales"].to_numpy())
        return cls.fit(actual, *_read_table(forecasts))

    @classmethod
    def unknown(cls) -> "Intervals":
        """Return intervals of no width, for a forecaster whose errors are not known yet."""
        return cls(np.zeros(1), np.zeros((1, len(LEVELS))), None)

    def quantiles(self, forecast: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return the quantiles of ln(1+units), ascending along the last axis [row, level].

        Args:
            forecast: ln(1+units), [row].
            known: `SPREAD_FEATURES` of each row, float32 [row, feature].
        """
        scale = np.ones(len(forecast))
        if self.spread is not None:
            scale = self.spread.predict(forecast, known)
        shifts = [np.interp(forecast, self.centres, column) for column in self.errors.T]
        quantiles = forecast[:, None] + scale[:, None] * np.stack(shifts, axis=1)
        return np.maximum(quantiles, 0).astype(np.float32)

    def quantiles_of_table(self, forecasts: pd.DataFrame) -> np.ndarray:
        """Return the quantiles in units for a table of forecasts [row, level]."""
        return np.expm1(self.quantiles(*_read_table(forecasts)))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able contents."""
        return {
            "centres": self.centres.tolist(),
            "errors": self.errors.tolist(),
            "spread": self.spread.to_dict() if self.spread is not None else None,
        }

    @classmethod
    def from_dict(cls, contents: dict[str, Any]) -> "Intervals":
        """Restore from `to_dict`."""
        spread = contents["spread"]
        return cls(
            centres=np.array(contents["centres"]),
            errors=np.array(contents["errors"]),
            spread=Spread(**spread) if spread is not None else None,
        )


def _read_table(forecasts: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    known = forecasts[list(SPREAD_FEATURES)].to_numpy(np.float32)
    return log1p_units(forecasts["point"].to_numpy()), known


def _find_bounds(ascending: np.ndarray) -> np.ndarray:
    """Return where bins of equally many rows begin, but the first; equal forecasts share a bin."""
    n_bins = int(np.clip(len(ascending) // _MIN_ROWS_PER_BIN, 1, _MAX_BINS))
    evenly = np.array([part[0] for part in np.array_split(np.arange(len(ascending)), n_bins)])
    starts = np.unique(np.searchsorted(ascending, ascending[evenly], side="left"))
    return starts[starts > 0]

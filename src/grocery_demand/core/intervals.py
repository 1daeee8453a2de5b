"""Quantiles of a forecast, from the errors that the same model made out of sample."""

from dataclasses import dataclass
from typing import Any

import numpy as np

LEVELS = (0.1, 0.5, 0.9)
"""Quantile levels forecast: the middle and the bounds of the 80 % interval."""

QUANTILES = tuple(f"quantile_{level}" for level in LEVELS)
"""Column names of the quantiles."""

_MAX_BINS = 24
_MIN_ROWS_PER_BIN = 150
_NO_SPREAD = 1e-6


@dataclass(frozen=True)
class Intervals:
    """Error quantiles by the size of the forecast, scaled by the step ahead.

    The error of a backtest is ln(1+actual) − ln(1+forecast). Its quantiles are taken in bins of
    equally many rows by forecast and interpolated between the bins' centres, as in split
    conformal prediction (Vovk et al. 2005) with one normalisation by step.

    Attributes:
        centres: Median forecast of each bin, as ln(1+units), ascending [bin].
        errors: Error quantiles, ascending along the last axis [bin, level].
        step_scale: Spread of the errors of each step ahead over that of all, [step].
    """

    centres: np.ndarray
    errors: np.ndarray
    step_scale: np.ndarray

    @classmethod
    def fit(cls, actual: np.ndarray, forecast: np.ndarray, step: np.ndarray) -> "Intervals":
        """Learn from out-of-sample errors.

        Args:
            actual: ln(1+units), [row].
            forecast: The forecast of it, [row].
            step: Days ahead, int [row].
        """
        error = actual - forecast
        scale = _spread_by_step(error, step)
        error = error / scale[step - 1]
        order = np.argsort(forecast, kind="stable")
        n_bins = int(np.clip(len(order) // _MIN_ROWS_PER_BIN, 1, _MAX_BINS))
        bins = np.array_split(order, n_bins)
        centres = np.array([np.median(forecast[rows]) for rows in bins])
        errors = np.array([np.quantile(error[rows], LEVELS) for rows in bins])
        return cls(centres, errors, scale)

    @classmethod
    def unknown(cls) -> "Intervals":
        """Return intervals of no width, for a forecaster whose errors are not known yet."""
        return cls(np.zeros(1), np.zeros((1, len(LEVELS))), np.ones(1))

    def quantiles(self, forecast: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Return the quantiles of ln(1+units), ascending along the last axis [row, level].

        Steps beyond those learnt from are scaled like the last one.
        """
        scale = self.step_scale[np.minimum(step, len(self.step_scale)) - 1]
        shifts = [np.interp(forecast, self.centres, column) for column in self.errors.T]
        quantiles = forecast[:, None] + scale[:, None] * np.stack(shifts, axis=1)
        return np.maximum(quantiles, 0).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able contents."""
        return {
            "centres": self.centres.tolist(),
            "errors": self.errors.tolist(),
            "step_scale": self.step_scale.tolist(),
        }

    @classmethod
    def from_dict(cls, contents: dict[str, Any]) -> "Intervals":
        """Restore from `to_dict`."""
        return cls(**{name: np.array(values) for name, values in contents.items()})


def _spread_by_step(error: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return each step's root mean square error over that of all steps, [step]."""
    squares = np.bincount(step - 1, weights=error**2)
    rows = np.bincount(step - 1)
    overall = max(float(np.sqrt(np.mean(error**2))), _NO_SPREAD)
    by_step = np.sqrt(squares / np.maximum(rows, 1)) / overall
    return np.where((rows == 0) | (by_step < _NO_SPREAD), 1.0, by_step)

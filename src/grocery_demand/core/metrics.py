"""Scores of forecasts against actual units; plain functions of arrays of equal length."""

import numpy as np


def nwrmsle(actual: np.ndarray, forecast: np.ndarray, weight: np.ndarray) -> float:
    """Return the normalised weighted root mean squared logarithmic error; lower is better.

    sqrt(Σ w (ln(1+forecast) − ln(1+actual))² / Σ w), with units below zero counted as zero: the
    measure of the Kaggle competition "Corporación Favorita Grocery Sales Forecasting", where w is
    1.25 for perishable items and 1 for others.
    """
    error = log1p_units(forecast) - log1p_units(actual)
    return float(np.sqrt(np.sum(weight * error**2) / np.sum(weight)))


def r2_score(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Return the coefficient of determination in units; NaN where the actual is constant."""
    actual = np.asarray(actual, float)
    if np.all(actual == actual[0]):
        return float("nan")
    return float(1 - np.sum((actual - forecast) ** 2) / np.sum((actual - actual.mean()) ** 2))


def wape(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Return Σ|forecast − actual| / Σ actual; NaN where nothing was sold."""
    return _ratio(np.abs(np.subtract(forecast, actual, dtype=float)), actual)


def bias(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Return Σ(forecast − actual) / Σ actual; NaN where nothing was sold."""
    return _ratio(np.subtract(forecast, actual, dtype=float), actual)


def pinball_loss(actual: np.ndarray, quantile_forecast: np.ndarray, level: float) -> float:
    """Return the mean pinball loss of one quantile, in units (Koenker and Bassett 1978)."""
    error = np.subtract(actual, quantile_forecast, dtype=float)
    return float(np.mean(np.maximum(level * error, (level - 1) * error)))


def coverage(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Return the share of rows whose actual units lie between the bounds, both included."""
    return float(np.mean((actual >= lower) & (actual <= upper)))


def log1p_units(units: np.ndarray) -> np.ndarray:
    """Return ln(1+units) as float64, units below zero counted as zero."""
    return np.log1p(np.maximum(np.asarray(units, float), 0))


def _ratio(numerator: np.ndarray, actual: np.ndarray) -> float:
    total = float(np.sum(actual, dtype=float))
    return float(np.sum(numerator)) / total if total else float("nan")

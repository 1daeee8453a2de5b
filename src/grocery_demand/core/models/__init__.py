"""Point models by name, behind one protocol."""

from typing import Any

import numpy as np

from grocery_demand.core.features import FEATURE_SETS, MOVING_AVERAGE, SEASONAL_NAIVE
from grocery_demand.core.models.baselines import Baseline
from grocery_demand.core.models.gradient_boosted import LightGBM
from grocery_demand.core.models.protocol import PointModel
from grocery_demand.core.models.scikit_learn import SCIKIT_MODELS, ScikitModel

BASELINES = (SEASONAL_NAIVE, MOVING_AVERAGE)
MODELS = ("lightgbm", *SCIKIT_MODELS, *BASELINES)

__all__ = [
    "BASELINES",
    "MODELS",
    "PointModel",
    "feature_names_of",
    "fit_model",
    "needs_fitting",
    "restore_model",
]


def needs_fitting(name: str) -> bool:
    """Return whether a model learns from rows."""
    return name not in BASELINES


def feature_names_of(name: str, feature_set: str) -> tuple[str, ...]:
    """Return the features that a model reads: its own, or those of the set."""
    return FEATURE_SETS[feature_set] if needs_fitting(name) else (name,)


def fit_model(
    name: str,
    feature_names: tuple[str, ...],
    matrix: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    settings: dict[str, Any],
    seed: int,
) -> PointModel:
    """Fit a model by name.

    Args:
        name: One of `MODELS`.
        feature_names: Columns of the matrix.
        matrix: float32 [row, feature].
        target: ln(1+units), float32 [row].
        weight: Weight of each row, float32 [row].
        settings: The library's own parameters.
        seed: Makes the fit repeatable.
    """
    if not needs_fitting(name):
        return Baseline(feature_names)
    if name == "lightgbm":
        return LightGBM.fit(feature_names, matrix, target, weight, settings, seed)
    return ScikitModel.fit(name, feature_names, matrix, target, weight, settings, seed)


def restore_model(name: str, feature_names: tuple[str, ...], files: dict[str, bytes]) -> PointModel:
    """Restore a model from the files that its `to_files` gave."""
    if not needs_fitting(name):
        return Baseline(feature_names)
    kind = LightGBM if name == "lightgbm" else ScikitModel
    return kind.from_files(feature_names, files)

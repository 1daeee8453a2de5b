"""The workshop's four models, by scikit-learn."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from grocery_demand.core.models.skops_file import read_skops, write_skops

_FILE = "model.skops"
_UNKNOWN = -1.0

_SETTINGS_OF_ADABOOSTS_TREES = ("max_depth", "max_features")

SCIKIT_MODELS = ("decision_tree", "random_forest", "adaboost", "gradient_boosting")


@dataclass(frozen=True)
class ScikitModel:
    """A scikit-learn regressor of ln(1+units); what is unknown enters as −1.

    Attributes:
        feature_names: Columns of the matrix, in their order.
        regressor: The fitted regressor.
    """

    feature_names: tuple[str, ...]
    regressor: Any

    @classmethod
    def fit(
        cls,
        name: str,
        feature_names: tuple[str, ...],
        matrix: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray,
        settings: dict[str, Any],
        seed: int,
    ) -> "ScikitModel":
        """Fit one of `SCIKIT_MODELS`."""
        regressor = _make_regressor(name, settings, seed)
        regressor.fit(_fill(matrix), target, sample_weight=weight)
        if "n_jobs" in settings:
            # Threads would add up the trees' forecasts in the order in which they finish.
            regressor.set_params(n_jobs=None)
        return cls(feature_names, regressor)

    @classmethod
    def from_files(cls, feature_names: tuple[str, ...], files: dict[str, bytes]) -> "ScikitModel":
        """Restore from `to_files`; a file with a type that is not trusted is refused."""
        return cls(feature_names, read_skops(files[_FILE], len(feature_names)))

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        """Return ln(1+units), never below zero."""
        return np.maximum(self.regressor.predict(_fill(matrix)), 0).astype(np.float32)

    def importance(self) -> np.ndarray:
        """Return the impurity-based importances."""
        return np.asarray(self.regressor.feature_importances_)

    def to_files(self) -> dict[str, bytes]:
        """Return a skops file whose bytes depend on the model alone."""
        return {_FILE: write_skops(self.regressor)}


def _make_regressor(name: str, settings: dict[str, Any], seed: int) -> Any:
    from sklearn import ensemble, tree

    if name == "adaboost":
        of_trees = {k: v for k, v in settings.items() if k in _SETTINGS_OF_ADABOOSTS_TREES}
        others = {k: v for k, v in settings.items() if k not in of_trees}
        each = tree.DecisionTreeRegressor(**of_trees)
        return ensemble.AdaBoostRegressor(each, random_state=seed, **others)
    kinds = {
        "decision_tree": tree.DecisionTreeRegressor,
        "random_forest": ensemble.RandomForestRegressor,
        "gradient_boosting": ensemble.GradientBoostingRegressor,
    }
    return kinds[name](random_state=seed, **settings)


def _fill(matrix: np.ndarray) -> np.ndarray:
    return np.nan_to_num(np.ascontiguousarray(matrix), nan=_UNKNOWN)

"""LightGBM: gradient-boosted trees of the difference to the moving average."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lightgbm as lgb
import numpy as np

from grocery_demand.core.errors import ModelFileError
from grocery_demand.core.features import MOVING_AVERAGE

_FILE = "model.lgb"

_FEW_ROWS = 256
"""Rows that one thread forecasts sooner than several can be woken."""


@dataclass(frozen=True)
class LightGBM:
    """Trees that correct the moving average.

    The trees are fitted on ln(1+units) less the `moving_average` feature, so that they need not
    learn the level of each series, which may span orders of magnitude.

    Attributes:
        feature_names: Columns of the matrix, in their order.
        model_text: The booster in LightGBM's text format.
        relative: Whether the trees' output is to be added to the moving average.
    """

    feature_names: tuple[str, ...]
    model_text: str
    relative: bool

    @classmethod
    def fit(
        cls,
        feature_names: tuple[str, ...],
        matrix: np.ndarray,
        target: np.ndarray,
        weight: np.ndarray,
        settings: dict[str, Any],
        seed: int,
    ) -> "LightGBM":
        """Fit the trees; the same input gives the same model on any number of cores."""
        relative = MOVING_AVERAGE in feature_names
        if relative:
            target = target - matrix[:, feature_names.index(MOVING_AVERAGE)]
        settings = dict(settings)
        n_trees = settings.pop("n_estimators")
        data = lgb.Dataset(
            matrix,
            target,
            weight=weight,
            feature_name=list(feature_names),
            params={"max_bin": settings.get("max_bin", 255), "verbose": -1},
            free_raw_data=True,
        )
        fixed = {"objective": "regression", "verbose": -1, "seed": seed}
        reproducible = {"deterministic": True, "force_col_wise": True}
        booster = lgb.train(fixed | reproducible | settings, data, num_boost_round=n_trees)
        return cls(feature_names, booster.model_to_string(), relative)

    @classmethod
    def from_files(cls, feature_names: tuple[str, ...], files: dict[str, bytes]) -> "LightGBM":
        """Restore from `to_files`.

        Raises:
            ModelFileError: If LightGBM cannot read its text.
        """
        model = cls(feature_names, files[_FILE].decode(), MOVING_AVERAGE in feature_names)
        try:
            n_features = model.booster.num_feature()
        except lgb.basic.LightGBMError as error:
            raise ModelFileError(f"{_FILE} cannot be read by LightGBM: {error}.") from error
        if n_features != len(feature_names):
            raise ModelFileError(
                f"{_FILE} reads {n_features} features, but {len(feature_names)} are named."
            )
        return model

    @cached_property
    def booster(self) -> lgb.Booster:
        """The booster, parsed from the text at first use."""
        return lgb.Booster(model_str=self.model_text)

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        """Return ln(1+units), never below zero."""
        threads = 1 if len(matrix) < _FEW_ROWS else 0
        trees = np.asarray(self.booster.predict(matrix, num_threads=threads), np.float32)
        if self.relative:
            trees += matrix[:, self.feature_names.index(MOVING_AVERAGE)]
        return np.maximum(trees, 0)

    def importance(self) -> np.ndarray:
        """Return each feature's share of the total gain."""
        gain = self.booster.feature_importance("gain")
        return gain / max(gain.sum(), 1e-12)

    def to_files(self) -> dict[str, bytes]:
        """Return LightGBM's model text."""
        return {_FILE: self.model_text.encode()}

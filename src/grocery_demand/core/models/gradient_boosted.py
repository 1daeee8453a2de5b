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


def draw_fewer_rows(settings: dict[str, Any], n_rows: int) -> dict[str, Any]:
    """Return LightGBM's parameters with `max_rows_per_tree` put into `bagging_fraction`.

    Few rows are drawn at the share that is set, many at a smaller one: beyond some number of rows
    a tree costs more and learns little more, while other trees see other rows.
    """
    settings = dict(settings)
    most = settings.pop("max_rows_per_tree", None)
    if most is not None and n_rows:
        share = min(settings.get("bagging_fraction", 1.0), most / n_rows)
        settings |= {"bagging_fraction": share, "bagging_freq": settings.get("bagging_freq", 1)}
    return settings


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
        """Fit the trees; the same input gives the same model on any number of cores.

        Args:
            feature_names: Columns of the matrix, in their order.
            matrix: float32 [row, feature].
            target: ln(1+units) [row].
            weight: Of each row in the loss [row].
            settings: LightGBM's parameters, `n_estimators` and `max_rows_per_tree` among them.
            seed: Of what LightGBM draws.
        """
        relative = MOVING_AVERAGE in feature_names
        if relative:
            target = target - matrix[:, feature_names.index(MOVING_AVERAGE)]
        settings = draw_fewer_rows(settings, len(target))
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

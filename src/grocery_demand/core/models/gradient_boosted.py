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

OWN_SETTINGS = {"n_estimators", "max_rows_per_tree", "trees_per_draw", "rows_to_trust"}
"""Settings that are this project's and not LightGBM's, each a number from 1; see `plan_fit`."""

_LEAST_TRUST = 0.6
"""Share of the corrections that is applied where there is hardly a row to learn from."""


def draw_fewer_rows(settings: dict[str, Any], n_rows: int) -> dict[str, Any]:
    """Return LightGBM's parameters with `max_rows_per_tree` and `trees_per_draw` put into them.

    Few rows are drawn at the share that is set, many at a smaller one: beyond some number of rows
    a tree costs more and learns little more, while other trees see other rows. Drawing from many
    rows takes long, so a draw then serves `trees_per_draw` trees.
    """
    settings = dict(settings)
    most, trees = settings.pop("max_rows_per_tree", None), settings.pop("trees_per_draw", None)
    if most is None or not n_rows:
        return settings
    share, often = settings.get("bagging_fraction", 1.0), settings.get("bagging_freq", 1)
    if most < share * n_rows:
        share, often = most / n_rows, trees or often
    return settings | {"bagging_fraction": share, "bagging_freq": often}


def trust_in(n_rows: int, rows_to_trust: int | None) -> float:
    """Return the share of the trees' corrections of the moving average that is applied.

    Few rows are much noise, and trees follow some of it. The share grows in proportion to the rows,
    from `_LEAST_TRUST` to 1 where there are `rows_to_trust`; None: it is 1 for any.
    """
    if rows_to_trust is None or n_rows >= rows_to_trust:
        return 1.0
    return _LEAST_TRUST + (1 - _LEAST_TRUST) * n_rows / rows_to_trust


def plan_fit(settings: dict[str, Any], n_rows: int) -> tuple[dict[str, Any], int, float]:
    """Part the settings into LightGBM's parameters, the trees, and the share of their corrections.

    What is ours and not LightGBM's is taken out: see `draw_fewer_rows` and `trust_in`.
    """
    params = draw_fewer_rows(settings, n_rows)
    n_trees, rows_to_trust = params.pop("n_estimators"), params.pop("rows_to_trust", None)
    return params, n_trees, trust_in(n_rows, rows_to_trust)


def dataset_params(settings: dict[str, Any]) -> dict[str, Any]:
    """Return what of the settings concerns the bins of features."""
    return {"max_bin": settings.get("max_bin", 255), "verbose": -1}


@dataclass(frozen=True)
class Peers:
    """Other machines that fit the same trees at the same time, each on rows of its own.

    Attributes:
        network: LightGBM's parameters by which they find each other.
        n_rows: Rows of all of them.
        bins: The bins of each feature, found on rows of all of them. On its own, LightGBM takes a
            feature's bins from the rows of one machine, and with rows by store that machine knows
            its own stores only.
    """

    network: dict[str, Any]
    n_rows: int
    bins: lgb.Dataset


@dataclass(frozen=True)
class LightGBM:
    """Trees that correct the moving average.

    The trees are fitted on ln(1+units) less the `moving_average` feature, so that they need not
    learn the level of each series, which may span orders of magnitude; of few rows, on a share of
    that difference (`trust_in`).

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
        peers: Peers | None = None,
    ) -> "LightGBM":
        """Fit the trees; the same input gives the same model on any number of cores.

        Args:
            feature_names: Columns of the matrix, in their order.
            matrix: float32 [row, feature].
            target: ln(1+units) [row].
            weight: Of each row in the loss [row].
            settings: LightGBM's parameters, and what `plan_fit` takes out of them.
            seed: Of what LightGBM draws.
            peers: Machines that hold other rows; None if these are all.
        """
        relative = MOVING_AVERAGE in feature_names
        own, n_trees, trust = plan_fit(settings, peers.n_rows if peers else len(target))
        if relative:
            target = target - matrix[:, feature_names.index(MOVING_AVERAGE)]
            target *= np.float32(trust)
        data = lgb.Dataset(
            matrix,
            target,
            weight=weight,
            feature_name=list(feature_names),
            params=dataset_params(own),
            reference=peers.bins if peers else None,
            free_raw_data=True,
        )
        fixed = {"objective": "regression", "verbose": -1, "seed": seed}
        start = {"boost_from_average": not relative}
        reproducible = {"deterministic": True, "force_col_wise": True}
        network = peers.network if peers else {}
        params = fixed | start | reproducible | own | network
        booster = lgb.train(params, data, num_boost_round=n_trees)
        if peers:
            booster.free_network()
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

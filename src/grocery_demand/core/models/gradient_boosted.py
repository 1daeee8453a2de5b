"""LightGBM: gradient-boosted trees of the difference to the moving average."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lightgbm as lgb
import numpy as np

from grocery_demand.core.errors import ModelFileError
from grocery_demand.core.features import MOVING_AVERAGE

_FILE = "model.lgb"
_FURTHER_FILE = "model_{}.lgb"

_FEW_ROWS = 256
"""Rows that one thread forecasts sooner than several can be woken."""

OWN_SETTINGS = {
    "n_estimators",
    "max_rows_per_tree",
    "trees_per_draw",
    "rows_to_trust",
    "rows_to_stand_alone",
}
"""Settings that are this project's and not LightGBM's, each a number from 1; see `FitPlan`."""

_LEAST_TRUST = 0.6
"""Share of the corrections that is applied where there is hardly a row to learn from."""

_MOST_MODELS = 3
"""Models whose mean forecasts where rows are few: a fourth takes away little more of the chance."""


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


def count_models(n_rows: int, rows_to_stand_alone: int | None) -> int:
    """Return how many models are fitted, whose mean is the forecast.

    Which rows and features each tree is given is drawn, and what that does to a forecast is chance:
    of few rows much, which a mean takes away, and takes little time. They are as many as make up
    `rows_to_stand_alone` together, three at most; None: one for any number of rows.
    """
    if rows_to_stand_alone is None:
        return 1
    return min(-(-rows_to_stand_alone // max(n_rows, 1)), _MOST_MODELS)


@dataclass(frozen=True)
class FitPlan:
    """What the settings come to for a number of rows.

    Attributes:
        params: LightGBM's parameters.
        n_trees: Trees of a model.
        trust: Share of the trees' corrections that is applied, see `trust_in`.
        n_models: Models whose mean forecasts, see `count_models`.
    """

    params: dict[str, Any]
    n_trees: int
    trust: float
    n_models: int

    @classmethod
    def of(cls, settings: dict[str, Any], n_rows: int) -> "FitPlan":
        """Take out of the settings what is ours and not LightGBM's."""
        params = draw_fewer_rows(settings, n_rows)
        n_trees = params.pop("n_estimators")
        trust = trust_in(n_rows, params.pop("rows_to_trust", None))
        n_models = count_models(n_rows, params.pop("rows_to_stand_alone", None))
        return cls(params, n_trees, trust, n_models)


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
    that difference (`trust_in`), and by several boosters, whose mean forecasts (`count_models`).

    Attributes:
        feature_names: Columns of the matrix, in their order.
        model_texts: Each booster in LightGBM's text format.
        relative: Whether the trees' output is to be added to the moving average.
    """

    feature_names: tuple[str, ...]
    model_texts: tuple[str, ...]
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
            settings: LightGBM's parameters, and what `FitPlan` takes out of them.
            seed: Of what LightGBM draws.
            peers: Machines that hold other rows; None if these are all. With them one model is
                fitted, of however few rows: LightGBM cannot meet them twice at the same ports.
        """
        relative = MOVING_AVERAGE in feature_names
        plan = FitPlan.of(settings, peers.n_rows if peers else len(target))
        if relative:
            target = target - matrix[:, feature_names.index(MOVING_AVERAGE)]
            target *= np.float32(plan.trust)
        fixed = {"objective": "regression", "verbose": -1}
        start = {"boost_from_average": not relative}
        reproducible = {"deterministic": True, "force_col_wise": True}
        network = peers.network if peers else {}
        params = fixed | start | reproducible | plan.params | network
        data = lgb.Dataset(
            matrix,
            target,
            weight=weight,
            feature_name=list(feature_names),
            params=dataset_params(plan.params),
            reference=peers.bins if peers else None,
            free_raw_data=True,
        )
        texts = []
        for seed_of_model in range(seed, seed + (1 if peers else plan.n_models)):
            booster = lgb.train(params | {"seed": seed_of_model}, data, plan.n_trees)
            texts.append(booster.model_to_string())
        if peers:
            booster.free_network()
        return cls(feature_names, tuple(texts), relative)

    @classmethod
    def from_files(cls, feature_names: tuple[str, ...], files: dict[str, bytes]) -> "LightGBM":
        """Restore from `to_files`.

        Raises:
            ModelFileError: If LightGBM cannot read its text.
        """
        relative = MOVING_AVERAGE in feature_names
        model = cls(feature_names, tuple(files[n].decode() for n in _name_files(files)), relative)
        try:
            n_features = {booster.num_feature() for booster in model.boosters}
        except lgb.basic.LightGBMError as error:
            raise ModelFileError(f"{_FILE} cannot be read by LightGBM: {error}.") from error
        if n_features != {len(feature_names)}:
            read = ", ".join(map(str, sorted(n_features)))
            raise ModelFileError(
                f"{_FILE} reads {read} features, but {len(feature_names)} are named."
            )
        return model

    @cached_property
    def boosters(self) -> tuple[lgb.Booster, ...]:
        """The boosters, parsed from their texts at first use."""
        return tuple(lgb.Booster(model_str=text) for text in self.model_texts)

    def predict(self, matrix: np.ndarray) -> np.ndarray:
        """Return ln(1+units), never below zero."""
        threads = 1 if len(matrix) < _FEW_ROWS else 0
        found = [booster.predict(matrix, num_threads=threads) for booster in self.boosters]
        trees = np.mean(found, axis=0, dtype=np.float64).astype(np.float32)
        if self.relative:
            trees += matrix[:, self.feature_names.index(MOVING_AVERAGE)]
        return np.maximum(trees, 0)

    def importance(self) -> np.ndarray:
        """Return each feature's share of the total gain."""
        gain = sum(booster.feature_importance("gain") for booster in self.boosters)
        return gain / max(gain.sum(), 1e-12)

    def to_files(self) -> dict[str, bytes]:
        """Return LightGBM's model texts, a file each."""
        names = (_FILE, *(_FURTHER_FILE.format(i) for i in range(2, len(self.model_texts) + 1)))
        return {name: text.encode() for name, text in zip(names, self.model_texts, strict=True)}


def _name_files(files: dict[str, bytes]) -> list[str]:
    """Return the names of the boosters' files, in their order."""
    further = [_FURTHER_FILE.format(i) for i in range(2, _MOST_MODELS + 1)]
    return [_FILE, *(name for name in further if name in files)]

"""LightGBM: gradient-boosted trees of the difference to the moving average."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lightgbm as lgb
import numpy as np

from grocery_demand.core.errors import ModelFileError
from grocery_demand.core.features import MOVING_AVERAGE
from grocery_demand.core.models.fit_plan import FitPlan, dataset_params

_FILE = "model.lgb"
_FURTHER_FILE = "model_{}.lgb"
_IS_FILE = re.compile(r"model(_\d+)?\.lgb")

_FEW_ROWS = 256
"""Rows that one thread forecasts sooner than several can be woken."""

_FIXED = {
    "objective": "regression", "verbose": -1, "deterministic": True, "force_col_wise": True
}  # fmt: skip


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
    that difference (`trust_in`), and by several boosters, whose forecasts are averaged
    (`count_boosters`).

    Attributes:
        feature_names: Columns of the matrix, in their order.
        booster_texts: Each booster in LightGBM's text format.
        relative: Whether the trees' output is to be added to the moving average.
    """

    feature_names: tuple[str, ...]
    booster_texts: tuple[str, ...]
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
            peers: Machines that hold other rows; None if these are all. With them one booster is
                fitted, of however few rows: LightGBM cannot meet them twice at the same ports.
        """
        relative = MOVING_AVERAGE in feature_names
        plan = FitPlan.of(settings, peers.n_rows if peers else len(target))
        if relative:
            target = target - matrix[:, feature_names.index(MOVING_AVERAGE)]
            target *= np.float32(plan.trust)
        network = peers.network if peers else {}
        data = lgb.Dataset(
            matrix,
            target,
            weight=weight,
            feature_name=list(feature_names),
            params=dataset_params(plan.params),
            reference=peers.bins if peers else None,
        )
        params = _FIXED | {"boost_from_average": not relative} | plan.params | network
        first = seed if plan.seed is None else plan.seed
        texts = []
        for own_seed in range(first, first + (1 if network else plan.n_boosters)):
            booster = lgb.train(params | {"seed": own_seed}, data, plan.n_trees)
            texts.append(booster.model_to_string())
        if network:
            booster.free_network()
        return cls(feature_names, tuple(texts), relative)

    @classmethod
    def from_files(cls, feature_names: tuple[str, ...], files: dict[str, bytes]) -> "LightGBM":
        """Restore from `to_files`.

        Raises:
            ModelFileError: If a text is missing, or LightGBM cannot read it.
        """
        found = [name for name in files if _IS_FILE.fullmatch(name)]
        names = _name_files(max(len(found), 1))
        if missing := [name for name in names if name not in files]:
            raise ModelFileError(f"{missing[0]} is missing beside {', '.join(sorted(files))}.")
        for name in names:
            _require_booster(name, files[name], len(feature_names))
        texts = tuple(files[name].decode() for name in names)
        return cls(feature_names, texts, MOVING_AVERAGE in feature_names)

    @cached_property
    def boosters(self) -> tuple[lgb.Booster, ...]:
        """The boosters, parsed from their texts at first use."""
        return tuple(lgb.Booster(model_str=text) for text in self.booster_texts)

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
        names = _name_files(len(self.booster_texts))
        return {name: text.encode() for name, text in zip(names, self.booster_texts, strict=True)}


def _name_files(n_boosters: int) -> list[str]:
    """Return the names of the boosters' files, in their order."""
    return [_FILE, *(_FURTHER_FILE.format(number) for number in range(2, n_boosters + 1))]


def _require_booster(name: str, text: bytes, n_features: int) -> None:
    try:
        read = lgb.Booster(model_str=text.decode()).num_feature()
    except lgb.basic.LightGBMError as error:
        raise ModelFileError(f"{name} cannot be read by LightGBM: {error}.") from error
    if read != n_features:
        raise ModelFileError(f"{name} reads {read} features, but {n_features} are named.")

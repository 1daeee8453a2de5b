"""A model as it is served: single forecasts with what moved them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakSet

import numpy as np

from grocery_demand.core.explanation import ALL_DRIVERS, Explanation
from grocery_demand.core.features import MOVING_AVERAGE, FeatureTables, Snapshot
from grocery_demand.core.features.encoding import Encoding
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.panel import Panel
from grocery_demand.core.spread import SPREAD_FEATURES
from grocery_demand.core.trained_model import TrainedModel

_LEAST_EFFECT = 0.005
_MOST_EFFECTS = 5
_MOST_CLOSED = 50_000
"""Stores and dates whose closed years are kept."""


@dataclass(frozen=True)
class Answers:
    """Forecasts of some pairs of series and day.

    Attributes:
        units: `core.forecaster.FORECAST` in units, float32 [pair, column].
        long_range: Whether the day lies beyond the horizon, bool [pair].
        onpromotion: The promotion that the forecast was made with, bool [pair].
        moving_average: What recent weeks let expect on that weekday, in units [pair].
        features: What went into the model, float32 [pair, feature].
        moves: What moved the forecast, in ln units, float64 [pair, driver]; None if unknown.
    """

    units: np.ndarray
    long_range: np.ndarray
    onpromotion: np.ndarray
    moving_average: np.ndarray
    features: np.ndarray
    moves: np.ndarray | None


class ServedPanel:
    """A panel with what is known at its cutoff, for all models that forecast from it.

    Attributes:
        name: Name of its folder.
        panel: Sales and plan.
        cutoff: Its last day with sales, ISO date.
        closed_years: As `Panel.closed_years`, which it looks up once for each store and date.
    """

    def __init__(self, name: str, panel: Panel, cutoff: str) -> None:
        self.name = name
        self.panel = panel
        self.cutoff = cutoff
        self.closed_years = lru_cache(maxsize=_MOST_CLOSED)(panel.closed_years)
        self._snapshot = Snapshot(panel, panel.n_days - 1)
        self._tables: WeakSet[FeatureTables] = WeakSet()

    def tabulate(self, encoding: Encoding, names: tuple[str, ...]) -> FeatureTables:
        """Return the features laid out; models that use the same ones share them."""
        for tables in self._tables:
            if (tables.encoding, tables.names) == (encoding, names):
                return tables
        tables = FeatureTables(self._snapshot, encoding, names)
        self._tables.add(tables)
        return tables


@dataclass(frozen=True)
class Label:
    """Which version of the model it is.

    Attributes:
        model_name: Name of the registered model.
        model_version: Its number in the registry.
        run_id: MLflow run that made it, if one did.
        fingerprint: What tells it from any other model, also one of its number.
    """

    model_name: str
    model_version: int
    run_id: str | None
    fingerprint: bytes


class _Part:
    """One forecaster with its feature tables and what explains it."""

    def __init__(self, forecaster: Forecaster, panel: ServedPanel) -> None:
        names = dict.fromkeys((*forecaster.input_names, "onpromotion", MOVING_AVERAGE))
        self.names = tuple(names)
        self.forecaster = forecaster
        self.tables = panel.tabulate(forecaster.encoding, self.names)
        self.explanation = Explanation.of(forecaster.model)
        self._model_columns = [self.names.index(name) for name in forecaster.feature_names]
        self._spread_columns = [self.names.index(name) for name in SPREAD_FEATURES]
        self._promotion = self.names.index("onpromotion")
        self._average = self.names.index(MOVING_AVERAGE)

    def answer(self, rows: np.ndarray, steps: np.ndarray, what_if: np.ndarray) -> Answers:
        features = self.tables.features(rows, steps, what_if)
        matrix = features[:, self._model_columns]
        moves = self.explanation.contributions(matrix) if self.explanation else None
        return Answers(
            units=self.forecaster.predict_units(matrix, features[:, self._spread_columns]),
            long_range=np.zeros(len(rows), bool),
            onpromotion=features[:, self._promotion] > 0,
            moving_average=np.expm1(features[:, self._average]),
            features=features,
            moves=moves,
        )


class ServedModel:
    """One version of the model, ready to answer from a panel.

    Attributes:
        label: Which version it is.
        served_panel: What it forecasts from.
        model: The trained model.
        feature_names: Columns of the features in its answers.
    """

    def __init__(self, label: Label, model: TrainedModel, served_panel: ServedPanel) -> None:
        """Compute what does not depend on the question, and answer once."""
        self.label = label
        self.served_panel = served_panel
        self.model = model
        self._near = _Part(model.final, served_panel)
        far = model.long_range
        self._far = _Part(far, served_panel) if far is not None else self._near
        self.feature_names = self._near.names
        self.answer(np.zeros(1, int), np.ones(1, int), np.full(1, -1, np.int8))

    @property
    def panel(self) -> Panel:
        """Sales and plan that it forecasts from."""
        return self.served_panel.panel

    @property
    def cutoff(self) -> str:
        """Last day with known sales, ISO date."""
        return self.served_panel.cutoff

    @property
    def horizon(self) -> int:
        """Days ahead within which a forecast is not long-range."""
        return self.model.horizon

    def answer(self, rows: np.ndarray, steps: np.ndarray, what_if: np.ndarray) -> Answers:
        """Forecast pairs of series and day.

        Args:
            rows: Positions of the series, int [pair].
            steps: Days after the cutoff, int [pair].
            what_if: Promotions assumed (1), ruled out (0), or as planned (-1), int8 [pair].
        """
        far = steps > self.horizon
        if not far.any():
            return self._near.answer(rows, steps, what_if)
        beyond = self._far.answer(rows[far], steps[far], what_if[far])
        if far.all():
            return _mark(beyond, far)
        near = self._near.answer(rows[~far], steps[~far], what_if[~far])
        return _mark(_merge(near, beyond, far), far)

    def units_sold(self, row: int, day: int) -> float:
        """Return the units of a series on a day of the panel."""
        return float(self.panel.units[row, day])


def list_effects(moves: np.ndarray) -> list[dict[str, Any]]:
    """Return the largest moves of one forecast as factors on 1 + units."""
    order = np.argsort(-np.abs(moves))[:_MOST_EFFECTS].tolist()
    values = moves.tolist()
    return [
        {"driver": ALL_DRIVERS[i], "factor": round(float(np.exp(values[i])), 4)}
        for i in order
        if abs(values[i]) >= _LEAST_EFFECT
    ]


def _mark(answers: Answers, far: np.ndarray) -> Answers:
    answers.long_range[:] = far
    return answers


def _merge(near: Answers, beyond: Answers, far: np.ndarray) -> Answers:
    """Put two parts back in the order of the questions."""
    order = np.argsort(np.concatenate([np.flatnonzero(~far), np.flatnonzero(far)]))
    both: dict[str, Any] = {}
    for name in ("units", "long_range", "onpromotion", "moving_average"):
        both[name] = np.concatenate([getattr(near, name), getattr(beyond, name)])[order]
    features = np.concatenate([near.features, beyond.features])[order]
    moves = None
    if near.moves is not None and beyond.moves is not None:
        moves = np.concatenate([near.moves, beyond.moves])[order]
    return Answers(**both, features=features, moves=moves)

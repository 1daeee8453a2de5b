"""Features as the web app served them, and the same ones made again from the panel."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import orjson
import pandas as pd
import polars as pl

from grocery_demand.core.features import Snapshot
from grocery_demand.core.features.encoding import Encoding
from grocery_demand.core.late_days import saw_other_sales
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.panel import SERIES_KEY, Panel

FEWEST_EVENTS = 200
"""Forecasts that are compared at least."""

_MOST_PAIRS = 2000

SnapshotOf = Callable[[int], Snapshot]


@dataclass(frozen=True)
class ServedFeatures:
    """Features of served forecasts, and where they come from.

    Attributes:
        names: Of the features.
        matrix: As served, float32 [event, feature]; NaN where unknown.
        rows: Positions of the series in the panel, int [event].
        steps: Days ahead, int [event].
        days: Cutoffs, as days of the panel, int [event].
        what_if: Promotions assumed (1), ruled out (0) or as planned (-1), int8 [event].
        encoding: The model's vocabulary.
        changed: Whether sales within the event's history came or were corrected later, or may
            have been, bool [event].
    """

    names: tuple[str, ...]
    matrix: np.ndarray
    rows: np.ndarray
    steps: np.ndarray
    days: np.ndarray
    what_if: np.ndarray
    encoding: Encoding
    changed: np.ndarray

    @classmethod
    def of(
        cls, newest: pd.DataFrame, panel: Panel, champion: ModelVersion
    ) -> "ServedFeatures | None":
        """Read the champion's events within its horizon; None if they are too few to compare."""
        version = champion.number
        index = pd.MultiIndex.from_frame(panel.series[SERIES_KEY])
        chosen = newest[(newest["model_version"] == version) & ~newest["long_range"].astype(bool)]
        rows = index.get_indexer(pd.MultiIndex.from_frame(chosen[SERIES_KEY]))
        days = np.array([panel.day_of(cutoff) for cutoff in chosen["cutoff"]], int)
        usable = (rows >= 0) & (days >= 0) & (days < panel.n_days)
        if usable.sum() < FEWEST_EVENTS:
            return None
        chosen = chosen[usable]
        served = [orjson.loads(text) for text in chosen["features"]]
        table = pl.DataFrame(served, infer_schema_length=None).cast(pl.Float32)
        assumed = chosen["promotion_assumed"].to_numpy(bool)
        promoted = chosen["onpromotion"].to_numpy(np.int8)
        return cls(
            names=tuple(table.columns),
            matrix=table.fill_null(float("nan")).to_numpy(),
            rows=rows[usable],
            steps=chosen["step"].to_numpy(int),
            days=days[usable],
            what_if=np.where(assumed, promoted, np.int8(-1)).astype(np.int8),
            encoding=champion.model.final.encoding,
            changed=saw_other_sales(panel, days[usable]),
        )


def make_again(served: ServedFeatures, events: np.ndarray, snapshot: Snapshot) -> np.ndarray:
    """Return the features of the events' series and days ahead as of a day, [event, feature]."""
    return snapshot.features(
        served.encoding,
        served.steps[events, None],
        served.names,
        served.rows[events],
        served.what_if[events, None],
    )


def choose_pairs(served: ServedFeatures) -> np.ndarray:
    """Return the positions of events that stand for all, spread over them evenly."""
    n_events = len(served.rows)
    return np.unique(np.linspace(0, n_events - 1, min(n_events, _MOST_PAIRS)).astype(int))

"""A fitted forecaster: from panel and cutoff to units, quantiles and interval."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.features import (
    MOVING_AVERAGE,
    SEASONAL_NAIVE,
    Encoding,
    ItemSums,
    Snapshot,
    sum_items,
)
from grocery_demand.core.intervals import INTERVAL, QUANTILES, Intervals
from grocery_demand.core.models import PointModel, restore_model
from grocery_demand.core.panel import SERIES_KEY, Panel
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.spread import SPREAD_FEATURES
from grocery_demand.core.table_parts import Table, gather_table

FORECAST = ("point", *QUANTILES, *INTERVAL)
"""Columns of a forecast, all in units."""

_SERIES_PER_CHUNK = 20_000


@dataclass(frozen=True)
class Forecaster:
    """A point model with what it needs to forecast: vocabulary and intervals.

    Attributes:
        name: The model's name, one of `core.models.MODELS`.
        model: The fitted point model.
        encoding: Codes of attributes, fixed when the model was fitted.
        intervals: What is known of the error.
        cutoff: Last day of the sales it was fitted on, ISO date.
    """

    name: str
    model: PointModel
    encoding: Encoding
    intervals: Intervals
    cutoff: str

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Columns of the feature matrix that the model reads."""
        return self.model.feature_names

    @property
    def input_names(self) -> tuple[str, ...]:
        """Features that a whole forecast is made from: the model's and the spread's."""
        return tuple(dict.fromkeys((*self.feature_names, *SPREAD_FEATURES)))

    def predict_features(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return `FORECAST` in units, one row per row of features (`input_names`)."""
        matrix = features[list(self.feature_names)].to_numpy(np.float32)
        known = features[list(SPREAD_FEATURES)].to_numpy(np.float32)
        return self._tabulate(matrix, known)

    def forecast(
        self, panel: PanelParts, day: int, steps: np.ndarray, rows: np.ndarray | None = None
    ) -> pd.DataFrame:
        """Forecast series from what is known at the end of a day.

        Args:
            panel: Sales and plan; of the sales, only those up to `day` are read.
            day: The cutoff, as a day of the panel.
            steps: Days ahead of the cutoff, 1 for the day after it.
            rows: Positions of the series wanted, ascending; all of them by default.

        Returns:
            One row per series and step, the steps of a series one after the other: store_nbr,
            item_nbr, date, step, `FORECAST` and the two baselines in units, and what else the
            quantiles depend on (`SPREAD_FEATURES`).
        """
        return gather_table(tabulate_parts(self.forecast_part, panel, day, steps, rows))

    def forecast_part(
        self,
        part: Panel,
        rows: np.ndarray,
        day: int,
        steps: np.ndarray,
        items: ItemSums | None = None,
    ) -> pd.DataFrame:
        """Forecast series of one part of a panel; see `forecast`.

        Args:
            part: Sales and plan of its stores.
            rows: Positions of the series wanted in this part.
            day: The cutoff.
            steps: Days ahead of the cutoff.
            items: What all stores say of each item; None if the part is the whole panel.
        """
        snapshot = Snapshot(part, day, all_stores=items)
        chunks = [
            self._forecast_chunk(snapshot, steps, rows[start : start + _SERIES_PER_CHUNK])
            for start in range(0, max(len(rows), 1), _SERIES_PER_CHUNK)
        ]
        return pd.concat(chunks, ignore_index=True)

    def _forecast_chunk(
        self, snapshot: Snapshot, steps: np.ndarray, rows: np.ndarray
    ) -> pd.DataFrame:
        matrix = snapshot.features(self.encoding, steps, self.feature_names, rows)
        baselines = snapshot.features(self.encoding, steps, (SEASONAL_NAIVE, MOVING_AVERAGE), rows)
        known = snapshot.features(self.encoding, steps, SPREAD_FEATURES, rows)
        step = np.tile(steps.astype(np.int16), len(rows))
        keys = snapshot.panel.series[SERIES_KEY].iloc[np.repeat(rows, len(steps))]
        table = keys.reset_index(drop=True)
        dates = snapshot.panel.date_of(snapshot.day) + step.astype("timedelta64[D]")
        table["date"] = dates.astype("datetime64[ms]")
        table["step"] = step
        table = pd.concat([table, self._tabulate(matrix, known)], axis=1)
        table[[SEASONAL_NAIVE, MOVING_AVERAGE]] = np.expm1(baselines)
        columns = zip(SPREAD_FEATURES, known.T, strict=True)
        return table.assign(**{name: column for name, column in columns if name not in table})

    def predict_units(self, matrix: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Return `FORECAST` in units, float32 [row, column].

        Args:
            matrix: `feature_names`, float32 [row, feature].
            known: `SPREAD_FEATURES`, float32 [row, feature].
        """
        if not len(matrix):
            return np.empty((0, len(FORECAST)), np.float32)
        log_units = self.model.predict(matrix)
        bounds = self.intervals.predict(log_units, known)
        return np.expm1(np.column_stack([log_units, bounds]))

    def _tabulate(self, matrix: np.ndarray, known: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(self.predict_units(matrix, known), columns=list(FORECAST))

    def to_files(self) -> dict[str, bytes]:
        """Return the forecaster as named files: JSON and the model library's own format."""
        description = {
            "name": self.name,
            "feature_names": self.feature_names,
            "words": self.encoding.words,
            "intervals": self.intervals.to_dict(),
            "cutoff": self.cutoff,
        }
        return {"forecaster.json": to_json(description)} | self.model.to_files()

    @classmethod
    def from_files(cls, files: dict[str, bytes]) -> "Forecaster":
        """Restore from `to_files`."""
        description = json.loads(files["forecaster.json"])
        return cls(
            name=description["name"],
            model=restore_model(description["name"], tuple(description["feature_names"]), files),
            encoding=Encoding(description["words"]),
            intervals=Intervals.from_dict(description["intervals"]),
            cutoff=description["cutoff"],
        )


def tabulate_parts(
    forecast: Callable[..., pd.DataFrame],
    panel: PanelParts,
    day: int,
    steps: np.ndarray,
    rows: np.ndarray | None,
) -> Table:
    """Return the forecasts of all parts, or of some series of them; see `Forecaster.forecast`.

    Args:
        forecast: As `Forecaster.forecast_part`.
        panel: Sales and plan.
        day: The cutoff.
        steps: Days ahead of the cutoff.
        rows: Positions of the series wanted, ascending; None for all of them.
    """
    rows = np.arange(panel.n_series) if rows is None else rows
    items, own = sum_items(panel, [day])[0], panel.split(rows)
    return panel.tabulate(_forecast_part, forecast, day, steps, items, own=own)


def _forecast_part(
    part: Panel,
    rows: np.ndarray,
    forecast: Callable[..., pd.DataFrame],
    day: int,
    steps: np.ndarray,
    items: ItemSums | None,
) -> pd.DataFrame:
    return forecast(part, rows, day, steps, items)


def to_json(contents: Any) -> bytes:
    """Return readable JSON with sorted keys, the same bytes for the same contents."""
    return json.dumps(contents, indent=1, sort_keys=True, allow_nan=False).encode()

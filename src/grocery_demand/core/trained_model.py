"""What a training made: forecasters near and far and what is known of them; kept as files."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.errors import HorizonError, ModelFileError
from grocery_demand.core.features import ItemSums
from grocery_demand.core.forecaster import Forecaster, tabulate_parts, to_json
from grocery_demand.core.panel import SERIES_KEY, Panel
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.table_parts import Table, gather_table


@dataclass(frozen=True)
class TrainedModel:
    """What one training made: the forecaster to use and the one that the scores stand for.

    Attributes:
        final: Fitted on all sales.
        holdout: Fitted without the last days, with which it was scored.
        long_range: Fitted for dates beyond the horizon; None if the sales were too short.
        metadata: What the fitted model was given and how it scored; JSON-able.
        input_example: A few rows of features.
    """

    final: Forecaster
    holdout: Forecaster
    metadata: dict[str, Any]
    input_example: pd.DataFrame
    long_range: Forecaster | None = None

    @property
    def horizon(self) -> int:
        """Days ahead that `final` forecasts; later ones are `long_range`'s."""
        return int(self.metadata["horizon"])

    @property
    def furthest_step(self) -> int:
        """Days ahead that are answered at most."""
        return int(self.metadata.get("furthest_step", self.horizon))

    def forecaster_of(self, step: int) -> Forecaster:
        """Return the forecaster that answers for a day so many days ahead."""
        return self.long_range if self.long_range and step > self.horizon else self.final

    def forecast(
        self, panel: PanelParts, day: int, steps: np.ndarray, rows: np.ndarray | None = None
    ) -> pd.DataFrame:
        """Forecast series from what is known at the end of a day; see `Forecaster.forecast`.

        Args:
            panel: Sales and plan; of the sales, only those up to `day` are read.
            day: The cutoff, as a day of the panel.
            steps: Days ahead of the cutoff, ascending.
            rows: Positions of the series wanted, ascending; all of them by default.

        Returns:
            The forecasters' table with `long_range`: whether the date lies beyond the horizon.

        Raises:
            HorizonError: If a step lies beyond `furthest_step`.
        """
        return gather_table(self.tabulate(panel, day, steps, rows))

    def tabulate(
        self, panel: PanelParts, day: int, steps: np.ndarray, rows: np.ndarray | None = None
    ) -> Table:
        """Return what `forecast` does, in as many parts as the panel has."""
        if steps.max() > self.furthest_step:
            raise HorizonError(
                f"{steps.max()} days ahead are asked for, but this model answers up to "
                f"{self.furthest_step} days after its sales: as far as its backtest could try."
            )
        return tabulate_parts(self.forecast_part, panel, day, steps, rows)

    def forecast_part(
        self,
        part: Panel,
        rows: np.ndarray,
        day: int,
        steps: np.ndarray,
        items: ItemSums | None = None,
    ) -> pd.DataFrame:
        """Forecast series of one part of a panel; see `Forecaster.forecast_part`."""
        far = steps > self.horizon
        if self.long_range is None or not far.any():
            return self.final.forecast_part(part, rows, day, steps, items).assign(long_range=False)
        tables = [
            self.long_range.forecast_part(part, rows, day, steps[far], items).assign(
                long_range=True
            )
        ]
        if not far.all():
            near = self.final.forecast_part(part, rows, day, steps[~far], items)
            tables.insert(0, near.assign(long_range=False))
        both = pd.concat(tables, ignore_index=True)
        return both.sort_values([*SERIES_KEY, "step"], kind="stable", ignore_index=True)

    def to_files(self) -> dict[str, bytes]:
        """Return the model as named files; `from_files` restores it."""
        parts = {"final": self.final, "holdout": self.holdout}
        if self.long_range is not None:
            parts["long_range"] = self.long_range
        return {
            "metadata.json": to_json(self.metadata),
            "input_example.json": to_json(_to_columns(self.input_example)),
        } | {
            f"{part}/{name}": contents
            for part, forecaster in parts.items()
            for name, contents in forecaster.to_files().items()
        }

    @classmethod
    def from_files(cls, files: dict[str, bytes]) -> "TrainedModel":
        """Restore from `to_files`.

        Raises:
            ModelFileError: If a file is missing, damaged or of another form than written today.
        """
        try:
            return cls(
                final=Forecaster.from_files(_below("final/", files)),
                holdout=Forecaster.from_files(_below("holdout/", files)),
                long_range=_restore_if_any(_below("long_range/", files)),
                metadata=json.loads(files["metadata.json"]),
                input_example=_from_columns(json.loads(files["input_example.json"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"The model's files cannot be understood ({type(error).__name__}: {error}): they "
                "are damaged or were written by another version of this project."
            ) from error

    @property
    def digest(self) -> str:
        """SHA-256 of the fitted state; the same data, code and parameters give the same one."""
        digest = hashlib.sha256()
        for name, contents in sorted(self.to_files().items()):
            if name.startswith(("final/", "holdout/", "long_range/")):
                digest.update(f"{name} {len(contents)} ".encode() + contents)
        return digest.hexdigest()


def _restore_if_any(files: dict[str, bytes]) -> Forecaster | None:
    return Forecaster.from_files(files) if files else None


def _to_columns(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the columns in their order; JSON has no NaN, so that unknown values are null."""
    return [
        {"name": name, "values": column.astype(object).where(column.notna(), None).tolist()}
        for name, column in table.items()
    ]


def _from_columns(columns: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame({c["name"]: np.array(c["values"], dtype=float) for c in columns})


def _below(folder: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {
        name.removeprefix(folder): contents
        for name, contents in files.items()
        if name.startswith(folder)
    }

"""Rows to learn from: made in each part of the panel, and brought into one order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from grocery_demand.core.backtest import TrainingDay, scored_rows
from grocery_demand.core.errors import DataShortageError
from grocery_demand.core.features import AheadFeature, Encoding, ItemSums, Snapshot, sum_items
from grocery_demand.core.features.group_days import GroupDays
from grocery_demand.core.features.groups import GROUPS, GroupSums
from grocery_demand.core.features.month_days import MONTH_DAY, MonthDays
from grocery_demand.core.features.surroundings import Surroundings
from grocery_demand.core.models import PointModel, fit_model
from grocery_demand.core.panel import STORE_GROUPS, Panel
from grocery_demand.core.parts import PanelParts

_FEW_OF_THEM = 0.25
"""Share of the series, up to which features are made of these alone and not of all."""


@dataclass(frozen=True)
class Rows:
    """Rows to learn from, one per series and day that count (see `scored_rows`).

    Attributes:
        matrix: Features, float32 [row, feature] in column-major order.
        target: ln(1+units), float32 [row].
        weight: Of each row in the loss, float32 [row].
        day: The day whose sales are the target, int [row].
    """

    matrix: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    day: np.ndarray

    def __len__(self) -> int:
        return len(self.target)

    def known_on(self, day: int) -> "Rows":
        """Return the rows whose sales are known at the end of a day."""
        kept = self.day <= day
        return Rows(*(getattr(self, field.name)[kept] for field in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[Sequence["Rows"]]) -> "Rows":
        """Bring the windows of all parts into the order in which one part would have them.

        Args:
            parts: Of each part, the rows of each window.
        """
        blocks = [block for window in zip(*parts, strict=True) for block in window]
        matrix = np.concatenate([block.matrix.T for block in blocks], axis=1).T
        names = ("target", "weight", "day")
        columns = [np.concatenate([getattr(block, name) for block in blocks]) for name in names]
        return cls(matrix, *columns)


@dataclass(frozen=True)
class RowPlan:
    """Which rows every part makes.

    Attributes:
        windows: Of each part, the cutoffs with positions of its own series.
        names: The features.
        encoding: Codes of attributes.
        items: What all stores say of each item at each cutoff; see `sum_items`.
        tried: Features that the library does not know, by name; see `core.feature_trials`.
    """

    windows: list[list[TrainingDay]]
    names: tuple[str, ...]
    encoding: Encoding
    items: list[ItemSums | None]
    tried: Mapping[str, AheadFeature]

    @classmethod
    def of(
        cls,
        panel: PanelParts,
        windows: Sequence[TrainingDay],
        names: tuple[str, ...],
        encoding: Encoding,
        tried: Mapping[str, AheadFeature] | None = None,
    ) -> "RowPlan":
        """Hand every part its share of the windows."""
        split = [panel.split(window.rows) for window in windows]
        own = [
            [
                TrainingDay(w.day, w.steps, rows[part])
                for w, rows in zip(windows, split, strict=True)
            ]
            for part in range(panel.n_parts)
        ]
        items = sum_items(panel, [window.day for window in windows])
        return cls(own, names, encoding, items, tried or {})

    def gather(self, panel: PanelParts) -> Rows:
        """Return the rows of all parts."""
        return Rows.join(panel.map(make_rows, *self.shared, own=self.windows))

    @property
    def shared(self) -> tuple[Any, ...]:
        """What `make_rows` is told in every part."""
        return self.names, self.encoding, self.items, self.tried


def make_rows(
    part: Panel,
    windows: list[TrainingDay],
    names: tuple[str, ...],
    encoding: Encoding,
    items: list[ItemSums | None],
    tried: Mapping[str, AheadFeature],
) -> list[Rows]:
    """Return the rows of each window in one part of a panel."""
    few = [] if tried else [w.day for w in windows if _are_few(w, part)]
    # Of several parts, what all stores say of each item is at hand.
    groupings = GROUPS if None in items else tuple(STORE_GROUPS)
    by_day = GroupDays.of(part, few, groupings) if few else None
    months = MonthDays.of(part, [w.day for w in windows]) if MONTH_DAY in names else None
    rows = []
    for window, of_all in zip(windows, items, strict=True):
        if by_day is not None and _are_few(window, part):
            known = _see_few(part, window, by_day.at(window.day), of_all, months)
            wanted = np.arange(len(window.rows))
        else:
            known, wanted = Snapshot(part, window.day, tried, of_all, months=months), window.rows
        matrix = known.features(encoding, window.steps, names, wanted)
        rows.append(_count_rows(part, window, matrix))
    return rows


def _are_few(window: TrainingDay, part: Panel) -> bool:
    return len(window.rows) <= len(part.series) * _FEW_OF_THEM


def _see_few(
    part: Panel,
    window: TrainingDay,
    groups: dict[str, GroupSums],
    of_all: ItemSums | None,
    months: MonthDays | None,
) -> Snapshot:
    """Return what is known of the series of a window alone; the others count in groups only."""
    month_days = months.at(window.day) if months else None
    around = Surroundings.of(part, window.day, groups, of_all, month_days)
    few = part.select(window.rows)
    return Snapshot(few, window.day, around=around.of_rows(window.rows))


def _count_rows(part: Panel, window: TrainingDay, matrix: np.ndarray) -> Rows:
    day, steps, rows = window.day, window.steps, window.rows
    counted = scored_rows(part, day, steps, rows).ravel()
    units = part.units[rows[:, None], day + steps].ravel()
    return Rows(
        matrix=np.compress(counted, matrix.T, axis=1).T,
        target=np.log1p(units[counted]),
        weight=np.repeat(part.weights[rows], len(steps))[counted],
        day=np.tile(day + steps, len(rows))[counted],
    )


@dataclass(frozen=True)
class Recipe:
    """What is fitted, whatever the rows; for `PanelParts.learn`.

    Attributes:
        model: One of `core.models.MODELS` that learns from rows.
        names: The features.
        settings: The library's own parameters.
        seed: Makes the fit repeatable.
        shortage: What is told if there is no row.
    """

    model: str
    names: tuple[str, ...]
    settings: dict[str, Any]
    seed: int
    shortage: str

    def __call__(self, parts: list[list[Rows]]) -> PointModel:
        """Fit on the rows of all parts, by part and window.

        Raises:
            DataShortageError: If there is none.
        """
        rows = Rows.join(parts)
        self.require_rows(len(rows))
        return fit_model(
            self.model, self.names, rows.matrix, rows.target, rows.weight, self.settings, self.seed
        )

    def require_rows(self, n_rows: int) -> None:
        """Raise a `DataShortageError` if there is no row."""
        if not n_rows:
            raise DataShortageError(self.shortage)

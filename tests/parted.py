"""A panel in parts that lie side by side in one process: the simplest `PanelParts`."""

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import Answer, PanelParts
from grocery_demand.core.table_parts import TableParts


class PartedPanel(PanelParts):
    """A panel cut into parts of consecutive stores."""

    def __init__(self, panel: Panel, ends: Sequence[int]) -> None:
        """Cut the panel before these of its stores."""
        self.start_date, self.digest = panel.start_date, panel.digest
        self.simulated = panel.simulated
        cuts = [0, *ends, len(panel.stores)]
        self.parts = [panel.select_stores(slice(first, end)) for first, end in pairwise(cuts)]

    @property
    def n_days(self) -> int:
        return self.parts[0].n_days

    @property
    def n_planned_days(self) -> int:
        return self.parts[0].n_planned_days

    @cached_property
    def first_sale(self) -> np.ndarray:
        return np.concatenate([part.first_sale for part in self.parts])

    @cached_property
    def bounds(self) -> np.ndarray:
        return np.cumsum([0, *(len(part.series) for part in self.parts)])

    def map(
        self, function: Callable[..., Answer], *shared: Any, own: Sequence[Any] | None = None
    ) -> list[Answer]:
        return _ask_all(self.parts, function, shared, own)

    def tabulate(
        self,
        function: Callable[..., pd.DataFrame],
        *shared: Any,
        own: Sequence[Any] | None = None,
    ) -> "PartedTable":
        return PartedTable(self.map(function, *shared, own=own))


class PartedTable(TableParts):
    """A table in parts, side by side in one process."""

    def __init__(self, parts: list[pd.DataFrame]) -> None:
        self.parts = parts

    def map(
        self, function: Callable[..., Answer], *shared: Any, own: Sequence[Any] | None = None
    ) -> list[Answer]:
        return _ask_all(self.parts, function, shared, own)

    def derive(self, function: Callable[..., pd.DataFrame], *shared: Any) -> "PartedTable":
        return PartedTable(self.map(function, *shared))


def _ask_all(
    parts: Sequence[Any], function: Callable[..., Any], shared: Any, own: Sequence[Any] | None
) -> list[Any]:
    if own is None:
        return [function(part, *shared) for part in parts]
    return [function(part, each, *shared) for part, each in zip(parts, own, strict=True)]

"""A panel in parts that lie side by side in one process: the simplest `PanelParts`."""

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import Answer, PanelParts


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

    @cached_property
    def first_sale(self) -> np.ndarray:
        return np.concatenate([part.first_sale for part in self.parts])

    @cached_property
    def bounds(self) -> np.ndarray:
        return np.cumsum([0, *(len(part.series) for part in self.parts)])

    def map(
        self, function: Callable[..., Answer], *shared: Any, own: Sequence[Any] | None = None
    ) -> list[Answer]:
        if own is None:
            return [function(part, *shared) for part in self.parts]
        pairs = zip(self.parts, own, strict=True)
        return [function(part, each, *shared) for part, each in pairs]

"""What lies in parts, side by side in one process: the simplest `PanelParts` and its like."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.panel import Panel
from grocery_demand.core.parts import Answer, PanelParts, combine_pairs
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.rows import ROW, join_kept
from grocery_demand.core.quality.sales_staging import RawSalesParts, Staging
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


class SalesStaging(Staging):
    """Blocks and parts of train, side by side in one process."""

    def __init__(self) -> None:
        self.blocks: list[pl.DataFrame] = []
        self.place: list[pl.DataFrame] = []

    def check_blocks(self, read, check, follow, *shared):
        return follow(self._check(read(), check, shared))

    def _check(self, blocks, check, shared):
        for block in blocks:
            rows, answer = check(block, *shared)
            self.blocks.append(rows)
            yield answer

    def ask_blocks(self, function, combine, *shared):
        return combine_pairs([function(rows, *shared) for rows in self.blocks], combine)

    def make_parts(self, stores, make, combine, *shared):
        whole = join_kept(self.blocks).sort(ROW)
        answers = []
        for ends in stores:
            rows, answer = make(whole.filter(pl.col("store_nbr").is_between(*ends)), *shared)
            self.place.append(rows)
            answers.append(answer)
        return combine_pairs(answers, combine)


class PartedRawSales(RawSalesParts):
    """Train, checked in blocks and parts by one process."""

    def __init__(self, raw: RawTable, n_parts: int) -> None:
        self.raw, self.n_parts, self.staging = raw, n_parts, SalesStaging()

    @contextmanager
    def open(self) -> Iterator[SalesStaging]:
        yield self.staging

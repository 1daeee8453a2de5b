"""Train while its checks are shared out: who checks it, where its rows lie, what comes of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import polars as pl

from grocery_demand.core.quality.checking import Checked
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.rejected import RejectedRows
from grocery_demand.core.quality.rows import Block
from grocery_demand.core.quality.sales_facts import SalesFacts

Answer = TypeVar("Answer")
Span = tuple[int, int]
"""The first and the last of some days, since 1970-01-01."""


@dataclass(frozen=True)
class KeptSales:
    """The good rows of train in parts by store; they stand once they are saved.

    Attributes:
        rows: Rows of each part.
        first_stores: The lowest store number of each part, ascending.
        span: The first and the last day with sales.
        facts: What they cover.
        place: Where they lie, for whoever saves them.
    """

    rows: list[int]
    first_stores: list[int]
    span: Span
    facts: SalesFacts
    place: Any


@dataclass(frozen=True)
class CheckedSales(Checked):
    """Train after its checks, its good rows in parts.

    Attributes:
        raw: Where it came from.
        kept: The good rows.
        rejected: The bad rows, summed up.
    """

    raw: RawTable
    kept: KeptSales
    rejected: RejectedRows

    @property
    def rows_kept(self) -> int:
        """Number of good rows."""
        return sum(self.kept.rows)

    @property
    def bad(self) -> RejectedRows:
        """The bad rows, summed up."""
        return self.rejected


class Staging(ABC):
    """Where rows of train are checked, and lie until they stand or are given up.

    Attributes:
        place: Where the parts lie, see `KeptSales`.
    """

    place: Any

    @abstractmethod
    def check_blocks(
        self,
        read: Callable[[], Iterator[Block]],
        check: Callable[..., tuple[pl.DataFrame, Answer]],
        follow: Callable[[Iterator[Answer]], Answer],
        *shared: Any,
    ) -> Answer:
        """Have every block checked, and keep its good rows.

        Args:
            read: Reads the blocks, in their order; anew if work was lost.
            check: Called as `check(block, *shared)`; returns rows to be kept, and an answer.
                Importable, and pure.
            follow: Brings the answers together, which come in the order of the blocks. Blocks of
                which it takes no answer are left out of all that follows.
            shared: The same for every block.
        """

    @abstractmethod
    def ask_blocks(
        self,
        function: Callable[..., Answer],
        combine: Callable[[Sequence[Answer]], Answer],
        *shared: Any,
    ) -> Answer:
        """Ask the rows that were kept of every block, and bring the answers together.

        Args:
            function: Called as `function(rows, *shared)`; importable, and pure.
            combine: Makes one answer of several that follow each other; in any grouping.
            shared: The same for every block.
        """

    @abstractmethod
    def make_parts(
        self,
        stores: Sequence[tuple[int, int]],
        make: Callable[..., tuple[pl.DataFrame, Answer]],
        combine: Callable[[Sequence[Answer]], Answer],
        *shared: Any,
    ) -> Answer:
        """Bring the rows together by store, and have a part made of those of some stores each.

        Args:
            stores: The first and the last store of each part.
            make: Called as `make(rows, *shared)` with rows in the order of the file; returns the
                rows of the part, and an answer. Importable, and pure.
            combine: Makes one answer of several that follow each other; in any grouping.
            shared: The same for every part.
        """


class RawSalesParts(ABC):
    """Train, not yet read, with those who check it.

    Attributes:
        raw: The table.
        n_parts: Parts that are wanted.
    """

    raw: RawTable
    n_parts: int

    @abstractmethod
    def open(self) -> AbstractContextManager[Staging]:
        """Give a place to work in; after an error nothing is left of it, else the parts are."""

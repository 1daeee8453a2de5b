"""A large table in parts: what is asked of each part, and how the answers come together."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

import pandas as pd

Answer = TypeVar("Answer")


class TableParts(ABC):
    """A table in parts, wherever they lie; its rows are those of one part after the other."""

    @abstractmethod
    def map(
        self, function: Callable[..., Answer], *shared: Any, own: Sequence[Any] | None = None
    ) -> list[Answer]:
        """Ask every part, see `ask_table`."""

    @abstractmethod
    def derive(self, function: Callable[..., pd.DataFrame], *shared: Any) -> "TableParts":
        """Return the table that is made of each part on its own, see `derive_table`."""


Table: TypeAlias = pd.DataFrame | TableParts
"""A table in parts, or one in a single part: itself."""


def ask_table(
    table: Table, function: Callable[..., Answer], *shared: Any, own: Sequence[Any] | None = None
) -> list[Answer]:
    """Ask every part of a table.

    Args:
        table: The table.
        function: Called as `function(part, *shared)`, or `function(part, own, *shared)`, where
            `part` is a DataFrame; importable, and pure.
        shared: The same for every part.
        own: What is meant for each part, one after the other.

    Returns:
        The answers, in the order of the parts.
    """
    if isinstance(table, TableParts):
        return table.map(function, *shared, own=own)
    return [function(table, *shared) if own is None else function(table, own[0], *shared)]


def derive_table(table: Table, function: Callable[..., pd.DataFrame], *shared: Any) -> Table:
    """Return the table of what a function makes of each part; it lies where that lies."""
    if isinstance(table, TableParts):
        return table.derive(function, *shared)
    return function(table, *shared)


def gather_table(table: Table) -> pd.DataFrame:
    """Return the whole table."""
    return join_tables(ask_table(table, _itself))


def join_tables(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of all parts as one; the only one as it is."""
    return tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True)


def _itself(part: pd.DataFrame) -> pd.DataFrame:
    return part

"""From dates, store and item numbers to positions in arrays, for tables of any size."""

from collections.abc import Iterable

import numpy as np
import polars as pl

SLICE = 8_000_000
"""Rows of a large table that are worked on at once: their temporary arrays stay small."""

_LARGEST_LOOKUP = 2**24


class Positions:
    """The positions of numbers in the sorted row of the numbers that are known.

    Attributes:
        numbers: The known numbers, sorted, each once.
    """

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers = np.unique(numbers)
        self._lookup: np.ndarray | None = None
        highest = int(self.numbers.max(initial=0))
        if highest < _LARGEST_LOOKUP:
            self._lookup = np.zeros(highest + 1, np.int32)
            self._lookup[self.numbers] = np.arange(len(self.numbers), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, numbers: np.ndarray) -> np.ndarray:
        """Return the position of each number, int32; every number has to be a known one."""
        if self._lookup is not None:
            return self._lookup[numbers]
        return np.searchsorted(self.numbers, numbers).astype(np.int32)


class PairIndex:
    """The pairs of store and item that occur, numbered in the order of store and item."""

    def __init__(
        self, store_nbrs: np.ndarray, item_nbrs: np.ndarray, tables: Iterable[pl.DataFrame]
    ) -> None:
        """Find the pairs.

        Args:
            store_nbrs: Every store number that the tables may name.
            item_nbrs: Every item number that the tables may name.
            tables: Tables with store_nbr and item_nbr.
        """
        self._stores, self._items = Positions(store_nbrs), Positions(item_nbrs)
        present = mark_pairs(self._stores, self._items, tables)
        self._cells = np.flatnonzero(present)
        self._numbers = np.cumsum(present, dtype=np.int32) - np.int32(1)

    @classmethod
    def of_rows(cls, rows: pl.DataFrame) -> "PairIndex":
        """Return the pairs of a table, whichever stores and items it names."""
        store_nbrs, item_nbrs = rows["store_nbr"].unique(), rows["item_nbr"].unique()
        return cls(store_nbrs.to_numpy(), item_nbrs.to_numpy(), [rows])

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def store_nbrs(self) -> np.ndarray:
        """Store number of each pair."""
        return self._stores.numbers[self._cells // len(self._items)]

    @property
    def item_nbrs(self) -> np.ndarray:
        """Item number of each pair."""
        return self._items.numbers[self._cells % len(self._items)]

    def of(self, rows: pl.DataFrame) -> np.ndarray:
        """Return the number of each row's pair, int32; every pair has to be one that occurs."""
        return self._numbers[_find_cells(self._stores, self._items, rows)]


def mark_pairs(stores: Positions, items: Positions, tables: Iterable[pl.DataFrame]) -> np.ndarray:
    """Return whether each pair of store and item occurs, bool [store × item].

    Args:
        stores: Every store that the tables may name.
        items: Every item that the tables may name.
        tables: Tables with store_nbr and item_nbr.
    """
    present = np.zeros(len(stores) * len(items), bool)
    for table in tables:
        for part in table.iter_slices(SLICE):
            present[_find_cells(stores, items, part)] = True
    return present


def _find_cells(stores: Positions, items: Positions, rows: pl.DataFrame) -> np.ndarray:
    store = stores.of(rows["store_nbr"].to_numpy()).astype(np.int64)
    return store * len(items) + items.of(rows["item_nbr"].to_numpy())


def number_days(dates: pl.Series) -> np.ndarray:
    """Return dates as days since 1970-01-01, int32."""
    return dates.to_physical().to_numpy()


def find_day_span(dates: pl.Series) -> tuple[int, int]:
    """Return the first and the last of some dates, as days since 1970-01-01."""
    first, last = number_days(pl.Series([dates.min(), dates.max()], dtype=pl.Date))
    return int(first), int(last)

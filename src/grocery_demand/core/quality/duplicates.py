"""Later rows with a key that an earlier row has."""

import numpy as np
import polars as pl

from grocery_demand.core.pairs import SLICE, PairIndex, find_day_span, number_days


def find_duplicates(rows: pl.DataFrame, key: list[str]) -> np.ndarray:
    """Return whether each row repeats the key of an earlier one, bool [row]; for small tables."""
    return (~rows.select(pl.struct(key).is_first_distinct()).to_series()).to_numpy()


def find_duplicate_sales(rows: pl.DataFrame) -> np.ndarray:
    """Return whether each row repeats date, store_nbr and item_nbr of an earlier one.

    A dense map of day × pair of store and item takes a byte for each cell of the panel to come:
    far less time than sorting or grouping all rows, and little memory.

    Args:
        rows: One row per sale, any order.

    Returns:
        bool [row].
    """
    if rows.is_empty():
        return np.zeros(0, bool)
    pairs = PairIndex.of_rows(rows)
    first, last = find_day_span(rows["date"])
    seen = np.zeros((last - first + 1) * len(pairs), bool)
    n_seen, found = 0, []
    for part in rows.iter_slices(SLICE):
        day = (number_days(part["date"]) - first).astype(np.int64)
        cell = day * len(pairs) + pairs.of(part)
        repeated = seen[cell]
        seen[cell] = True
        n_seen_before, n_seen = n_seen, int(np.count_nonzero(seen))
        if n_seen - n_seen_before < np.count_nonzero(~repeated):
            repeated |= _find_repeats(cell)
        found.append(repeated)
    return np.concatenate(found)


def _find_repeats(cells: np.ndarray) -> np.ndarray:
    repeated = np.ones(len(cells), bool)
    repeated[np.unique(cells, return_index=True)[1]] = False
    return repeated

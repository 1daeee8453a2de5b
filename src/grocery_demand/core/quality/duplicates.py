"""Later rows with a key that an earlier row has."""

import numpy as np
import polars as pl

from grocery_demand.core.quality.positions import Positions, find_day_span, number_days

_SLICE = 8_000_000


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
    pairs, n_pairs = _number_pairs(rows)
    first, last = find_day_span(rows["date"])
    seen = np.zeros((last - first + 1) * n_pairs, bool)
    n_seen, found = 0, []
    for part, pair in zip(rows.iter_slices(_SLICE), pairs, strict=True):
        cell = (number_days(part["date"]) - first).astype(np.int64) * n_pairs + pair
        repeated = seen[cell]
        seen[cell] = True
        n_seen_before, n_seen = n_seen, int(np.count_nonzero(seen))
        if n_seen - n_seen_before < np.count_nonzero(~repeated):
            repeated |= _find_repeats(cell)
        found.append(repeated)
    return np.concatenate(found)


def _number_pairs(rows: pl.DataFrame) -> tuple[list[np.ndarray], int]:
    """Return numbers of the rows' pairs of store and item, by slice, and how many there are."""
    stores = Positions(rows["store_nbr"].unique().to_numpy())
    items = Positions(rows["item_nbr"].unique().to_numpy())
    present = np.zeros(len(stores) * len(items), bool)
    cells = []
    for part in rows.iter_slices(_SLICE):
        store, item = stores.of(part["store_nbr"].to_numpy()), items.of(part["item_nbr"].to_numpy())
        cells.append(store * np.int32(len(items)) + item)
        present[cells[-1]] = True
    numbers = np.cumsum(present, dtype=np.int32) - np.int32(1)
    return [numbers[cell] for cell in cells], int(np.count_nonzero(present))


def _find_repeats(cells: np.ndarray) -> np.ndarray:
    repeated = np.ones(len(cells), bool)
    repeated[np.unique(cells, return_index=True)[1]] = False
    return repeated

import numpy as np
import polars as pl
import pytest

from grocery_demand.core import pairs
from grocery_demand.core.pairs import PairIndex, Positions, find_day_span, number_days


@pytest.mark.parametrize("largest_lookup", [2**24, 1])
def test_positions_are_those_in_the_sorted_row_of_known_numbers(monkeypatch, largest_lookup):
    monkeypatch.setattr(pairs, "_LARGEST_LOOKUP", largest_lookup)
    positions = Positions(np.array([105574, 7, 7, 99197]))

    assert len(positions) == 3
    assert positions.numbers.tolist() == [7, 99197, 105574]
    assert positions.of(np.array([105574, 7], np.int32)).tolist() == [2, 0]
    assert positions.of(np.array([99197])).dtype == np.int32


def test_pairs_are_numbered_by_store_and_item(monkeypatch):
    monkeypatch.setattr(pairs, "SLICE", 2)
    rows = pl.DataFrame({"store_nbr": [44, 1, 44, 44, 1], "item_nbr": [7, 9, 5, 7, 9]})
    more = pl.DataFrame({"store_nbr": [1], "item_nbr": [5]})

    index = PairIndex(np.array([44, 1, 3]), np.array([9, 7, 5]), [rows, more])

    assert len(index) == 4
    assert index.store_nbrs.tolist() == [1, 1, 44, 44]
    assert index.item_nbrs.tolist() == [5, 9, 5, 7]
    assert index.of(rows).tolist() == [3, 1, 2, 3, 1]
    assert index.of(more).tolist() == [0]


def test_pairs_of_rows_know_the_stores_and_items_of_the_rows_only():
    rows = pl.DataFrame({"store_nbr": [44, 1], "item_nbr": [7, 9]})

    index = PairIndex.of_rows(rows)

    assert (index.store_nbrs.tolist(), index.item_nbrs.tolist()) == ([1, 44], [9, 7])


def test_days_are_counted_from_1970():
    dates = pl.Series(["1970-01-03", "1969-12-31"]).str.to_date()

    assert number_days(dates).tolist() == [2, -1]
    assert find_day_span(dates) == (-1, 2)

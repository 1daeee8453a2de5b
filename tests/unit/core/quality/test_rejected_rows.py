"""Bad rows of parts add up to those of the whole, and few of them are held."""

import polars as pl
import pytest

from grocery_demand.core.quality import rejected
from grocery_demand.core.quality.rejected import RejectedRows
from grocery_demand.core.quality.rows import REJECTED_SCHEMA

REASONS = ["b", "a", "b", "c", "a", "b", "b"]


def bad_rows(numbers: list[int]) -> pl.DataFrame:
    rows = [(number, "date", f"x{number}", REASONS[number]) for number in numbers]
    return pl.DataFrame(rows, REJECTED_SCHEMA, orient="row")


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(rejected, "MAX_STORED_ROWS", 2)


def test_parts_in_any_order_are_those_of_the_whole():
    whole = RejectedRows.of(bad_rows([3, 0, 1, 2, 4, 5, 6]))
    parts = RejectedRows.add_up(
        [RejectedRows.of(bad_rows(numbers)) for numbers in ([6, 4, 2], [3, 5], [], [1, 0])]
    )
    assert parts.counts == whole.counts
    assert parts.first.equals(whole.first)
    assert parts.examples.equals(whole.examples)


def test_the_most_frequent_reason_comes_first_and_each_has_its_first_row():
    bad = RejectedRows.of(bad_rows([6, 5, 4, 3, 2, 1, 0]))
    assert (bad.count, bad.reasons) == (7, {"b": 4, "a": 2, "c": 1})
    assert list(bad.reasons) == ["b", "a", "c"]
    assert bad.first["row"].to_list() == [0, 1]
    assert bad.examples["row"].to_list() == [0, 1, 3]

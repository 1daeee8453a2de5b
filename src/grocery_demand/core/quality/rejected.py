"""Bad rows summed up: how many for which reason, and those that are shown."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from grocery_demand.core.quality.rows import ROW, join_rejected

MAX_STORED_ROWS = 100_000
"""Quarantined rows that are stored in full; the report counts all of them."""


@dataclass(frozen=True)
class RejectedRows:
    """What is told of bad rows, however many there are.

    Attributes:
        counts: Bad rows by reason.
        first: The first of them, at most `MAX_STORED_ROWS`: row, column, value, reason; by row
            number.
        examples: The first one of each reason, as in `first`.
    """

    counts: dict[str, int]
    first: pl.DataFrame
    examples: pl.DataFrame

    @classmethod
    def of(cls, rejected: pl.DataFrame) -> "RejectedRows":
        """Sum up one row per bad row: row, column, value, reason; in any order."""
        counts = dict(rejected["reason"].value_counts().iter_rows())
        rejected = rejected.sort(ROW)
        return cls(counts, rejected.head(MAX_STORED_ROWS), _find_examples(rejected))

    @classmethod
    def add_up(cls, parts: Sequence["RejectedRows"]) -> "RejectedRows":
        """Bring parts of a table together, each with rows of its own."""
        counts = sum((Counter(part.counts) for part in parts), Counter[str]())
        first = join_rejected(part.first for part in parts).sort(ROW).head(MAX_STORED_ROWS)
        examples = join_rejected(part.examples for part in parts).sort(ROW)
        return cls(dict(counts), first, _find_examples(examples))

    @property
    def count(self) -> int:
        """Number of bad rows."""
        return sum(self.counts.values())

    @property
    def reasons(self) -> dict[str, int]:
        """Bad rows by reason, the most frequent first."""
        return dict(sorted(self.counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _find_examples(rejected: pl.DataFrame) -> pl.DataFrame:
    return rejected.unique("reason", keep="first", maintain_order=True)

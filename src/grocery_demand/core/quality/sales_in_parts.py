"""Checks of train that are shared out: rows block by block, dates and keys part by part.

What is wrong with a row is found in its block alone. Which dates are stray is decided from the
rows by day of all blocks. A key that occurs twice does so within a store, so that duplicates are
found in parts by store. All of it is done by the functions that check a whole table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import polars as pl

from grocery_demand.core.pairs import Positions, find_day_span, mark_pairs
from grocery_demand.core.parts import cut_evenly
from grocery_demand.core.quality.checking import (
    SALES_KEY,
    CheckedTable,
    check_table,
    follow_parts,
    join_rows,
    log_rows,
    refuse_useless,
    reject_duplicates,
    reject_stray_dates,
)
from grocery_demand.core.quality.columns import WholeColumn
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.rejected import RejectedRows
from grocery_demand.core.quality.rows import (
    REJECTED_SCHEMA,
    ROW,
    Block,
    CheckedRows,
    check_block,
    read_blocks,
)
from grocery_demand.core.quality.sales_facts import SalesFacts
from grocery_demand.core.quality.sales_staging import (
    CheckedSales,
    KeptSales,
    RawSalesParts,
    Span,
    Staging,
)
from grocery_demand.core.quality.stray_dates import count_by_day, find_true_span, lies_beyond
from grocery_demand.core.quality.tables import TableRules


def check_sales_table(
    raw: RawTable | RawSalesParts, rules: TableRules, parameters: QualityParameters
) -> CheckedTable | CheckedSales:
    """Check every row of train, by this process or by those who come with it.

    Args:
        raw: The table.
        rules: Its columns; stores and items have to be known ones.
        parameters: The bounds.

    Raises:
        RawDataError: If a column is missing, the table is empty or too many rows are bad.
    """
    if not isinstance(raw, RawSalesParts):
        return check_table(raw, rules, parameters)
    with raw.open() as staging:
        checked = _examine(raw, staging, rules, parameters)
        refuse_useless(checked, parameters)
    log_rows(checked)
    return checked


@dataclass(frozen=True)
class _CheckedBlocks:
    """What is known of blocks whose rows were checked.

    Attributes:
        rows_kept: Number of good rows.
        bad: The others.
        days: Days of the good rows, since 1970-01-01, ascending, int64 [day].
        by_day: Good rows of each, int64 [day].
        pairs: Pairs of store and item that occur, see `_mark`.
    """

    rows_kept: int
    bad: RejectedRows
    days: np.ndarray
    by_day: np.ndarray
    pairs: np.ndarray

    @classmethod
    def of(cls, checked: CheckedRows, known: tuple[Positions, Positions]) -> "_CheckedBlocks":
        days, by_day = count_by_day(checked.kept["date"])
        bad, pairs = RejectedRows.of(checked.rejected), _mark(checked.kept, known)
        return cls(checked.kept.height, bad, days, by_day, pairs)

    @classmethod
    def add_up(cls, parts: Sequence["_CheckedBlocks"]) -> "_CheckedBlocks":
        days, position = np.unique(
            np.concatenate([part.days for part in parts]), return_inverse=True
        )
        by_day = np.zeros(len(days), np.int64)
        np.add.at(by_day, position, np.concatenate([part.by_day for part in parts]))
        return cls(
            sum(part.rows_kept for part in parts),
            RejectedRows.add_up([part.bad for part in parts]),
            days,
            by_day,
            _unite([part.pairs for part in parts]),
        )

    @property
    def rows_read(self) -> int:
        return self.rows_kept + self.bad.count

    @property
    def rows_rejected(self) -> int:
        return self.bad.count


@dataclass(frozen=True)
class _MadeParts:
    """What is known of parts whose dates and keys were checked."""

    rows: list[int]
    bad: RejectedRows
    span: Span
    facts: SalesFacts

    @classmethod
    def add_up(cls, parts: Sequence["_MadeParts"]) -> "_MadeParts":
        first, last = zip(*(part.span for part in parts), strict=True)
        return cls(
            [rows for part in parts for rows in part.rows],
            RejectedRows.add_up([part.bad for part in parts]),
            (min(first), max(last)),
            SalesFacts.add_up([part.facts for part in parts]),
        )


def _examine(
    parts: RawSalesParts, staging: Staging, rules: TableRules, parameters: QualityParameters
) -> CheckedSales:
    raw, known = parts.raw, _find_known(rules)
    read, follow = partial(read_blocks, raw, rules), partial(_follow, raw, rules, parameters)
    found = staging.check_blocks(read, _check_block, follow, rules)
    if not found.rows_kept:
        nothing = SalesFacts.of(join_rows([], rules).kept)
        return CheckedSales(raw, KeptSales([], [], (0, -1), nothing, staging.place), found.bad)
    span = find_true_span(found.days, found.by_day, parameters.max_gap_days)
    pairs = found.pairs
    if span != (found.days[0], found.days[-1]):
        pairs = staging.ask_blocks(_mark_within, _unite, span, rules)
    first_stores = _cut_stores(pairs, known, parts.n_parts)
    # Stores all of whose dates are stray join their neighbours, to have their rows set aside.
    ends = [known[0].numbers[0], *first_stores[1:], known[0].numbers[-1] + 1]
    stores = [(int(first), int(after) - 1) for first, after in pairwise(ends)]
    made = staging.make_parts(stores, _make_part, _MadeParts.add_up, span)
    bad = RejectedRows.add_up([found.bad, made.bad])
    kept = KeptSales(made.rows, first_stores, made.span, made.facts, staging.place)
    return CheckedSales(raw, kept, bad)


def _check_block(block: Block, rules: TableRules) -> tuple[pl.DataFrame, _CheckedBlocks]:
    checked = check_block(block, rules)
    by_store = checked.kept.sort("store_nbr", maintain_order=True)
    return by_store, _CheckedBlocks.of(checked, _find_known(rules))


def _follow(
    raw: RawTable,
    rules: TableRules,
    parameters: QualityParameters,
    blocks: Iterable[_CheckedBlocks],
) -> _CheckedBlocks:
    """Add blocks up as they come, so that none has to be kept."""
    total = _CheckedBlocks.of(join_rows([], rules), _find_known(rules))
    for block in follow_parts(blocks, raw, parameters):
        total = _CheckedBlocks.add_up([total, block])
    return total


def _make_part(rows: pl.DataFrame, span: Span) -> tuple[pl.DataFrame, _MadeParts]:
    checked = CheckedRows(rows, pl.DataFrame(schema=REJECTED_SCHEMA))
    checked = reject_stray_dates(checked, lies_beyond(rows["date"], span))
    checked = reject_duplicates(checked, SALES_KEY)
    kept, bad = checked.kept.drop(ROW), RejectedRows.of(checked.rejected)
    return kept, _MadeParts([kept.height], bad, find_day_span(kept["date"]), SalesFacts.of(kept))


def _find_known(rules: TableRules) -> tuple[Positions, Positions]:
    known = {
        column.name: Positions(column.known.to_numpy())
        for column in rules.columns
        if isinstance(column, WholeColumn) and column.known is not None
    }
    return known["store_nbr"], known["item_nbr"]


def _mark(rows: pl.DataFrame, known: tuple[Positions, Positions]) -> np.ndarray:
    """Return which pairs of store and item occur, a bit for each that is known."""
    return np.packbits(mark_pairs(*known, [rows]))


def _mark_within(rows: pl.DataFrame, span: Span, rules: TableRules) -> np.ndarray:
    within = rows.filter(pl.Series(~lies_beyond(rows["date"], span)))
    return _mark(within, _find_known(rules))


def _unite(pairs: Sequence[np.ndarray]) -> np.ndarray:
    return np.bitwise_or.reduce(pairs)


def _cut_stores(pairs: np.ndarray, known: tuple[Positions, Positions], n_parts: int) -> list[int]:
    """Return the first store of each part, so that each has about as many series."""
    stores, items = known
    marks = np.unpackbits(pairs, count=len(stores) * len(items))
    series = marks.reshape(len(stores), len(items)).sum(axis=1, dtype=np.int64)
    numbers = stores.numbers[series > 0]
    return [int(numbers[own.start]) for own in cut_evenly(series[series > 0], n_parts)]

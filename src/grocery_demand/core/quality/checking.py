"""From a raw table to a checked one: what is kept, what is set aside, and whether to go on."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
import polars as pl

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.quality import reasons
from grocery_demand.core.quality.duplicates import find_duplicate_sales, find_duplicates
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.rejected import RejectedRows
from grocery_demand.core.quality.rows import (
    REJECTED_SCHEMA,
    ROW,
    CheckedRows,
    check_block,
    join_kept,
    join_rejected,
    read_blocks,
)
from grocery_demand.core.quality.stray_dates import find_stray_dates
from grocery_demand.core.quality.tables import TableRules

SALES_KEY = ["date", "store_nbr", "item_nbr"]
_MOST_ROWS = 1_000_000_000
"""More rows than most tables have: as many bad rows as these may have are too many for any."""
_LOG_EVERY = 10_000_000

logger = logging.getLogger(__name__)


class Checked(ABC):
    """A raw table after its checks, wherever its good rows lie.

    Attributes:
        raw: Where it came from.
    """

    raw: RawTable

    @property
    @abstractmethod
    def rows_kept(self) -> int:
        """Number of good rows."""

    @property
    @abstractmethod
    def bad(self) -> RejectedRows:
        """The bad rows, summed up."""

    @property
    def rows_read(self) -> int:
        """Rows of the file; blank lines are none."""
        return self.rows_kept + self.bad.count

    @property
    def reasons(self) -> dict[str, int]:
        """Bad rows by reason, the most frequent first."""
        return self.bad.reasons


@dataclass(frozen=True)
class CheckedTable(Checked):
    """A raw table after its checks.

    Attributes:
        raw: Where it came from.
        kept: One row per good row, in file order, with the rules' columns.
        rejected: One row per bad row: row, column, value, reason; by row number.
    """

    raw: RawTable
    kept: pl.DataFrame
    rejected: pl.DataFrame

    @property
    def rows_kept(self) -> int:
        """Number of good rows."""
        return self.kept.height

    @cached_property
    def bad(self) -> RejectedRows:
        """The bad rows, summed up."""
        return RejectedRows.of(self.rejected)


def check_table(raw: RawTable, rules: TableRules, parameters: QualityParameters) -> CheckedTable:
    """Check every row of a table.

    Args:
        raw: The table; an optional one that is not there counts as one without rows.
        rules: Its columns.
        parameters: The bounds.

    Raises:
        RawDataError: If a column is missing, the table is empty or too many rows are bad.
    """
    checked = examine_table(raw, rules, parameters)
    if raw.is_there:
        refuse_useless(checked, parameters)
        log_rows(checked)
    return checked


def examine_table(raw: RawTable, rules: TableRules, parameters: QualityParameters) -> CheckedTable:
    """Check every row of a table, without judging whether the good ones are enough.

    Raises:
        RawDataError: If the file cannot be read or a column is missing.
    """
    if not raw.is_there:
        logger.info("%s: there is no such file; the run goes on without it.", raw.table)
        return CheckedTable(raw, _no_rows(rules), pl.DataFrame(schema=REJECTED_SCHEMA))
    checked = _check_rows(raw, rules, parameters)
    if rules.key == SALES_KEY:
        stray = find_stray_dates(checked.kept["date"], parameters.max_gap_days)
        checked = reject_stray_dates(checked, stray)
    if rules.key:
        checked = reject_duplicates(checked, rules.key)
    return CheckedTable(raw, checked.kept.drop(ROW), checked.rejected.sort(ROW))


def refuse_useless(checked: Checked, parameters: QualityParameters) -> None:
    """Raise a `RawDataError` if a table is empty or too many of its rows are bad."""
    raw, bad = checked.raw, checked.bad
    if not checked.rows_read:
        raise RawDataError(f"{raw.place} is empty: it holds no rows. Put the whole file there.")
    share = bad.count / checked.rows_read
    if share <= parameters.max_bad_share and checked.rows_kept:
        return
    raise RawDataError(
        f"{raw.place} holds too many bad rows: {bad.count:,} of "
        f"{checked.rows_read:,} rows read, {share:.2%}; quality.max_bad_share allows "
        f"{parameters.max_bad_share:.2%}.\n{_list_reasons(bad)}\n"
        f"Mend these rows, or allow more of them with quality.max_bad_share in "
        "conf/base/parameters.yml, or --params quality.max_bad_share=…"
    )


def log_rows(checked: Checked) -> None:
    """Log how many rows were read and how many set aside."""
    rows, aside = f"{checked.rows_read:,}", f"{checked.bad.count:,}"
    logger.info("%s: %s rows read, %s set aside.", checked.raw.file, rows, aside)


class CheckedPart(Protocol):
    """What is known of a part of a table whose rows were checked."""

    @property
    def rows_read(self) -> int:
        """Rows that were read; blank lines are none."""

    @property
    def rows_rejected(self) -> int:
        """Number of bad rows."""


Part = TypeVar("Part", bound=CheckedPart)


def follow_parts(
    parts: Iterable[Part], raw: RawTable, parameters: QualityParameters
) -> Iterator[Part]:
    """Pass on the parts of a table, tell how many rows were read, and end with hopeless ones."""
    rows_read = rows_rejected = 0
    for part in parts:
        yield part
        rows_rejected += part.rows_rejected
        if rows_rejected > parameters.max_bad_share * _MOST_ROWS:
            # However many good rows follow, they cannot make up for these.
            return
        before, rows_read = rows_read, rows_read + part.rows_read
        if rows_read // _LOG_EVERY > before // _LOG_EVERY:
            logger.info("%s: %s rows read …", raw.file, f"{rows_read:,}")


def join_rows(parts: Sequence[CheckedRows], rules: TableRules) -> CheckedRows:
    """Return the rows of several parts, one part after the other."""
    if not parts:
        empty = _no_rows(rules).with_columns(pl.lit(None, pl.UInt32).alias(ROW))
        return CheckedRows(empty, pl.DataFrame(schema=REJECTED_SCHEMA))
    kept = [part.kept for part in parts]
    return CheckedRows(join_kept(kept), join_rejected(part.rejected for part in parts))


def reject_stray_dates(checked: CheckedRows, stray: np.ndarray) -> CheckedRows:
    """Set rows aside whose date is stray, bool [row]."""
    return _reject(checked, stray, ["date"], reasons.STRAY_DATE)


def reject_duplicates(checked: CheckedRows, key: list[str]) -> CheckedRows:
    """Set rows aside whose key an earlier row has."""
    if key == SALES_KEY:
        repeated = find_duplicate_sales(checked.kept)
    else:
        repeated = find_duplicates(checked.kept, key)
    return _reject(checked, repeated, key, reasons.DUPLICATE_KEY)


def _check_rows(raw: RawTable, rules: TableRules, parameters: QualityParameters) -> CheckedRows:
    checked = (check_block(block, rules) for block in read_blocks(raw, rules))
    return join_rows(list(follow_parts(checked, raw, parameters)), rules)


def _no_rows(rules: TableRules) -> pl.DataFrame:
    empty = pl.DataFrame(schema=dict.fromkeys(rules.names, pl.String))
    return empty.select(column.parse(pl.col(column.name)) for column in rules.columns)


def _reject(checked: CheckedRows, bad: np.ndarray, columns: list[str], reason: str) -> CheckedRows:
    if not bad.any():
        return checked
    rejected = checked.kept.filter(pl.Series(bad)).select(
        ROW,
        pl.lit(", ".join(columns)).alias("column"),
        pl.concat_str(columns, separator=", ").alias("value"),
        pl.lit(reason).alias("reason"),
    )
    kept = checked.kept.filter(pl.Series(~bad))
    return CheckedRows(kept, join_rejected([checked.rejected, rejected]))


def _list_reasons(bad: RejectedRows) -> str:
    """Return a line per reason: how often, and an example with its place."""
    examples = {row["reason"]: row for row in bad.examples.iter_rows(named=True)}
    lines = []
    for reason, count in bad.reasons.items():
        row = examples[reason]
        where = f"row {row['row']}" + (f", column {row['column']}" if row["column"] else "")
        lines.append(f"  {count:,} × {reason}, as in {where}: {row['value']!r}")
    return "\n".join(lines)

"""From a raw table to a checked one: what is kept, what is set aside, and whether to go on."""

import logging
from dataclasses import dataclass

import numpy as np
import polars as pl

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.quality import reasons
from grocery_demand.core.quality.duplicates import find_duplicate_sales, find_duplicates
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.rows import REJECTED_SCHEMA, ROW, CheckedRows, check_blocks
from grocery_demand.core.quality.stray_dates import find_stray_dates
from grocery_demand.core.quality.tables import TableRules

_SALES_KEY = ["date", "store_nbr", "item_nbr"]
_MOST_ROWS = 1_000_000_000
"""More rows than any table has."""
_LOG_EVERY = 10_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckedTable:
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
    def rows_read(self) -> int:
        """Rows of the file; blank lines are none."""
        return self.kept.height + self.rejected.height

    @property
    def reasons(self) -> dict[str, int]:
        """Bad rows by reason, the most frequent first."""
        return _count_reasons(self.rejected)


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
    if rules.key == _SALES_KEY:
        checked = _reject_stray_dates(checked, parameters)
    if rules.key:
        checked = _reject_duplicates(checked, rules.key)
    return CheckedTable(raw, checked.kept.drop(ROW), checked.rejected.sort(ROW))


def refuse_useless(checked: CheckedTable, parameters: QualityParameters) -> None:
    """Raise a `RawDataError` if a table is empty or too many of its rows are bad."""
    raw = checked.raw
    if not checked.rows_read:
        raise RawDataError(f"{raw.place} is empty: it holds no rows. Put the whole file there.")
    share = checked.rejected.height / checked.rows_read
    if share <= parameters.max_bad_share and not checked.kept.is_empty():
        return
    raise RawDataError(
        f"{raw.place} holds too many bad rows: {checked.rejected.height:,} of "
        f"{checked.rows_read:,} rows read, {share:.2%}; quality.max_bad_share allows "
        f"{parameters.max_bad_share:.2%}.\n{_list_reasons(checked.rejected)}\n"
        f"Mend these rows, or allow more of them with quality.max_bad_share in "
        "conf/base/parameters.yml, or --params quality.max_bad_share=…"
    )


def log_rows(checked: CheckedTable) -> None:
    """Log how many rows were read and how many set aside."""
    rows, aside = f"{checked.rows_read:,}", f"{checked.rejected.height:,}"
    logger.info("%s: %s rows read, %s set aside.", checked.raw.file, rows, aside)


def _check_rows(raw: RawTable, rules: TableRules, parameters: QualityParameters) -> CheckedRows:
    parts: list[CheckedRows] = []
    rows_read = rows_rejected = 0
    for part in check_blocks(raw, rules):
        parts.append(part)
        rows_rejected += part.rejected.height
        if rows_rejected > parameters.max_bad_share * _MOST_ROWS:
            # However many good rows follow, they cannot make up for these.
            break
        before, rows_read = rows_read, rows_read + part.rows_read
        if rows_read // _LOG_EVERY > before // _LOG_EVERY:
            logger.info("%s: %s rows read …", raw.file, f"{rows_read:,}")
    return _join(parts, rules)


def _join(parts: list[CheckedRows], rules: TableRules) -> CheckedRows:
    if not parts:
        empty = _no_rows(rules).with_columns(pl.lit(None, pl.UInt32).alias(ROW))
        return CheckedRows(empty, pl.DataFrame(schema=REJECTED_SCHEMA))
    return CheckedRows(
        pl.concat([part.kept for part in parts], rechunk=False),
        pl.concat([part.rejected for part in parts]),
    )


def _no_rows(rules: TableRules) -> pl.DataFrame:
    empty = pl.DataFrame(schema=dict.fromkeys(rules.names, pl.String))
    return empty.select(column.parse(pl.col(column.name)) for column in rules.columns)


def _reject_stray_dates(checked: CheckedRows, parameters: QualityParameters) -> CheckedRows:
    stray = find_stray_dates(checked.kept["date"], parameters.max_gap_days)
    return _reject(checked, stray, ["date"], reasons.STRAY_DATE)


def _reject_duplicates(checked: CheckedRows, key: list[str]) -> CheckedRows:
    if key == _SALES_KEY:
        repeated = find_duplicate_sales(checked.kept)
    else:
        repeated = find_duplicates(checked.kept, key)
    return _reject(checked, repeated, key, reasons.DUPLICATE_KEY)


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
    return CheckedRows(kept, pl.concat([checked.rejected, rejected]))


def _list_reasons(rejected: pl.DataFrame) -> str:
    """Return a line per reason: how often, and an example with its place."""
    lines = []
    for reason, count in _count_reasons(rejected).items():
        row = rejected.filter(pl.col("reason") == reason).sort(ROW).row(0, named=True)
        where = f"row {row['row']}" + (f", column {row['column']}" if row["column"] else "")
        lines.append(f"  {count:,} × {reason}, as in {where}: {row['value']!r}")
    return "\n".join(lines)


def _count_reasons(rejected: pl.DataFrame) -> dict[str, int]:
    counts = rejected["reason"].value_counts().sort("count", "reason", descending=[True, False])
    return dict(counts.iter_rows())

"""The data-quality report of files that arrived: the same as of the first files, and each file."""

import hashlib
from collections import Counter
from typing import Any

import polars as pl

from grocery_demand.core.quality.checking import CheckedTable
from grocery_demand.core.quality.incoming import PLAN, SALES, TAKEN_IN, CheckedFile
from grocery_demand.core.quality.report import MAX_STORED_ROWS, describe_sales


def digest_files(files: list[CheckedFile]) -> str:
    """Return the SHA-256 of the files taken in: tables, names and bytes, in their order."""
    taken = [file.raw for file in files if file.status == TAKEN_IN]
    lines = [f"{raw.table} {raw.file} {raw.sha256}\n" for raw in taken]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def describe_incoming(
    files: list[CheckedFile], sales: pl.DataFrame, *, simulated: bool
) -> dict[str, Any]:
    """Return the report, ready for JSON.

    Args:
        files: Every file in the folder.
        sales: The sales that were taken in.
        simulated: Whether these files, or those of the panel that they join, are simulated.
    """
    tables = [file.table for file in files if file.table is not None]
    quarantined = sum(table.rejected.height for table in tables)
    return {
        "digest": digest_files(files),
        "simulated": simulated,
        "rows_read": sum(table.rows_read for table in tables),
        "rows_quarantined": quarantined,
        "rows_quarantined_stored": min(quarantined, MAX_STORED_ROWS),
        "sales": describe_sales(sales),
        "tables": {name: _describe_tables(name, tables) for name in (PLAN, SALES)},
        "files": [file.describe() for file in files],
    }


def _describe_tables(name: str, tables: list[CheckedTable]) -> dict[str, Any]:
    """Sum up the files of one table that were read; file and digest are told of a single one."""
    chosen = [table for table in tables if table.raw.table == name]
    only = chosen[0].raw if len(chosen) == 1 else None
    reasons = sum((Counter(table.reasons) for table in chosen), Counter[str]())
    return {
        "file": only.file if only else None,
        "sha256": only.sha256 if only else None,
        "rows_read": sum(table.rows_read for table in chosen),
        "rows_kept": sum(table.kept.height for table in chosen),
        "rows_quarantined": sum(table.rejected.height for table in chosen),
        "reasons": dict(reasons.most_common()),
    }

"""The data-quality report of files that arrived: the same as of the first files, and each file."""

import hashlib
from collections import Counter
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import polars as pl

from grocery_demand.core.quality.checking import CheckedTable
from grocery_demand.core.quality.incoming_files import PLAN, SALES, TAKEN_IN, CheckedFile
from grocery_demand.core.quality.report import MAX_STORED_ROWS, describe_sales

_DAYS_KEPT = 400
"""More than monitoring looks back upon."""


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


def list_recent_files(
    former: dict[str, Any] | None,
    files: list[CheckedFile],
    cutoff: date,
    taken_in: Collection[str],
) -> list[dict[str, Any]]:
    """Return what became of the rows of the files that the days of the last year came in.

    A file leaves the list when another one with all of its days was taken in, a plan when any
    other plan was: what was wrong with its rows is mended then. It leaves it, too, when it is no
    longer in the panel, as that was made anew.

    Args:
        former: The report of the update before; None for the first one.
        files: Every file in the folder, checked.
        cutoff: The last day of the sales known before.
        taken_in: Names of the files in the panel that stands, see `Panel`.

    Returns:
        One record per file, in the order in which they were taken in: table, file, dates (of its
        good rows, ISO), rows_read and rows_quarantined.
    """
    records = [r for r in (former or {}).get("recent_files", []) if r["file"] in taken_in]
    for file in files:
        if file.status != TAKEN_IN or file.table is None or not file.dates:
            continue
        records = [record for record in records if not _takes_place(file, record)]
        records.append(
            {
                "table": file.raw.table,
                "file": file.raw.file,
                "dates": [day.isoformat() for day in file.dates],
                "rows_read": file.table.rows_read,
                "rows_quarantined": file.table.rejected.height,
            }
        )
    oldest = (cutoff - timedelta(days=_DAYS_KEPT)).isoformat()
    return [record for record in records if record["dates"][-1] >= oldest]


def _takes_place(file: CheckedFile, record: dict[str, Any]) -> bool:
    if file.raw.table != record["table"]:
        return False
    days = {day.isoformat() for day in file.dates}
    return file.raw.table == PLAN or days.issuperset(record["dates"])

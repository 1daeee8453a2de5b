"""The data-quality report: what was read, kept and set aside, and what the sales cover."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import polars as pl

from grocery_demand.core.quality.checking import Checked
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.rejected import MAX_STORED_ROWS
from grocery_demand.core.quality.rows import REJECTED_SCHEMA
from grocery_demand.core.quality.sales_facts import SalesFacts
from grocery_demand.core.quality.sales_staging import KeptSales


def combine_digests(tables: Iterable[RawTable]) -> str:
    """Return the SHA-256 of all raw files, by their tables' names and their bytes as they lie.

    It does not depend on the folder or on the order of the tables. The same rows in another
    compression are other bytes and give another digest.
    """
    lines = sorted(f"{raw.table} {raw.sha256}\n" for raw in tables)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def list_quarantined_rows(tables: Iterable[Checked]) -> pd.DataFrame:
    """Return one row per bad row: file, row, column, value, reason; the first 100,000."""
    frames = [
        table.bad.first.select(pl.lit(table.raw.file).alias("file"), pl.all()) for table in tables
    ]
    empty = pl.DataFrame(schema={"file": pl.String, **REJECTED_SCHEMA})
    return pl.concat([empty, *frames], how="vertical_relaxed").head(MAX_STORED_ROWS).to_pandas()


def describe_quality(tables: Sequence[Checked], sales: pl.DataFrame | KeptSales) -> dict[str, Any]:
    """Return the report, ready for JSON.

    Args:
        tables: Every checked table.
        sales: The good rows of train.
    """
    quarantined = sum(table.bad.count for table in tables)
    return {
        "digest": combine_digests(table.raw for table in tables),
        "simulated": any(table.raw.simulated for table in tables),
        "rows_read": sum(table.rows_read for table in tables),
        "rows_quarantined": quarantined,
        "rows_quarantined_stored": min(quarantined, MAX_STORED_ROWS),
        "sales": describe_sales(sales),
        "tables": {table.raw.table: _describe_table(table) for table in tables},
    }


def _describe_table(table: Checked) -> dict[str, Any]:
    return {
        "file": table.raw.file or None,
        "sha256": table.raw.sha256 or None,
        "rows_read": table.rows_read,
        "rows_kept": table.rows_kept,
        "rows_quarantined": table.bad.count,
        "reasons": table.reasons,
    }


def describe_sales(sales: pl.DataFrame | KeptSales) -> dict[str, Any]:
    """Return what the good rows of train cover: dates, series, returns, promotions."""
    facts = sales.facts if isinstance(sales, KeptSales) else SalesFacts.of(sales)
    return facts.describe()

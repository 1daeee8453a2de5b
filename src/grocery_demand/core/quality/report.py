"""The data-quality report: what was read, kept and set aside, and what the sales cover."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.pairs import PairIndex
from grocery_demand.core.quality.checking import CheckedTable
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.rows import REJECTED_SCHEMA

MAX_STORED_ROWS = 100_000
"""Quarantined rows that are stored in full; the report counts all of them."""


def combine_digests(tables: Iterable[RawTable]) -> str:
    """Return the SHA-256 of all raw files, by their tables' names and their bytes as they lie.

    It does not depend on the folder or on the order of the tables. The same rows in another
    compression are other bytes and give another digest.
    """
    lines = sorted(f"{raw.table} {raw.sha256}\n" for raw in tables)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def list_quarantined_rows(tables: Iterable[CheckedTable]) -> pd.DataFrame:
    """Return one row per bad row: file, row, column, value, reason; the first 100,000."""
    frames = [
        table.rejected.select(pl.lit(table.raw.file).alias("file"), pl.all()) for table in tables
    ]
    empty = pl.DataFrame(schema={"file": pl.String, **REJECTED_SCHEMA})
    return pl.concat([empty, *frames]).head(MAX_STORED_ROWS).to_pandas()


def describe_quality(tables: list[CheckedTable], sales: pl.DataFrame) -> dict[str, Any]:
    """Return the report, ready for JSON.

    Args:
        tables: Every checked table.
        sales: The good rows of train.
    """
    quarantined = sum(table.rejected.height for table in tables)
    return {
        "digest": combine_digests(table.raw for table in tables),
        "simulated": any(table.raw.simulated for table in tables),
        "rows_read": sum(table.rows_read for table in tables),
        "rows_quarantined": quarantined,
        "rows_quarantined_stored": min(quarantined, MAX_STORED_ROWS),
        "sales": describe_sales(sales),
        "tables": {table.raw.table: _describe_table(table) for table in tables},
    }


def _describe_table(table: CheckedTable) -> dict[str, Any]:
    return {
        "file": table.raw.file or None,
        "sha256": table.raw.sha256 or None,
        "rows_read": table.rows_read,
        "rows_kept": table.kept.height,
        "rows_quarantined": table.rejected.height,
        "reasons": table.reasons,
    }


def describe_sales(sales: pl.DataFrame) -> dict[str, Any]:
    """Return what the good rows of train cover: dates, series, returns, promotions."""
    pairs = PairIndex.of_rows(sales)
    facts = sales.select(
        first_date=pl.col("date").min().cast(pl.String),
        last_date=pl.col("date").max().cast(pl.String),
        stores=pl.lit(len(np.unique(pairs.store_nbrs))),
        items=pl.lit(len(np.unique(pairs.item_nbrs))),
        series=pl.lit(len(pairs)),
        returns=(pl.col("unit_sales") < 0).sum(),
        promotions=pl.col("onpromotion").sum(),
        promotions_unknown=pl.col("onpromotion").null_count(),
    )
    return facts.row(0, named=True)

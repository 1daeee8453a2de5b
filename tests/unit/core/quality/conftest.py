"""Raw tables from texts, and bounds that small tables keep."""

from collections.abc import Callable

import polars as pl
import pytest

from grocery_demand.core.quality.checking import CheckedTable, check_table
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.tables import Known, TableRules, sales_rules

BOUNDS = {
    "max_bad_share": 1.0,
    "max_units": 1e6,
    "first_date": "2000-01-01",
    "last_date": "2100-01-01",
    "max_gap_days": 60,
}

KNOWN = Known(pl.Series([1, 44], dtype=pl.Int32), pl.Series([7, 105574], dtype=pl.Int32))

SALES_HEADER = "id,date,store_nbr,item_nbr,unit_sales,onpromotion\n"


def raw_table(text: str | bytes, table: str = "train", block_lines: int = 10**9) -> RawTable:
    data = text.encode() if isinstance(text, str) else text
    lines = data.splitlines(keepends=True)

    def read_blocks():
        for start in range(0, len(lines), block_lines):
            yield b"".join(lines[start : start + block_lines])

    return RawTable(table, f"{table}.csv", "raw", "0" * 64, 2, read_blocks)


@pytest.fixture
def make_bounds() -> Callable[..., QualityParameters]:
    return lambda **changes: QualityParameters(**(BOUNDS | changes))


@pytest.fixture
def make_raw() -> Callable[..., RawTable]:
    return raw_table


@pytest.fixture
def check_text(make_bounds) -> Callable[..., CheckedTable]:
    """Check a CSV text by some rules."""

    def check(
        text: str | bytes,
        rules: TableRules,
        table: str = "train",
        block_lines: int = 10**9,
        **bounds,
    ) -> CheckedTable:
        return check_table(raw_table(text, table, block_lines), rules, make_bounds(**bounds))

    return check


@pytest.fixture
def check_sales(check_text, make_bounds) -> Callable[..., CheckedTable]:
    """Check lines of train.csv against stores 1 and 44 and items 7 and 105574."""

    def check(*lines: str, header: str = SALES_HEADER, **bounds) -> CheckedTable:
        rules = sales_rules(make_bounds(**bounds), KNOWN)
        return check_text(header + "\n".join(lines), rules, **bounds)

    return check

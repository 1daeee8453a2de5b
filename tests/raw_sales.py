"""Train as a raw table: good sales with bad rows of every reason among them, in small blocks."""

from collections.abc import Iterator

import polars as pl

from grocery_demand.core.panel_in_parts import SmallTables
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.tables import Known, TableRules, sales_rules

HEADER = "date,store_nbr,item_nbr,unit_sales,onpromotion"
BOUNDS = QualityParameters(
    max_bad_share=0.5, max_units=1e6, first_date="2000-01-01", last_date="2100-01-01",
    max_gap_days=60,
)  # fmt: skip
_BLOCK_LINES = 900


def spoil(sales: pl.DataFrame, tables: SmallTables) -> list[str]:
    """Return the lines of sales, with bad ones among them that fall into several blocks.

    The store that sells nothing has a row all the same, whose date is stray.
    """
    lines = [line.strip() for line in sales.write_csv(include_header=False).splitlines()]
    store, item = tables.stores["store_nbr"].max(), tables.items["item_nbr"].iloc[0]
    day = sales["date"].min()
    bad = [
        f"2071-01-01,{store},{item},1,true",
        lines[7],
        f"{day},{store},{item},x,",
        f"{day},{store},{item},1,,surplus",
        f",{store},{item},1,",
        f"{day},{store},{item},,",
        f"2017-02-30,{store},{item},1,",
        f"{day},9999,{item},1,",
        f"{day},{store},9999999,1,",
        f"{day},{store},{item},inf,",
        f"{day},{store},{item},-1e7,false",
        f'{day},"{store},{item},1,',
        lines[-1],
        "",
    ]
    step = len(lines) // len(bad)
    for number, line in reversed(list(enumerate(bad, start=1))):
        lines.insert(number * step, line)
    return lines


def make_raw(lines: list[str], header: str = HEADER) -> RawTable:
    """Return a raw table of these lines."""
    texts = [f"{line}\n".encode() for line in [header, *lines]]

    def read_blocks() -> Iterator[bytes]:
        for start in range(0, len(texts), _BLOCK_LINES):
            yield b"".join(texts[start : start + _BLOCK_LINES])

    return RawTable("train", "train.csv", "raw", "d" * 64, 2, read_blocks)


def rules_of(tables: SmallTables) -> TableRules:
    """Return the rules of train beside these tables."""
    known = (tables.stores["store_nbr"], tables.items["item_nbr"])
    return sales_rules(BOUNDS, Known(*(pl.Series(numbers.to_numpy()) for numbers in known)))

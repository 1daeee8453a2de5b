"""Train checked in blocks and parts by store is what is checked as a whole, whatever it holds."""

from dataclasses import replace

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.quality.checking import Checked
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.report import describe_quality, list_quarantined_rows
from grocery_demand.core.quality.sales_in_parts import check_sales_table
from parted import PartedRawSales
from raw_lines import BOUNDS, HEADER, RULES, STORES, files, wild_files

GAP = 10
headers = st.sampled_from([HEADER] * 9 + [HEADER.replace("unit_sales", "units"), ""])
shares = st.sampled_from([1.0, 1.0, 0.5, 0.1])
stray_lines = st.lists(
    st.sampled_from(["0,2020-12-31,44,7,1,", "0,2013-01-01,1,105574,2,True"]), max_size=2
)


def make_raw(header: str, lines: list[str], block_lines: int) -> RawTable:
    texts = [f"{line}\n".encode() for line in [header, *lines]]

    def read_blocks():
        for start in range(0, len(texts), block_lines):
            yield b"".join(texts[start : start + block_lines])

    return RawTable("train", "train.csv", "raw", "", 2, read_blocks)


def examine(raw: RawTable | PartedRawSales, bounds: QualityParameters) -> Checked | str:
    try:
        return check_sales_table(raw, RULES, bounds)
    except RawDataError as error:
        return str(error)


@given(headers, files | wild_files, stray_lines, st.integers(1, 9), st.integers(1, 3), shares)
@example(HEADER, [], [], 1, 2, 1.0)
@example(HEADER, ["0,2017-01-01,1,7,1,"] * 2, ["0,2020-12-31,44,7,1,"], 1, 2, 1.0)
@settings(max_examples=300, deadline=None)
def test_rows_facts_and_refusals_are_those_of_the_whole(
    header, lines, stray, block_lines, n_parts, share
):
    lines = [*lines[:3], *stray, *lines[3:]]
    bounds = replace(BOUNDS, max_gap_days=GAP, max_bad_share=share)
    raw = make_raw(header, lines, block_lines)
    parted = PartedRawSales(raw, n_parts)

    whole, parts = examine(raw, bounds), examine(parted, bounds)

    if isinstance(whole, str) or isinstance(parts, str):
        assert parts == whole
        return
    assert describe_quality([parts], parts.kept) == describe_quality([whole], whole.kept)
    assert list(parts.reasons) == list(whole.reasons)
    assert list_quarantined_rows([parts]).equals(list_quarantined_rows([whole]))
    tables = parted.staging.place
    assert [table.height for table in tables] == parts.kept.rows
    for store in STORES:
        own = pl.concat(tables).filter(store_nbr=store)
        assert_frame_equal(own, whole.kept.filter(store_nbr=store))

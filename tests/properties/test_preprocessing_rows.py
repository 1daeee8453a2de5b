"""The fast way, the exact way and a naive reader agree on every row of any file."""

import csv
import math
import re
from datetime import date
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.quality import rows as rows_module
from grocery_demand.core.quality.checking import CheckedTable, check_table
from grocery_demand.core.quality.raw_table import RawTable
from raw_lines import BOUNDS, FALSE, HEADER, ITEMS, RULES, STORES, TRUE, files, wild_files


def _check(lines: list[str], block_lines: int, end: str) -> CheckedTable | None:
    texts = [(line + end).encode() for line in [HEADER, *lines]]

    def read_blocks():
        for start in range(0, len(texts), block_lines):
            yield b"".join(texts[start : start + block_lines])

    raw = RawTable("train", "train.csv", "raw", "", 2, read_blocks)
    try:
        return check_table(raw, RULES, BOUNDS)
    except RawDataError:
        return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    number = _number(text)
    return int(number) if number is not None and number.is_integer() and number >= 0 else None


def _judge(cells: dict[str, str]) -> tuple[str, str] | tuple:  # noqa: PLR0911
    """Return column and reason of the first fault, or the values of a good row."""
    text = cells["date"]
    try:
        day = date.fromisoformat(text)
    except ValueError:
        looks_like_date = re.fullmatch(r"\d{4}-\d\d?-\d\d?", text)
        return "date", "impossible date" if looks_like_date else _missing(text, key=True)
    if not date(2013, 1, 1) <= day <= date(2020, 12, 31):
        return "date", "impossible date"
    for column, known in (("store_nbr", STORES), ("item_nbr", ITEMS)):
        number = _whole(cells[column])
        if number is None or number >= 2**31:
            return column, _missing(cells[column], key=True)
        if number not in known:
            return column, "unknown store" if column == "store_nbr" else "unknown item"
    quantity = _number(cells["unit_sales"])
    if quantity is None:
        return "unit_sales", _missing(cells["unit_sales"])
    if not math.isfinite(quantity):
        return "unit_sales", "infinite quantity"
    if abs(quantity) > BOUNDS.max_units:
        return "unit_sales", "absurd quantity"
    flag = cells["onpromotion"]
    if flag not in ("", *TRUE, *FALSE):
        return "onpromotion", "unparsable cell"
    promoted = None if flag == "" else flag in TRUE
    return day, _whole(cells["store_nbr"]), _whole(cells["item_nbr"]), quantity, promoted


def _missing(text: str, key: bool = False) -> str:
    return "unparsable cell" if text else "empty key" if key else "empty cell"


def _read_naively(lines: list[str]) -> tuple[list[tuple], list[tuple]]:
    """Return the rows to be kept, and row number, column and reason of those set aside."""
    kept, rejected, seen = [], [], set()
    names = HEADER.split(",")
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        if len(cells) > len(names) and cells[len(names)]:
            rejected.append((number, "", "surplus cell"))
            continue
        cells += [""] * (len(names) - len(cells))
        verdict = _judge(dict(zip(names, cells, strict=False)))
        if len(verdict) == 2:
            rejected.append((number, *verdict))
        elif verdict[:3] in seen:
            rejected.append((number, "date, store_nbr, item_nbr", "duplicate key"))
        else:
            seen.add(verdict[:3])
            kept.append(verdict)
    return kept, rejected


@given(files, st.integers(1, 30), st.sampled_from(["\n", "\r\n"]))
@example(['0,2017-01-01,1,7,"1', "0,2017-01-02,1,7,2,"], 30, "\n")
@example(['0,2017-01-01,1,7,"5,1",'], 30, "\n")
@settings(max_examples=300, deadline=None)
def test_kept_and_quarantined_rows_are_those_of_a_naive_reader(lines, block_lines, end):
    kept, rejected = _read_naively(lines)

    checked = _check(lines, block_lines, end)

    if checked is None:
        assert not kept
        return
    assert checked.kept.rows() == kept
    assert checked.rejected.select("row", "column", "reason").rows() == rejected
    assert checked.rows_read == sum(bool(line.strip()) for line in lines)


@given(wild_files, st.integers(1, 15), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=400, deadline=None)
def test_the_fast_way_gives_what_the_exact_way_gives_whatever_the_file(lines, block_lines, end):
    fast = _check(lines, block_lines, end)
    with mock.patch.object(rows_module, "_check_quickly", return_value=None):
        exact = _check(lines, block_lines, end)

    if fast is None or exact is None:
        assert fast is exact
        return
    assert fast.kept.equals(exact.kept)
    assert fast.rejected.equals(exact.rejected)
    assert fast.rows_read == sum(bool(line.encode().strip()) for line in lines)

"""Tables as wholes: files in blocks, headers, tables that stop the run."""

import logging
from datetime import date

import numpy as np
import polars as pl
import pytest

from grocery_demand.core.errors import RawDataError
from grocery_demand.core.quality.checking import check_table, join_rows
from grocery_demand.core.quality.raw_table import RawTable
from grocery_demand.core.quality.rows import Block, check_block
from grocery_demand.core.quality.tables import (
    Known,
    holiday_rules,
    item_rules,
    oil_rules,
    promotion_plan_rules,
    store_rules,
    transaction_rules,
)

KNOWN = Known(pl.Series([1, 44], dtype=pl.Int32), pl.Series([7, 105574], dtype=pl.Int32))


def test_row_numbers_go_on_over_blocks(check_text, make_bounds):
    days = [f"2017-{n // 28 + 1:02d}-{n % 28 + 1:02d}" for n in range(100)]
    lines = [f"{day},{'x' if n % 10 == 3 else '1.5'}" for n, day in enumerate(days)]
    text = "date,dcoilwtico\n" + "\n".join(lines)

    whole = check_text(text, oil_rules(make_bounds()))
    blocks = check_text(text, oil_rules(make_bounds()), block_lines=7)

    assert whole.rejected["row"].to_list() == [n + 2 for n in range(3, 100, 10)]
    assert blocks.rejected.equals(whole.rejected)
    assert blocks.kept.equals(whole.kept)


def test_a_byte_order_mark_and_windows_line_ends_are_read_over(check_text, make_bounds):
    text = b"\xef\xbb\xbfdate,dcoilwtico\r\n2017-01-02,50.5\r\n\r\n2017-01-03,\r\n2017-01-04,x\r\n"

    checked = check_text(text, oil_rules(make_bounds()))

    assert checked.kept.rows() == [(date(2017, 1, 2), 50.5), (date(2017, 1, 3), None)]
    assert checked.rejected.rows() == [(5, "dcoilwtico", "x", "unparsable cell")]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("id,date,store_nbr,item_nbr,sales,onpromotion", "no column `unit_sales`"),
        ("id,date,store_nbr,item_nbr,units_sales", "(did you mean `units_sales`?)"),
        ("date;store_nbr;item_nbr;unit_sales;onpromotion", "separated by commas"),
        ("date,date,store_nbr,item_nbr,unit_sales,onpromotion", "more than one column `date`"),
        ("", "Its columns: none"),
    ],
)
def test_a_wrong_header_stops_with_the_columns_there_are(check_sales, header, message):
    with pytest.raises(RawDataError) as error:
        check_sales("1,2,3", header=header + "\n")

    assert message in str(error.value)
    assert "train.csv (in raw)" in str(error.value)
    assert "date, store_nbr, item_nbr, unit_sales, onpromotion" in str(error.value)


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\xff\x00", "date,store_nbr\n".encode("utf-16")]
)
def test_what_is_no_text_is_called_so_without_showing_it(check_text, make_bounds, data):
    with pytest.raises(RawDataError, match="is not a text in UTF-8") as error:
        check_text(data, oil_rules(make_bounds()))
    assert str(error.value).isprintable()


@pytest.mark.parametrize("header", ["", "date,store_nbr,item_nbr,unit_sales,onpromotion\n", None])
def test_an_empty_table_stops(check_sales, header):
    with pytest.raises(RawDataError, match=r"train\.csv \(in raw\) is empty"):
        check_sales(header=header or "")


def test_a_table_of_blank_lines_is_empty(check_sales):
    with pytest.raises(RawDataError, match="holds no rows"):
        check_sales("", "", "")


def test_too_many_bad_rows_stop_with_counts_and_examples(check_sales):
    lines = [f"{n},2017-01-{n + 1:02d},1,7,1," for n in range(28)]
    lines[3] = "3,2017-01-04,1,7,x,"
    lines[4] = "4,2017-01-05,1,7,y,"
    lines[9] = "9,2017-01-10,99,7,1,"

    with pytest.raises(RawDataError) as error:
        check_sales(*lines, max_bad_share=0.1)

    assert str(error.value) == (
        "train.csv (in raw) holds too many bad rows: 3 of 28 rows read, 10.71%; "
        "quality.max_bad_share allows 10.00%.\n"
        "  2 × unparsable cell, as in row 5, column unit_sales: 'x'\n"
        "  1 × unknown store, as in row 11, column store_nbr: '99'\n"
        "Mend these rows, or allow more of them with quality.max_bad_share in "
        "conf/base/parameters.yml, or --params quality.max_bad_share=…"
    )


def test_the_allowed_share_of_bad_rows_goes_on(check_sales):
    lines = [f"{n},2017-01-{n + 1:02d},1,7,1," for n in range(20)]
    lines[3] = "3,2017-01-04,1,7,x,"

    assert check_sales(*lines, max_bad_share=0.05).reasons == {"unparsable cell": 1}


def test_a_table_without_a_good_row_stops_whatever_share_is_allowed(check_sales):
    with pytest.raises(RawDataError, match="1 × surplus cell, as in row 2: '1,2,3,4,5,6,7'"):
        check_sales("1,2,3,4,5,6,7", max_bad_share=1.0)


def test_reading_stops_once_no_number_of_good_rows_can_help(make_raw, make_bounds):
    def read_blocks():
        yield b"date,dcoilwtico\n2017-01-02,x\n"
        raise AssertionError("read on")

    raw = RawTable("oil", "oil.csv", "raw", "", 2, read_blocks)
    with pytest.raises(RawDataError, match="1 of 1 rows read"):
        check_table(raw, oil_rules(make_bounds()), make_bounds(max_bad_share=0.0))


def test_an_optional_table_that_is_missing_has_the_right_columns_and_no_rows(make_bounds, caplog):
    raw = RawTable("test", "", "raw", "", 0, lambda: iter(()))

    with caplog.at_level(logging.INFO):
        checked = check_table(raw, promotion_plan_rules(make_bounds(), KNOWN), make_bounds())

    assert checked.rows_read == 0
    assert checked.kept.schema == {
        "id": pl.Int64,
        "date": pl.Date,
        "store_nbr": pl.Int32,
        "item_nbr": pl.Int32,
        "onpromotion": pl.Boolean,
    }
    assert "test: there is no such file" in caplog.text


def test_progress_is_logged_every_ten_million_rows(check_sales, caplog, monkeypatch):
    monkeypatch.setattr("grocery_demand.core.quality.checking._LOG_EVERY", 2)

    with caplog.at_level(logging.INFO):
        check_sales(*(f"{n},2017-01-{n + 1:02d},1,7,1," for n in range(5)))

    assert "train.csv: 5 rows read …" in caplog.text
    assert "train.csv: 5 rows read, 0 set aside." in caplog.text


def test_the_plan_keeps_ids_that_no_float_holds(check_text, make_bounds):
    text = (
        "id,date,store_nbr,item_nbr,onpromotion\n"
        "9007199254740993,2017-08-16,1,7,False\n"
        "12.0,2017-08-16,44,7,True\n"
        "-1,2017-08-17,44,7,True\n"
        ",2017-08-18,44,7,True\n"
    )

    checked = check_text(text, promotion_plan_rules(make_bounds(), KNOWN), "test")

    assert checked.kept["id"].to_list() == [9007199254740993, 12]
    assert checked.rejected.rows() == [
        (4, "id", "-1", "unparsable cell"),
        (5, "id", "", "empty cell"),
    ]


def test_items_are_checked(check_text, make_bounds):
    text = (
        "item_nbr,family,class,perishable\n"
        '99197,"LIQUOR,WINE,BEER",1067,0\n'
        "99197,DAIRY,1067,0\n"
        "1,,1067,0\n"
        "2,DAIRY,1067,2\n"
        "3,DAIRY,A,0\n"
        "4, DAIRY ,12,1\n"
    )

    checked = check_text(text, item_rules(make_bounds()), "items")

    assert checked.kept.rows() == [(99197, "LIQUOR,WINE,BEER", 1067, 0), (4, "DAIRY", 12, 1)]
    assert checked.rejected.rows() == [
        (3, "item_nbr", "99197", "duplicate key"),
        (4, "family", "", "empty cell"),
        (5, "perishable", "2", "unparsable cell"),
        (6, "class", "A", "unparsable cell"),
    ]


def test_a_store_that_comes_twice_and_text_that_is_not_utf8_are_set_aside(check_text, make_bounds):
    text = (
        b"store_nbr,city,state,type,cluster\n"
        b"1,Quito,Pichincha,D,13\n"
        b"1,Quito,Pichincha,D,13\n"
        b"2,Santo Domingo de los Ts\xe1chilas,x,D,13\n"
    )

    checked = check_text(text, store_rules(make_bounds()), "stores")

    assert checked.kept.rows() == [(1, "Quito", "Pichincha", "D", 13)]
    assert checked.reasons == {"duplicate key": 1, "unparsable cell": 1}


def test_holidays_of_an_unknown_kind_are_set_aside(check_text, make_bounds):
    text = (
        "date,type,locale,locale_name,description,transferred\n"
        "2017-01-01,Holiday,National,Ecuador,New Year,False\n"
        "2017-01-02,Transfer,National,Ecuador,New Year moved,True\n"
        "2017-01-03,Strike,National,Ecuador,Strike,False\n"
        "2017-01-04,Event,Galactic,Ecuador,Strike,False\n"
        "2017-01-05,Event,National,Ecuador,Strike,perhaps\n"
    )

    checked = check_text(text, holiday_rules(make_bounds()), "holidays_events")

    assert checked.kept["transferred"].to_list() == [False, True]
    assert checked.rejected.rows() == [
        (4, "type", "Strike", "unknown kind"),
        (5, "locale", "Galactic", "unknown kind"),
        (6, "transferred", "perhaps", "unparsable cell"),
    ]


def test_transactions_of_an_unknown_store_are_set_aside(check_text, make_bounds):
    text = "date,store_nbr,transactions\n2017-01-01,1,100\n2017-01-01,2,100\n2017-01-02,1,-5\n"

    checked = check_text(text, transaction_rules(make_bounds(), KNOWN), "transactions")

    assert checked.kept.rows() == [(date(2017, 1, 1), 1, 100)]
    assert checked.reasons == {"unknown store": 1, "unparsable cell": 1}


def test_an_empty_oil_price_is_no_fault_but_a_wrong_one_is(check_text, make_bounds):
    text = "date,dcoilwtico\n2017-01-01,\n2017-01-02,n/a\n2017-01-03,inf\n2017-01-04,-37.63\n"

    checked = check_text(text, oil_rules(make_bounds()), "oil")

    assert checked.kept["dcoilwtico"].to_list() == [None, -37.63]
    assert checked.reasons == {"infinite quantity": 1, "unparsable cell": 1}


def test_duplicates_are_found_within_and_across_slices(check_sales, monkeypatch):
    monkeypatch.setattr("grocery_demand.core.quality.duplicates.SLICE", 3)
    monkeypatch.setattr("grocery_demand.core.pairs.SLICE", 3)
    days = [1, 2, 1, 3, 2, 4, 4, 5, 1, 6]

    checked = check_sales(*(f"{n},2017-01-{day:02d},1,7,{n}," for n, day in enumerate(days)))

    first_rows = np.unique(days, return_index=True)[1]
    assert checked.kept["unit_sales"].to_list() == sorted(first_rows)
    assert checked.rejected["row"].to_list() == [4, 6, 8, 10]


def test_rows_beyond_four_billion_keep_their_numbers(make_bounds):
    """The first block ends below 2³², the second one above it."""
    header = ["date", "dcoilwtico"]
    texts = [b"2017-01-02,1\n2017-01-03,x\n", b"2017-01-04,y\n2017-01-05,2\n2017-01-06,z"]
    rules = oil_rules(make_bounds())
    blocks = [Block(texts[0], 2**32 - 3, header), Block(texts[1], 2**32 - 1, header)]

    checked = join_rows([check_block(block, rules) for block in blocks], rules)

    assert checked.kept["row"].to_list() == [2**32 - 3, 2**32]
    assert checked.rejected["row"].to_list() == [2**32 - 2, 2**32 - 1, 2**32 + 1]
